"""Fragments in a folder of this machine, which are appended to."""

from __future__ import annotations

import logging
import os
import stat
import threading
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from splashdown._folders import owner
from splashdown._folders.clock import FolderClock
from splashdown._folders.fields import LONGEST_FILE
from splashdown._folders.folder import LazyChild, OddFileError
from splashdown._receipts.fragments import EXTENSION, Fragment, lines_of
from splashdown._receipts.stored_bytes import too_large
from splashdown.errors import TargetError, error_text

_log = logging.getLogger("splashdown")

_RESERVE = ".reserve"
#: How often something is done again that another process has just undone.
_TRIES = 20


@dataclass(slots=True)
class _Seen:
    """How far a file was read, and what it said."""

    at: int = 0
    fragment: Fragment = field(default_factory=Fragment)


class FolderNotes:
    """Fragments as files that are appended to, in the hidden folder of a target.

    Raises ``TargetError`` where that folder is a link or a file. One that cannot be written costs the run nothing but
    this memory.
    """

    step = 0.0
    dear = False

    def __init__(self, folder: Path) -> None:
        self._folder = LazyChild(str(folder.parent), folder.name)
        self._clock = FolderClock(self._folder)
        self._lock = threading.Lock()
        self._name, self._descriptor, self._left = "", -1, False
        self._waiting: list[bytes] = []
        self._seen: dict[str, _Seen] = {}
        self._last: frozenset[tuple[str, int]] = frozenset()
        self._unread: set[str] = set()  #: files whose end could not be read
        self._reserve = ""
        self._beaten = time.monotonic()

    @property
    def name(self) -> str:
        """The name of the file."""
        return self._name

    def begin(self) -> None:
        """Make the file."""
        try:
            self._open(owner.new_name(EXTENSION))
        except OddFileError as error:
            raise TargetError(f"the target cannot be used: {error.strerror}") from None
        except OSError as error:
            _log.debug("what this run stores is not noted while it runs: %s", error_text(error))

    def append(self, *lines: bytes) -> None:
        """One write for all that waits, so that a crash tears the last line at most."""
        with self._lock:
            self._waiting += lines
            self._write()

    def now(self) -> float:
        """The time of the file system."""
        at = self._clock.now()
        return at if at > 0 else time.time()

    def beat(self) -> None:
        """Set the time of the file, as often as others look at it."""
        with self._lock:
            self._write()
            if time.monotonic() - self._beaten < owner.HEARTBEAT_SECONDS:
                return
            self._beaten = time.monotonic()
            with suppress(OSError):
                self._folder.get().touch(self._name)

    def read(self, known: Collection[str] = ()) -> tuple[dict[str, Fragment], bool]:
        """Lines appended since are read; a live process is known by the name of its file."""
        for _ in range(_TRIES):
            active, found, last = False, dict[str, Fragment](), set[tuple[str, int]]()
            try:
                for name, state in self._files():
                    if name in known:
                        found[name] = Fragment()
                        last.add((name, state.st_size))
                        continue
                    active = active or not owner.is_left_behind(name, state.st_mtime, self._clock.now)
                    found[name] = self._read(name)
                    last.add((name, self._seen[name].at))
            except FileNotFoundError:  # it got another name since it was listed
                continue
            self._last = frozenset(last)
            # Nothing is removed in doubt, and what was not read may say anything.
            return found, active or not self._unread.isdisjoint(found)
        return found, True

    def seen(self) -> frozenset[tuple[str, int]]:
        """Names and lengths of the files."""
        return self._last

    def leave(self) -> None:
        """Give the file a name that says that it is free."""
        self._left = self._rename(owner.free_name(EXTENSION))

    def retake(self) -> bool:
        """Give it a name of this process again."""
        taken = self._rename(owner.new_name(EXTENSION))
        self._left = self._left and not taken
        return taken

    def drop(self, names: Sequence[str]) -> None:
        """Remove files."""
        with self._lock, suppress(OSError):
            folder = self._folder.get()
            for name in (*names, self._name):
                with suppress(OSError):
                    folder.unlink(name)
            self._name = ""

    def close(self) -> None:
        """Close the file, and remove the folder where it is empty."""
        self.release()
        # Once more would give it a name that the one who unites it now does not know.
        if self._name and not self._left:
            self.beat()
            self.leave()
        with self._lock:
            descriptor, self._descriptor = self._descriptor, -1
            if descriptor >= 0:
                os.close(descriptor)
        self._folder.drop()

    def reserve(self, size: int) -> None:
        """Make a file of this size; one that a dead process has left is removed."""
        with suppress(OSError):
            folder = self._folder.get()
            owner.remove_left_behind(folder, _RESERVE, self._clock.now)
            if not self._name or not hasattr(os, "posix_fallocate"):
                return
            self._reserve = owner.new_name(_RESERVE)
            descriptor = folder.create(self._reserve, mode=0o600)
            try:
                os.posix_fallocate(descriptor, 0, size)
            finally:
                os.close(descriptor)

    def release(self) -> None:
        """Remove that file; what waits for room is written."""
        name, self._reserve = self._reserve, ""
        if name:
            with suppress(OSError):
                self._folder.get().unlink(name)
            with self._lock:
                self._write()

    def _open(self, name: str) -> None:
        for left in reversed(range(_TRIES)):
            try:
                self._descriptor = self._folder.get(make=True).create(name, os.O_APPEND, 0o600)
            except FileNotFoundError:  # another process has finished just now and taken the folder with it
                self._folder.close()
                if not left:
                    raise
            else:
                self._name = name
                return

    def _write(self) -> None:
        if self._descriptor < 0 or not self._waiting:
            return
        data = b"".join(self._waiting)
        try:
            if os.write(self._descriptor, data) == len(data):
                self._waiting.clear()
                return
            os.write(self._descriptor, b"\n")  # the torn line must not spoil the next one
        except OSError as error:  # a full disk has room again, at the latest when the reserve is given back
            _log.debug("a note waits for the next one: %s", error_text(error))

    def _rename(self, name: str) -> bool:
        with self._lock:
            try:
                folder = self._folder.get()
                folder.rename(self._name, folder, name)
            except OSError:
                return False
            self._name = name
            return True

    def _files(self) -> list[tuple[str, os.stat_result]]:
        try:
            found = sorted(self._folder.get().scan(), key=lambda each: each[0])
        except OddFileError as error:
            raise TargetError(f"the target cannot be used: {error.strerror}") from None
        except OSError:
            return []
        return [
            (name, state)
            for name, state in found
            if name != self._name and owner.is_name(name, EXTENSION) and stat.S_ISREG(state.st_mode)
        ]

    def _read(self, name: str) -> Fragment:
        with self._lock:
            seen = self._seen.setdefault(name, _Seen())
            try:
                with os.fdopen(self._folder.get().open(name), "rb") as file:
                    if os.fstat(file.fileno()).st_size > LONGEST_FILE:
                        raise too_large(name, f"more than {LONGEST_FILE // 2**20} MiB")
                    file.seek(seen.at)
                    for line in lines_of(file):
                        seen.fragment.add([line])
                        seen.at += len(line)
                self._unread.discard(name)
            except FileNotFoundError:
                raise
            except OSError as error:
                if name not in self._unread:
                    _log.warning("what another run noted cannot be read, and is kept: %s", error_text(error))
                self._unread.add(name)
            return seen.fragment
