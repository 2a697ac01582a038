"""Opens an asset for a loader: the bytes come over the transports, signed, retried and of one version.

How one range survives networks and servers is in :mod:`splashdown._engine.range_reader`. This module decides which
requests there are. The first one is a range of 64 KiB that also gives size and version, and is kept, so a small file
costs one request. A server without ranges is read once, to a temporary file.
"""

from __future__ import annotations

import builtins
import io
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import IO, Any, Self
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from splashdown._engine.concurrent import map_unordered
from splashdown._engine.dispatch import Dispatcher
from splashdown._engine.local_handle import LocalHandle, check_size, verified_copy
from splashdown._engine.range_reader import RangeReader
from splashdown._engine.remote import Remote
from splashdown._engine.renew import Origin, Renewal
from splashdown._engine.restart import RestartError, with_restarts
from splashdown._engine.retry import host_of
from splashdown._engine.seekable import SeekableAsset
from splashdown._engine.settings import MIB
from splashdown._engine.source import Source
from splashdown._engine.verify import Expectation
from splashdown.errors import ChangedError, HttpStatusError, RangeNotServedError, StoreError, UsageError, error_text
from splashdown.model import Asset, Buffer, Outcome, RemoteInfo, Transfer
from splashdown.protocols import AssetHandle

#: The first request. A header of a GeoTIFF and most JSON documents fit, and it hardly takes longer than fewer bytes.
_HEAD = 64 * 1024


def open_asset(asset: Asset, remote: Remote, *, local: Outcome | None = None) -> AssetHandle:
    """A handle on one asset; nothing is requested before the first read.

    ``local`` is what a run has stored: as long as that file is unchanged, all reading is done there.
    """
    if local is not None and (path := verified_copy(local)) is not None:
        return LocalHandle(asset, path)
    # A checksum of the whole file is worth computing only where there is one to compare it with.
    return RemoteHandle(asset, replace(remote, settings=replace(remote.settings, checksum=None)))


