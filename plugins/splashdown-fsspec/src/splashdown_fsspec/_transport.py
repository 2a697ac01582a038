"""The transport: reads files of the same filesystems, by ranges where they can be sought."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from splashdown.errors import ChangedError, NotModifiedError, RangeNotServedError, TransferError, TruncatedError
from splashdown.model import Buffer, ReadRequest, RemoteInfo
from splashdown.redact import safely_shown
from splashdown_fsspec import _files as files
from splashdown_fsspec._errors import reading
from splashdown_fsspec._options import FsspecOptions
from splashdown_fsspec._places import Place, connect

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

#: Protocols of ``fsspec://`` that an href may name. Hrefs come out of documents that strangers write: what reads
#: this machine's files, runs commands or opens other URLs (file, local, zip, reference, git, ...) is not among them.
READABLE = frozenset({"memory", "ftp", "smb", "gdrive", "dropbox", "box", "hdfs", "webhdfs", "oci", "oss", "dbfs"})


@safely_shown
@dataclass(slots=True, repr=False)
class _Body:
    """A range of a remote file."""

    url: str
    fs: AbstractFileSystem
    path: str
    info: RemoteInfo
    start: int
    length: int | None

    def __iter__(self) -> Iterator[Buffer]:
        if self.length == 0:
            return
        stop = None if self.length is None else self.start + self.length
        got = 0
        with reading(self.url):
            for chunk in files.read(self.fs, self.path, self.start, stop):
                got += len(chunk)
                yield chunk
        if self.length is not None and got < self.length:
            raise TruncatedError(f"{self.url}: the file ended {self.length - got} bytes early")
        if _look(self.url, self.fs, self.path).etag != self.info.etag:
            raise ChangedError(f"{self.url}: the file changed while it was read")


class FsspecTransport:
    """Reads files; one connection to each server, which all threads share."""

    def __init__(self, options: FsspecOptions) -> None:
        self._options = options
        self._connections: dict[tuple[str, str], AbstractFileSystem] = {}
        self._lock = threading.Lock()

    @contextmanager
    def stream(self, request: ReadRequest) -> Iterator[_Body]:
        """Open a range of a file."""
        try:
            place = Place.of(request.href)
        except ValueError as error:
            raise TransferError(str(error)) from error
        url = str(place)
        with reading(url):
            fs, path = self._connect(place)
        info = _look(url, fs, path)
        size = info.size
        if request.unless and request.unless == info.validator:
            raise NotModifiedError(f"{url}: not changed")
        if request.pinned is not None and not request.pinned.same_version(info):
            raise ChangedError(f"{url}: the file changed while it was read")
        if size is not None and request.start and request.start >= size:
            raise RangeNotServedError(f"{url}: has {size} bytes, none at {request.start}")
        stop = size if request.stop is None or (size is not None and request.stop > size) else request.stop
        yield _Body(url, fs, path, info, request.start, None if stop is None else stop - request.start)

    def close(self) -> None:
        """Give back connections."""
        with self._lock:
            connections, self._connections = self._connections, {}
        for fs in connections.values():
            files.close(fs)

    def _connect(self, place: Place) -> tuple[AbstractFileSystem, str]:
        if place.scheme == "fsspec":
            if place.server not in READABLE:
                raise TransferError(
                    f"{place}: hrefs of fsspec's {place.server!r} are not read, because a document could name anything"
                    " with it; download the file to a folder first"
                )
            return connect(place, self._options, trusted=False)
        with self._lock:
            known = (place.scheme, place.server)
            if known not in self._connections:
                self._connections[known] = connect(place, self._options, trusted=False)[0]
            return self._connections[known], place.path


def _look(url: str, fs: AbstractFileSystem, path: str) -> RemoteInfo:
    with reading(url):
        fs.invalidate_cache()
        info = files.info(fs, path)
    if info.get("type") == "directory":
        raise TransferError(f"{url}: is a folder")
    size = info.get("size")
    media_type = info.get("content_type") or info.get("ContentType")
    return RemoteInfo(size=size, media_type=media_type, etag=files.version(info), ranges=size is not None)
