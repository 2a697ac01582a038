"""The transport ``file``: reads ``file:`` URLs and absolute paths of this machine.

It serves regular files only: a device or a pipe could block for ever, or have no end. Whether a document may name
local files at all is for the resolver that read it: one that came from a server may not.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from splashdown.errors import (
    ChangedError,
    NotModifiedError,
    RangeNotServedError,
    TransferError,
    TruncatedError,
    error_text,
)
from splashdown.hookspecs import hookimpl
from splashdown.model import Buffer, ReadRequest, RemoteInfo
from splashdown.sources import path_in_url
from splashdown.specs import TransportSpec

if TYPE_CHECKING:
    from splashdown.protocols import Transport

_CHUNK = 1024 * 1024
#: Without these, opening a pipe waits for its writer, and a child process inherits the file. Not on every system.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def local_path(href: str) -> str:
    """The path that an href names. Raises ``TransferError`` for another host and for a relative path."""
    path = href
    if href[:5].lower() == "file:":
        parts = urlsplit(href)
        if parts.netloc.lower() not in {"", "localhost"}:
            raise TransferError(f"{href}: a file on another host ({parts.netloc}) cannot be read")
        path = path_in_url(href)
    if "\0" in path or not os.path.isabs(path):  # noqa: PTH117 - a Path would lose nothing here, but costs more
        raise TransferError(f"{path!r} is not an absolute path")
    return path


class LocalBody:
    """A range of an open file. The validator is made of what changes when a file does: time, number and size."""

    def __init__(self, request: ReadRequest) -> None:
        from email.utils import formatdate

        self._path = local_path(request.href)
        self._file = _open_regular(self._path)
        try:
            state = os.fstat(self._file.fileno())
            self.info = RemoteInfo(
                size=state.st_size,
                etag=_etag(state),
                last_modified=formatdate(state.st_mtime, usegmt=True),
                ranges=True,
            )
            self._check(request)
        except BaseException:
            self._file.close()
            raise
        self.start = request.start
        stop = state.st_size if request.stop is None else min(request.stop, state.st_size)
        self.length: int | None = stop - request.start

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[Buffer]:
        left = self.length or 0
        buffer = memoryview(bytearray(min(left, _CHUNK)))
        self._file.seek(self.start)
        while left:
            try:
                count = self._file.readinto(buffer[:left])
            except OSError as error:
                raise TransferError(f"{self._path}: cannot be read ({error_text(error)})") from error
            if not count:
                raise TruncatedError(f"{self._path}: the file ended {left} bytes early")
            left -= count
            yield buffer[:count]

    def _check(self, request: ReadRequest) -> None:
        size = self.info.size or 0
        if request.unless and request.unless == self.info.validator:
            raise NotModifiedError(f"{self._path}: not changed")
        if request.pinned is not None and not request.pinned.same_version(self.info):
            raise ChangedError(f"{self._path}: the file changed while it was read")
        if request.start > size or (request.start == size and size):
            raise RangeNotServedError(f"{self._path}: has {size} bytes, none at {request.start}")


class FileTransport:
    """Reads files of this machine."""

    def stream(self, request: ReadRequest) -> LocalBody:
        """Open a range of a file. Raises ``TransferError`` when it is not there, not readable or not a file."""
        return LocalBody(request)

    def delete(self, href: str, version: RemoteInfo) -> None:
        """Delete a regular file that has not changed; links stay."""
        path = local_path(href)
        folder, name = os.path.split(path)
        try:
            with _opened_folder(folder) as number:
                # Looked at and deleted in one opened folder: no link on the way can lead elsewhere in between.
                place = name if number is not None else path
                state = os.stat(place, dir_fd=number, follow_symlinks=False)
                if not stat.S_ISREG(state.st_mode):
                    raise TransferError(f"{path}: not a regular file, so it is not deleted")
                if _etag(state) != version.etag:
                    raise ChangedError(f"{path}: the file has changed, so it is not deleted")
                os.unlink(place, dir_fd=number)
        except OSError as error:
            raise TransferError(f"{path}: cannot be deleted ({error_text(error)})") from error

    def close(self) -> None:
        """There is nothing to give back."""


def _etag(state: os.stat_result) -> str:
    return f'"{state.st_mtime_ns:x}-{state.st_ino:x}-{state.st_size:x}"'


@contextmanager
def _opened_folder(path: str) -> Iterator[int | None]:
    """A folder as a descriptor; ``None`` on systems that know files by their paths alone."""
    if os.unlink not in os.supports_dir_fd:
        yield None
        return
    number = os.open(path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0))
    try:
        yield number
    finally:
        os.close(number)


def _open_regular(path: str) -> io.FileIO:
    try:
        number = os.open(path, _FLAGS)
    except OSError as error:
        raise TransferError(f"{path}: cannot be read ({error_text(error)})") from error
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise TransferError(f"{path}: not a regular file")
    return io.FileIO(number)


def _create(options: object) -> Transport:  # noqa: ARG001 - there are none
    return FileTransport()


@hookimpl
def splashdown_transports() -> Iterator[TransportSpec]:
    """Offer the transport."""
    yield TransportSpec(name="file", schemes=("file", ""), create=_create, summary="files of this machine")