class RemoteHandle:
    """An :class:`~splashdown.protocols.AssetHandle` over the transports. It may be used from several threads."""

    def __init__(
        self,
        asset: Asset,
        remote: Remote,
        stop: threading.Event | None = None,
        count: Callable[[int], object] | None = None,
    ) -> None:
        self.asset = asset
        self._remote = remote
        self._count_too = count  # of the folder that this object is in
        self._events = Dispatcher(())  # loaders have no listeners
        self._stop = stop or threading.Event()
        self._info: RemoteInfo | None = None
        self._head: memoryview | None = None
        self._copy: LocalHandle | None = None
        self._lock = threading.RLock()
        self._moved = 0
        self._cleanup: Callable[[], object] = self._stop.set

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle how it was opened: another process reads over its own connections."""
        return RemoteHandle, (self._remote.renewal.current(self.asset), self._remote)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop what is still being read, and remove the temporary file."""
        self._stop.set()
        self._cleanup()

    @property
    def size(self) -> int:
        """Bytes of the whole file, as the server says; the first use may cost a request."""
        if self._copy is None:
            info = self._info or self._probe()
            if info.size is not None:
                return info.size
        return self._local().size

    @property
    def validator(self) -> str | None:
        """The mark of the version that is read, where the source gives one; the first use may cost a request."""
        return (self._info or self._probe()).validator

    @property
    def current(self) -> Asset:
        """The asset with the newest link that is known."""
        return self._remote.renewal.current(self.asset)

    @property
    def origin(self) -> Origin:
        """The asset as it was opened, and what renews its link."""
        return Origin(self.asset, self._remote.renewal)

    @property
    def moved(self) -> int:
        """Bytes that came over the wire so far, those of its siblings too."""
        return self._moved

    def forget_head(self) -> None:
        """Give the memory of the first bytes back, which a later read of them asks for again."""
        self._head = None

    def bytes(self, max_bytes: int | None = None) -> builtins.bytes:
        """The whole file, verified like a download. Raises ``LoadError`` when it is larger than ``max_bytes``."""
        if self._copy is not None:
            return self._copy.bytes(max_bytes)
        target = io.BytesIO()
        self._read_all(target, max_bytes)
        return target.getvalue()

    def open(self) -> IO[builtins.bytes]:
        """A seekable file; sequential reading asks for larger and larger ranges, up to 8 MiB."""
        if self._copy is not None:
            return self._copy.open()
        return io.BufferedReader(SeekableAsset(self), buffer_size=16 * 1024)

    def path(self) -> Path:
        """A temporary copy, verified; it is removed by :meth:`close`, or with this object."""
        return self._local().path()

    def read_range(self, start: int, stop: int) -> memoryview:
        """The bytes ``start:stop``, cut at the end of the file."""
        if not 0 <= start <= stop:
            raise UsageError(f"expected a range with 0 <= start <= stop, got {start}:{stop}")
        # A loader that begins at the start reads on there: one request for all of the head is cheaper than several.
        if self._copy is None and self._info is None and stop <= _HEAD:
            self._probe()
        known = self._known(start, stop)
        if known is not None:
            return known
        if self._copy is None and (self._info is None or self._info.ranges):
            try:
                return self._request(start, stop)
            except RangeNotServedError:
                pass  # the server had offered ranges; the file is read once instead
        return self._local().read_range(start, stop)

    def read_ranges(self, ranges: Sequence[tuple[int, int]]) -> Iterator[tuple[int, memoryview]]:
        """Several ranges over several connections; ``(index, bytes)`` as they arrive. Nothing is merged."""
        most = self._remote.settings.range_connections
        connections = 1 if self._copy else min(most, self._remote.limit(host_of(self.asset.href)) or most)
        yield from map_unordered(lambda one: self.read_range(*one), ranges, connections)

    def chunks(self, start: int, stop: int) -> Iterator[Buffer]:
        """The bytes ``start:stop`` in one request, piece by piece; each is valid until the next one.

        For a source that does not serve ranges they come from a temporary copy.
        """
        if self._copy is None and (self._info is None or self._info.ranges):
            reader = RangeReader(self._source(), start, stop)
            try:
                self._same_version(reader.open())
                yield from reader.chunks(stop)
                reader.finish()
            except RestartError as restart:
                if reader.pos > start or not isinstance(restart.cause, RangeNotServedError):
                    raise restart.cause from restart
            else:
                return
            finally:
                self._count(reader.moved)
                reader.close()
        copy = self._local()
        for at in range(start, stop, MIB):
            yield copy.read_range(at, min(at + MIB, stop))

    def sibling(self, name: str) -> RemoteHandle:
        """The object ``name`` below the href, for assets that are folders; its link cannot be renewed."""
        if any(part in {"", ".", ".."} for part in name.split("/")) or "\\" in name:
            raise UsageError(f"{self.asset.label}: expected a relative path below the asset, got {name!r}")
        parts = urlsplit(self.asset.href)
        href = urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{quote(name)}"))
        asset = replace(self.asset, key=f"{self.asset.key}/{name}", href=href, size=None, checksum=None)
        # The source lists the folder, not what is in it, so to read the source again gives no link for this object.
        return RemoteHandle(asset, replace(self._remote, renewal=Renewal()), self._stop, self._count)

    def _known(self, start: int, stop: int) -> memoryview | None:
        """The bytes that can be given without a request."""
        size = self._info.size if self._info else None
        stop = stop if size is None else min(stop, size)
        if start >= stop:
            return memoryview(b"")
        return self._head[start:stop] if self._head is not None and stop <= len(self._head) else None

    def _probe(self) -> RemoteInfo:
        """The first request: size, version and the first bytes at once."""
        with self._lock:
            if self._info is None:
                source = self._source()
                info, head = with_restarts(source, lambda: _read_head(source))
                self._info, self._head = info, memoryview(head).toreadonly()
                self._count(source.moved)
            return self._info

    def _request(self, start: int, stop: int) -> memoryview:
        reader = RangeReader(self._source(), start, stop)
        try:
            info = self._same_version(reader.open())
            reader.stop = stop = stop if info.size is None else min(stop, info.size)
            content = memoryview(bytearray(stop - start))
            at = 0
            for chunk in reader.chunks(stop):
                content[at : at + len(chunk)] = chunk
                at += len(chunk)
            reader.finish()
        except RestartError as restart:
            # A range behind the end of the file has no bytes, as with a local file.
            if isinstance(restart.cause, HttpStatusError) and restart.cause.status == 416 and start >= self.size:
                return memoryview(b"")
            raise restart.cause from restart
        finally:
            self._count(reader.moved)
            reader.close()
        return content.toreadonly()

    def _count(self, moved: int) -> None:
        with self._lock:
            self._moved += moved
        if self._count_too is not None:
            self._count_too(moved)

    def _same_version(self, info: RemoteInfo) -> RemoteInfo:
        """Pin the version of the first answer, whichever range it was for."""
        with self._lock:
            if self._info is None:
                self._info = info
            elif not self._info.same_version(info):  # two threads made the first request, and each got a version
                raise ChangedError(f"{self.asset.label}: the file changed on the server while it was read")
            return self._info

    def _source(self) -> Source:
        transfer = Transfer(asset=self.asset, name=self.asset.key)
        source = Source(transfer, self._remote, events=self._events, stop=self._stop)
        source.pinned, source.link_worked = self._info, self._info is not None
        return source

    def _local(self) -> LocalHandle:
        """A temporary copy of the whole file, in a folder of its own: GDAL takes files beside it for its sidecars."""
        with self._lock:
            if self._copy is None:
                try:
                    folder = tempfile.mkdtemp(prefix="splashdown-")
                    self._cleanup = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
                    path = Path(folder, f"asset{_suffix(self.asset)}")
                    with path.open("wb") as file:
                        self._read_all(file, None)
                except OSError as error:
                    raise StoreError(
                        f"{self.asset.label}: cannot make a temporary copy ({error_text(error)}); set TMPDIR to a"
                        " folder with enough room"
                    ) from error
                self._copy = LocalHandle(self.asset, path)
            return self._copy

    def _read_all(self, target: IO[builtins.bytes], max_bytes: int | None) -> None:
        """Write the whole file; its first bytes are not read again where they are there."""
        source = self._source()

        def attempt() -> RemoteInfo:
            target.seek(0)
            target.truncate()
            if source.pinned is None:  # after a restart the head may be damaged, or of an older version
                self._head = None
            head = self._head if self._head is not None and source.can_continue else memoryview(b"")
            return self._read_once(source, target, head, max_bytes)

        try:
            self._info = with_restarts(source, attempt)
        finally:
            self._count(source.moved)

    def _read_once(
        self, source: Source, target: IO[builtins.bytes], head: memoryview, max_bytes: int | None
    ) -> RemoteInfo:
        source.stored_before = len(head)
        reader = RangeReader(source, len(head), budget=source.budget)
        try:
            info = source.pinned or reader.open()
            check_size(self.asset, info.size, max_bytes)
            expected = Expectation(self.asset, info, self._remote.settings)
            digests = expected.digests()
            target.write(head)
            digests.update(head)
            for chunk in reader.chunks(info.size):
                target.write(chunk)
                digests.update(chunk)
                check_size(self.asset, reader.pos, max_bytes)
            reader.finish()
            expected.check(reader.pos, digests, source.decoding)
        finally:
            reader.close()
        return info


def _read_head(source: Source) -> tuple[RemoteInfo, bytearray]:
    reader = RangeReader(source, 0, _HEAD, budget=source.budget)
    try:
        info = reader.open()
        # Where the size is unknown, a body that ends before the range does is not an error.
        reader.stop = None if info.size is None else min(_HEAD, info.size)
        head = bytearray()
        for chunk in reader.chunks(_HEAD if reader.stop is None else reader.stop):
            head += chunk
        if info.ranges:  # else the rest of the file would follow
            reader.finish()
    finally:
        reader.close()
    return info, head


def _suffix(asset: Asset) -> str:
    """The extension that the file has remotely: some programs recognise a format by it."""
    suffix = PurePosixPath(unquote(urlsplit(asset.href).path)).suffix
    return suffix if suffix[1:].isalnum() and len(suffix) < 12 else ""
