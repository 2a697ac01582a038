"""Writes, moves and lists files on any filesystem, with what SFTP and WebDAV can do better than the rest."""

from __future__ import annotations

import datetime as dt
import errno
import io
import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from splashdown.model import Buffer
from splashdown.store_errors import already_exists

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_log = logging.getLogger("splashdown")
CHUNK = 1024 * 1024
#: The numbers of errors by which s3fs says that a listing is refused, or does not exist.
_REFUSED = {errno.EACCES, errno.EPERM, errno.ENOSYS, errno.EINVAL, None}
#: How often a folder is listed whose files change meanwhile.
_LISTINGS = 10


def write(fs: AbstractFileSystem, path: str, chunks: Iterable[Buffer], size: int | None) -> int:
    """Store chunks under a path, replacing what was there; the number of bytes."""
    if _is_webdav(fs):
        # Its file objects collect the whole body on disk before they send it; this sends it as it comes.
        body = _Body(chunks)
        fs.client.upload_fileobj(body, path, overwrite=True, size=size, chunk_size=CHUNK)
        body.finish()
        return body.total
    total = 0
    with fs.open(path, "wb") as file:
        for chunk in chunks:
            file.write(bytes(chunk))
            total += len(chunk)
    return total


def info(fs: AbstractFileSystem, path: str) -> dict[str, Any]:
    """The metadata of a file. Raises ``FileNotFoundError`` where there is none.

    s3fs lists what is below a key that has no object. Where a store refuses that, the answer about the object decides.
    """
    try:
        found: dict[str, Any] = fs.info(path)
        return found
    except OSError as error:
        if error.errno not in _REFUSED or not _is_s3(fs):
            raise
    bucket, key, _ = fs.split_path(path)
    head = fs.call_s3("head_object", Bucket=bucket, Key=key)
    return {"size": head["ContentLength"], "type": "file"} | {
        name: head[name] for name in ("ETag", "LastModified", "ContentType") if name in head
    }


def find_bucket(fs: AbstractFileSystem, folder: str) -> None:
    """Ask once for the bucket of s3fs. Raises ``RecursionError`` where the store only says that it is elsewhere.

    The library then repeats the question hundreds of times, at each use: better to end before the first file. Whatever
    else keeps the bucket from being used shows when it is used.
    """
    if not _is_s3(fs):
        return
    try:
        fs.call_s3("head_bucket", Bucket=fs.split_path(folder)[0])
    except RecursionError:
        raise
    except Exception as error:
        _log.debug("%s does not answer for itself: %s", folder.partition("/")[0], type(error).__name__)


def exists(fs: AbstractFileSystem, path: str) -> bool:
    """Whether there is a file or folder."""
    if not _is_s3(fs):
        return bool(fs.exists(path))
    try:
        info(fs, path)
    except FileNotFoundError:
        return False
    return True


def make_folder(fs: AbstractFileSystem, folder: str) -> None:
    """Make a folder and those above it, as far up as there is none: further up there may be no right to look.

    A bucket has keys and no folders, and a store may refuse to list them.
    """
    if _is_s3(fs):
        return
    missing = []
    while folder.strip("/") and not fs.isdir(folder):
        missing.append(folder)
        folder = folder.rpartition("/")[0]
    for one in reversed(missing):
        try:
            fs.mkdir(one, create_parents=False)
        except Exception:  # of whatever type a filesystem raises where another process was quicker
            if not fs.isdir(one):
                raise


def move(fs: AbstractFileSystem, old: str, new: str, *, replace: bool) -> None:
    """Give a file its final path: one step on SFTP and local disks, and on stores whose copy is one.

    On WebDAV it is one step where nothing is replaced.
    """
    if not replace and exists(fs, new):
        raise already_exists(new)
    if _is_webdav(fs):
        from splashdown_fsspec import _webdav as webdav

        webdav.move(fs.client, old, new, replace=replace)
    elif _inherits_mv(fs):
        # The inherited mv() takes the paths for patterns.
        fs.cp_file(old, new)
        fs.rm_file(old)
    else:
        fs.mv(old, new)


