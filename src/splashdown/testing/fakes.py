"""Fakes of a plugin's surroundings: remote files with faults, an opened asset, a resolver's context."""

from __future__ import annotations

import io
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from splashdown.errors import ChangedError, HttpStatusError, LoadError, NotModifiedError, ResolveError, TruncatedError
from splashdown.model import Asset, Buffer, ReadRequest, RemoteInfo, ResultSet
from splashdown.redact import safely_shown

if TYPE_CHECKING:
    from splashdown.session import Session

#: The fault of one request: raise, return the number of bytes after which the body ends, or ``None`` for no fault.
Fault = Callable[[ReadRequest], int | None]


def fails_with(error: Exception) -> Fault:
    """The request fails with this error."""

    def fault(request: ReadRequest) -> int | None:  # noqa: ARG001 - a fault's signature
        raise error

    return fault


def answers(status: int, retry_after: float | None = None) -> Fault:
    """The server answers with this status."""
    return fails_with(HttpStatusError(f"HTTP {status}", status=status, retry_after=retry_after))


def cuts_after(size: int) -> Fault:
    """The body breaks off after this many bytes."""
    return lambda request: size  # noqa: ARG005 - a fault's signature


def is_fine(request: ReadRequest) -> int | None:  # noqa: ARG001 - a fault's signature
    """No fault: a good answer between two bad ones."""
    return None


@safely_shown
@dataclass(kw_only=True, repr=False)
class FakeFile:
    """One remote file of a :class:`FakeTransport`. A test may change it between requests.

    Each request takes the next of ``faults``. ``sized`` says whether the server sends the size, ``ranges`` whether it
    serves ranges.
    """

    data: bytes
    etag: str | None = '"1"'
    last_modified: str | None = None
    media_type: str | None = None
    ranges: bool = True
    sized: bool = True
    digests: Mapping[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @property
    def info(self) -> RemoteInfo:
        """The server's description of the file."""
        return RemoteInfo(
            size=len(self.data) if self.sized else None,
            media_type=self.media_type,
            etag=self.etag,
            last_modified=self.last_modified,
            ranges=self.ranges,
            digests=self.digests,
        )


class FakeStream:
    """The body of one answer of a :class:`FakeTransport`."""

    def __init__(self, file: FakeFile, start: int, stop: int | None, cut: int | None, chunk: int) -> None:
        self.info = file.info
        self.start = start
        self._data = file.data[start:stop]
        self._cut, self._chunk = cut, chunk
        self.length = len(self._data) if file.sized else None

    def __iter__(self) -> Iterator[Buffer]:
        """Yield chunks in one reused buffer, as a fast transport does."""
        end = len(self._data) if self._cut is None else min(self._cut, len(self._data))
        buffer = bytearray(self._chunk)
        for at in range(0, end, self._chunk):
            size = min(self._chunk, end - at)
            buffer[:size] = self._data[at : at + size]
            yield memoryview(buffer)[:size]
        if self._cut is not None:
            raise TruncatedError(f"the body ended after {end} bytes")


class FakeTransport:
    """Serves files from a dictionary, with their faults; ``requests`` lists all requests.

    An unknown href is answered with 404. ``chunk`` is the size of the chunks in bytes.
    """

    def __init__(self, files: Mapping[str, FakeFile | bytes], *, chunk: int = 1000) -> None:
        self.files = {href: f if isinstance(f, FakeFile) else FakeFile(data=f) for href, f in files.items()}
        self.requests: list[ReadRequest] = []
        self.open_streams = 0
        self.closed = False
        self._chunk = chunk
        self._lock = threading.Lock()

    @contextmanager
    def stream(self, request: ReadRequest) -> Iterator[FakeStream]:
        """Open one range or the whole file."""
        with self._lock:
            self.requests.append(request)
            file = self.files.get(request.href)
            if file is None:
                raise HttpStatusError(f"HTTP 404 for {request.href}", status=404)
            fault = file.faults.pop(0) if file.faults else None
            self.open_streams += 1
        try:
            cut = fault(request) if fault else None
            if request.unless and request.unless == file.info.validator:
                raise NotModifiedError("HTTP 304")
            if request.pinned is not None and not request.pinned.same_version(file.info):
                raise ChangedError("HTTP 412")
            start, stop = (request.start, request.stop) if file.ranges else (0, None)
            yield FakeStream(file, start, stop, cut, self._chunk)
        finally:
            with self._lock:
                self.open_streams -= 1

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True


class MemoryHandle:
    """An :class:`~splashdown.protocols.AssetHandle` over bytes; ``reads`` lists the requested ranges."""

    def __init__(self, data: bytes, asset: Asset | None = None) -> None:
        self.asset = make_asset() if asset is None else asset
        self.reads: list[tuple[int, int]] = []
        self._data = data
        self._path: Path | None = None

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return len(self._data)

    def bytes(self, max_bytes: int | None = None) -> bytes:
        """The whole file."""
        if max_bytes is not None and self.size > max_bytes:
            raise LoadError(f"{self.asset.label} has {self.size} bytes, more than the {max_bytes} allowed")
        self.reads.append((0, self.size))
        return self._data

    def open(self) -> IO[Any]:
        """A binary file."""
        return io.BytesIO(self.bytes())

    def path(self) -> Path:
        """A temporary file with the bytes; it is removed with this object."""
        if self._path is None:
            folder = tempfile.TemporaryDirectory(prefix="splashdown-")
            weakref.finalize(self, folder.cleanup)
            self._path = Path(folder.name, self.asset.key.rpartition("/")[2])
            self._path.write_bytes(self._data)
        return self._path

    def read_range(self, start: int, stop: int) -> memoryview:
        """The bytes ``start:stop``."""
        self.reads.append((start, stop))
        return memoryview(self._data)[start:stop]

    def read_ranges(self, ranges: Sequence[tuple[int, int]]) -> Iterator[tuple[int, memoryview]]:
        """Several ranges, the last one first: a loader must not rely on the order."""
        for index, (start, stop) in reversed(list(enumerate(ranges))):
            yield index, self.read_range(start, stop)


@safely_shown
@dataclass(kw_only=True, repr=False)
class FakeContext:
    """A :class:`~splashdown.protocols.ResolveContext`; ``messages`` lists the resolver's messages to the user."""

    auth: object = None
    options: Mapping[str, Any] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    sources: Mapping[str, ResultSet] = field(default_factory=dict)  #: results of other sources
    files: Mapping[str, bytes] = field(default_factory=dict)  #: contents of documents in stores

    def notify(self, message: str) -> None:
        """Keep the message."""
        self.messages.append(message)

    def resolve(self, source: object) -> ResultSet:
        """The result set of a source in ``sources``, else a ``ResolveError``."""
        if str(source) not in self.sources:
            raise ResolveError(f"there is nothing at {source}")
        return self.sources[str(source)]

    def open(self, href: str) -> MemoryHandle:
        """The document of an href in ``files``, else an ``HttpStatusError`` with 404."""
        if href not in self.files:
            raise HttpStatusError(f"there is nothing at {href}", status=404)
        return MemoryHandle(self.files[href], make_asset(href=href))


def make_asset(key: str = "data.bin", href: str | None = None, **fields: Any) -> Asset:
    """An asset with the given fields; the default href is ``fake://host/KEY``."""
    return Asset(key=key, href=f"fake://host/{key}" if href is None else href, **fields)


def make_session(*plugins: object, **options: Any) -> Session:
    """A session with the built-in plugins and these, without installed ones or configuration; failures raise."""
    from splashdown.session import Session

    return Session(plugins=plugins, discover=False, strict=True, config=False, **options)
