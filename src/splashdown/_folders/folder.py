"""A folder that is held open: what is made, read, moved and removed in it is in it, and is never reached by a link.

The folder that a person names may be a link itself. Below it each segment of a path is opened from the one before
(``openat`` with ``O_NOFOLLOW``), so that a name which becomes a link in the middle of a run leads nowhere. Windows
cannot open relative to a folder: there each segment is looked at first, and links are refused.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Self

#: Whether names can be reached relative to an open folder; Windows cannot.
RELATIVE = {os.open, os.mkdir, os.rename, os.unlink, os.rmdir, os.stat} <= os.supports_dir_fd
#: Opening a pipe must not wait for its other end, and a child process inherits nothing.
_GUARDS = (
    getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
#: ``O_PATH`` needs no right to list the folder.
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _GUARDS


class OddFileError(OSError):
    """Something that is not a regular file (a link, a pipe, a device), where only one is taken."""

    def __init__(self, place: str, mode: int) -> None:
        super().__init__(errno.EINVAL, f"{place} is {_kind(mode)}, which is never followed or opened; move it away")


class Folder:
    """One open folder. Every method takes a name in it, never a path; any thread may use it until ``close``."""

    __slots__ = ("_descriptor", "path")

    def __init__(self, path: str, descriptor: int | None) -> None:
        self.path = path  #: for messages and locations
        self._descriptor = descriptor

    @classmethod
    def named(cls, path: str, *, make: bool = False) -> Self:
        """The folder that a person names, through links where there are any; with ``make`` it is made."""
        if make:
            os.makedirs(path, exist_ok=True)  # noqa: PTH103 - a path object costs more than the call it is for
        if RELATIVE:
            return cls(path, os.open(path, _FOLDER))
        os.stat(path)  # noqa: PTH116 - see above
        return cls(path, None)

    def child(self, name: str, *, make: bool = False) -> Folder:
        """A folder in this one. Raises ``OddFileError`` where the name is a link or a file."""
        where, at = self._at(name)
        try:
            return self._open_child(name, where, at)
        except FileNotFoundError:
            if not make:
                raise
        with suppress(FileExistsError):  # another thread or process was quicker
            os.mkdir(where, dir_fd=at)
        return self._open_child(name, where, at)

    def reach(self, path: str, *, make: bool = False) -> tuple[Folder, str]:
        """The folder of a relative path, and the last segment: the caller closes the folder unless it is this one."""
        folder = self
        *segments, last = path.split("/")
        for segment in segments:
            try:
                below = folder.child(segment, make=make)
            finally:
                if folder is not self:
                    folder.close()
            folder = below
        return folder, last

    def create(self, name: str, flags: int = 0, mode: int = 0o666) -> int:
        """A descriptor of a new file, to be written; its mode is what the umask leaves of ``mode``."""
        if RELATIVE:
            return os.open(name, _CREATE | flags, mode, dir_fd=self._descriptor)
        return os.open(self._at(name)[0], _CREATE | flags, mode)

    def open(self, name: str, flags: int = os.O_RDONLY) -> int:
        """A descriptor of a regular file. Raises ``OddFileError`` for anything else."""
        where, at = self._at(name)
        if not RELATIVE:
            self._refuse_odd(name)
        try:
            number = os.open(where, flags | _GUARDS, dir_fd=at)
        except OSError as error:
            if error.errno in {errno.ELOOP, errno.ENXIO, errno.EMLINK}:
                self._refuse_odd(name)
            raise
        mode = os.fstat(number).st_mode
        if not stat.S_ISREG(mode):
            os.close(number)
            raise OddFileError(f"{self.path}{os.sep}{name}", mode)
        return number

    def stat(self, name: str) -> os.stat_result:
        """The status of the name itself; a link is not followed."""
        if RELATIVE:
            return os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        return os.stat(self._at(name)[0], follow_symlinks=False)  # noqa: PTH116 - as the rest of this module

    def rename(self, name: str, to: Folder, new: str) -> None:
        """Give a file another name, replacing what has it."""
        if RELATIVE:  # here and above without a call, as thousands of files pass here
            os.replace(name, new, src_dir_fd=self._descriptor, dst_dir_fd=to._descriptor)
        else:
            os.replace(self._at(name)[0], to._at(new)[0])  # noqa: PTH105 - as the rest of this module

    def link(self, name: str, to: Folder, new: str) -> None:
        """Give a file a second name, which must be free."""
        (where, at), (there, into) = self._at(name), to._at(new)
        os.link(where, there, src_dir_fd=at, dst_dir_fd=into, follow_symlinks=False) if RELATIVE else os.link(
            where, there
        )

    def unlink(self, name: str) -> None:
        """Remove a file, or a link and not what it leads to."""
        where, at = self._at(name)
        os.unlink(where, dir_fd=at)

    def rmdir(self, name: str) -> None:
        """Remove an empty folder."""
        where, at = self._at(name)
        os.rmdir(where, dir_fd=at)

    def touch(self, name: str) -> None:
        """Set the times of a file to now."""
        where, at = self._at(name)
        if RELATIVE:
            os.utime(where, dir_fd=at, follow_symlinks=False)
        else:
            os.utime(where)

    def names(self) -> list[str]:
        """All names in the folder, sorted."""
        return sorted(name for name, _ in self.scan())

    def scan(self) -> Iterator[tuple[str, os.stat_result]]:
        """Names in the folder with what they are themselves; one that goes meanwhile is left out."""
        listed: int | str = self.path
        if self._descriptor is not None:
            listed = os.open(".", os.O_RDONLY | getattr(os, "O_DIRECTORY", 0), dir_fd=self._descriptor)
        try:
            with os.scandir(listed) as entries:
                for entry in entries:
                    with suppress(FileNotFoundError):
                        yield entry.name, entry.stat(follow_symlinks=False)
        finally:
            if isinstance(listed, int):
                os.close(listed)

    def walk(self, prefix: str = "", *, skip: str = "") -> Iterator[tuple[str, os.stat_result]]:
        """Path and state of every regular file below, links not followed; ``skip`` is a folder in this one."""
        for name, found in sorted(self.scan(), key=lambda each: each[0]):
            if name == skip:
                continue
            if stat.S_ISREG(found.st_mode):
                yield prefix + name, found
            elif stat.S_ISDIR(found.st_mode):
                with suppress(FileNotFoundError, OddFileError), self.child(name) as below:
                    yield from below.walk(f"{prefix}{name}/")

    def sync(self) -> None:
        """Bring the folder's own entries to stable storage; Windows has no way to."""
        if self._descriptor is None:
            return
        descriptor = os.open(".", os.O_RDONLY, dir_fd=self._descriptor)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Give the folder back."""
        number, self._descriptor = self._descriptor, None
        if number is not None:
            os.close(number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _at(self, name: str) -> tuple[str, int | None]:
        return (name, self._descriptor) if RELATIVE else (f"{self.path}{os.sep}{name}", None)

    def _open_child(self, name: str, where: str, at: int | None) -> Folder:
        path = f"{self.path}{os.sep}{name}"
        if not RELATIVE:
            found = self.stat(name)
            if not stat.S_ISDIR(found.st_mode) or _is_link(found):
                raise OddFileError(path, found.st_mode)
            return Folder(path, None)
        try:
            return Folder(path, os.open(where, _FOLDER | getattr(os, "O_NOFOLLOW", 0), dir_fd=at))
        except OSError as error:
            if error.errno in {errno.ELOOP, errno.ENOTDIR, errno.EMLINK}:
                raise OddFileError(path, self.stat(name).st_mode) from None
            raise

    def _refuse_odd(self, name: str) -> None:
        found = self.stat(name)
        if not stat.S_ISREG(found.st_mode) or _is_link(found):
            raise OddFileError(f"{self.path}{os.sep}{name}", found.st_mode)


class LazyFolder:
    """A folder that is opened when it is first needed, and again after ``close``."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = threading.Lock()
        self.folder: Folder | None = None  #: the folder where it is open, for callers that have thousands of files

    def get(self, *, make: bool = False) -> Folder:
        """The folder. Raises ``FileNotFoundError`` where there is none and none is to be made."""
        if (folder := self.folder) is not None:
            return folder
        with self._lock:
            if self.folder is None:
                self.folder = self._opened(make=make)
            return self.folder

    def close(self) -> None:
        """Give the folder back."""
        with self._lock:
            folder, self.folder = self.folder, None
        if folder is not None:
            folder.close()

    def _opened(self, *, make: bool) -> Folder:
        return Folder.named(self.path, make=make)