def read(fs: AbstractFileSystem, path: str, start: int = 0, stop: int | None = None) -> Iterator[Buffer]:
    """The bytes ``start:stop`` of a file, fewer where it is shorter."""
    with fs.open(path, "rb") as file:
        if start:
            file.seek(start)
        at = start
        while stop is None or at < stop:
            chunk = file.read(CHUNK if stop is None else min(CHUNK, stop - at))
            if not chunk:
                return
            at += len(chunk)
            yield chunk


def walk(fs: AbstractFileSystem, folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Path relative to the folder, and metadata, of every file below it; nothing where there is no folder."""
    base = folder.strip("/")
    for path, info in sorted(_found(fs, folder).items()):
        name = path.strip("/").removeprefix(base).lstrip("/")
        if name:
            yield name, info


def _found(fs: AbstractFileSystem, folder: str) -> dict[str, dict[str, Any]]:
    """The files below a folder by their paths. Raises ``FileNotFoundError`` where they do not stay to be listed."""
    left = _LISTINGS
    while True:
        try:
            found: dict[str, dict[str, Any]] = fs.find(folder, detail=True)
            return found
        except FileNotFoundError:
            # Some servers say this of a file too that another run has renamed since its name was read.
            if not fs.isdir(folder):
                return {}
            left -= 1
            if not left:
                raise


def version(info: dict[str, Any]) -> str:
    """An ETag made of the metadata that distinguishes versions of a file; times may be whole seconds."""
    etag = info.get("etag") or info.get("ETag")
    if etag:
        return etag if str(etag).startswith(('"', "W/")) else f'"{etag}"'
    return f'"{info.get("size")}-{_when(info) or ""}"'


def mark(info: dict[str, Any]) -> str | None:
    """A mark of this version of a stored file; ``None`` where the filesystem gives neither ETag nor time."""
    return version(info) if info.get("etag") or info.get("ETag") or _when(info) else None


def _when(info: dict[str, Any]) -> Any:
    times = (info.get(name) for name in ("mtime", "modified", "LastModified", "last_modified", "created"))
    time = next((time for time in times if time is not None), None)
    # Some filesystems have a date for a single file, and seconds for it in a listing.
    return time.timestamp() if isinstance(time, dt.datetime) else time


def remove_empty(fs: AbstractFileSystem, folder: str) -> None:
    """Remove a folder that is empty; any other stays."""
    with suppress(Exception):
        if not fs.ls(folder):
            fs.rmdir(folder)
            if fs.isdir(folder):  # sshfs has rmdir() by another name only
                fs.rm(folder)


def close(fs: AbstractFileSystem) -> None:
    """Give back connections; SFTP's end with the object."""
    if _is_webdav(fs):
        with suppress(Exception):
            fs.client.http.close()


def _is_webdav(fs: AbstractFileSystem) -> bool:
    return "webdav" in fs.protocol


def _is_s3(fs: AbstractFileSystem) -> bool:
    """Whether it is s3fs, which has keys alone and a way to call the store."""
    return "s3" in fs.protocol and hasattr(fs, "call_s3")


def _inherits_mv(fs: AbstractFileSystem) -> bool:
    from fsspec import AbstractFileSystem

    # Asynchronous filesystems put their own mv() on the instance.
    return getattr(fs.mv, "__func__", None) is AbstractFileSystem.mv


class _Body(io.RawIOBase):
    """Chunks as a file to read."""

    def __init__(self, chunks: Iterable[Buffer]) -> None:
        self._chunks = iter(chunks)
        self._left = memoryview(b"")
        self.total = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            try:
                self._left = memoryview(next(self._chunks))
            except StopIteration:
                return 0
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        self.total += count
        return count

    def finish(self) -> None:
        """Ask for the end of the chunks: a body of a known size is not read past it, and the source checks there."""
        for _ in self._chunks:
            pass