class LazyChild(LazyFolder):
    """The same for a folder in a folder: the outer one may be a link, the inner one may not."""

    def __init__(self, path: str, name: str) -> None:
        super().__init__(path)
        self._name = name
        self._outer_is_new = False

    def _opened(self, *, make: bool) -> Folder:
        self._outer_is_new = self._outer_is_new or (make and not os.path.lexists(self.path))
        with Folder.named(self.path, make=make) as outer:
            return outer.child(self._name, make=make)

    def drop(self) -> None:
        """Give the folder back, and remove it where it is empty."""
        self.close()
        with suppress(OSError), Folder.named(self.path) as outer:
            outer.rmdir(self._name)
        if self._outer_is_new:
            with suppress(OSError):  # it holds files, as it should: only a run that stored nothing leaves it empty
                os.rmdir(self.path)  # noqa: PTH106 - as the rest of this module


def _is_link(found: os.stat_result) -> bool:
    # A junction of Windows is a folder with a reparse point.
    return stat.S_ISLNK(found.st_mode) or bool(getattr(found, "st_reparse_tag", 0))


def kind_of_file(found: os.stat_result) -> str:
    """The kind of a file, for a message."""
    return _kind(found.st_mode)


def _kind(mode: int) -> str:
    kinds = (
        (stat.S_ISLNK, "a symbolic link"),
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISREG, "a file"),
    )
    return next((text for is_kind, text in kinds if is_kind(mode)), "a device")
