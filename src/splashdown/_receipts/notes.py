"""Where fragments are: appended to in a folder of this machine, or stored step by step as objects of a store.

A run writes its own fragment and reads those of others. Who may remove one is decided in ``memory``.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import stat
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from splashdown._folders import owner
from splashdown._folders.folder import LazyChild, OddFileError
from splashdown._receipts import document as receipt
from splashdown._receipts.fragments import Fragment, alive_line, free_line, lines_of
from splashdown._receipts.names import HIDDEN
from splashdown.errors import SplashdownError, TargetError, error_text
from splashdown.protocols import Sink, SupportsList, SupportsRead, SupportsState

_log = logging.getLogger("splashdown")

_EXTENSION, _RESERVE = ".records", ".reserve"
#: An object of a fragment in a store holds so many lines, then the next one begins.
_STEP_LINES = 500
#: How often something is done again that another process has just undone.
_TRIES = 20
STEP_SECONDS = 5.0


class Notes(Protocol):
    """The fragments of one target, as one run sees them. Any thread may append."""

    step: float  #: seconds until others see what was appended

    def begin(self) -> None:
        """Make this run's own fragment, which says that it is active."""

    def append(self, line: bytes) -> None:
        """Note a line. One that cannot be written now is kept for the next time."""

    def beat(self) -> None:
        """Show that the run is active, and write what waits for it."""

    def read(self) -> tuple[dict[str, Fragment], bool]:
        """The fragments of the others, by their names, and whether one of them is active."""

    def seen(self) -> frozenset[tuple[str, int]]:
        """How far the last ``read`` went: equal where nothing was written since the one before."""

    def leave(self) -> None:
        """Give this run's own fragment to the last one."""

    def retake(self) -> bool:
        """Be active again; false where the fragment is gone: another run has united it."""

    def drop(self, names: Sequence[str]) -> None:
        """Remove this run's own fragment, and those of others that no receipt needs any more."""

    def close(self) -> None:
        """Give back what is open; a fragment that was not dropped is left to the next run."""

    def reserve(self, size: int) -> None:
        """Keep room for a receipt, where that can be done."""

    def release(self) -> None:
        """Give the room back."""


def notes_of(sink: Sink) -> Notes | None:
    """Where the fragments of a target are; ``None`` for a sink that can keep none, or cannot read them again."""
    folder = sink.state_dir if isinstance(sink, SupportsState) else None
    if folder is not None:
        return FolderNotes(folder)
    if isinstance(sink, SupportsList) and isinstance(sink, SupportsRead):
        return ObjectNotes(sink)
    return None


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

    def __init__(self, folder: Path) -> None:
        self._folder = LazyChild(str(folder.parent), folder.name)
        self._lock = threading.Lock()
        self._name, self._descriptor, self._left = "", -1, False
        self._waiting: list[bytes] = []
        self._seen: dict[str, _Seen] = {}
        self._last: frozenset[tuple[str, int]] = frozenset()
        self._reserve = ""
        self._beaten = time.monotonic()

    def begin(self) -> None:
        """Make the file."""
        try:
            self._open(owner.new_name(_EXTENSION))
        except OddFileError as error:
            raise TargetError(f"the target cannot be used: {error.strerror}") from None
        except OSError as error:
            _log.debug("what this run stores is not noted while it runs: %s", error_text(error))

    def append(self, line: bytes) -> None:
        """One write for all that waits, so that a crash tears the last line at most."""
        with self._lock:
            self._waiting.append(line)
            self._write()

    def beat(self) -> None:
        """Set the time of the file, as often as others look at it."""
        with self._lock:
            self._write()
            if time.monotonic() - self._beaten < owner.HEARTBEAT_SECONDS:
                return
            self._beaten = time.monotonic()
            with suppress(OSError):
                self._folder.get().touch(self._name)

    def read(self) -> tuple[dict[str, Fragment], bool]:
        """Lines appended since are read; a live process is known by the name of its file."""
        for _ in range(_TRIES):
            active, found = False, dict[str, Fragment]()
            try:
                for name, state in self._files():
                    active = active or not owner.is_left_behind(name, state.st_mtime)
                    found[name] = self._read(name)
            except FileNotFoundError:  # it got another name since it was listed
                continue
            self._last = frozenset((name, self._seen[name].at) for name in found)
            return found, active
        return found, True

    def seen(self) -> frozenset[tuple[str, int]]:
        """Names and lengths of the files."""
        return self._last

    def leave(self) -> None:
        """Give the file a name that says that it is free."""
        self._left = self._rename(owner.free_name(_EXTENSION))

    def retake(self) -> bool:
        """Give it a name of this process again."""
        taken = self._rename(owner.new_name(_EXTENSION))
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
            for name, state in [*folder.scan()]:
                if owner.is_name(name, _RESERVE) and owner.is_left_behind(name, state.st_mtime):
                    folder.unlink(name)
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
            if name != self._name and owner.is_name(name, _EXTENSION) and stat.S_ISREG(state.st_mode)
        ]

    def _read(self, name: str) -> Fragment:
        with self._lock:
            seen = self._seen.setdefault(name, _Seen())
            try:
                with os.fdopen(self._folder.get().open(name), "rb") as file:
                    file.seek(seen.at)
                    for line in lines_of(file):
                        seen.fragment.add([line])
                        seen.at += len(line)
            except FileNotFoundError:
                raise
            except OSError as error:
                _log.debug("what another run noted cannot be read: %s", error_text(error))
            return seen.fragment


_SEGMENT = re.compile(re.escape(HIDDEN) + r"/([0-9a-f]{16})-([0-9]{6})\.records")


class ObjectNotes:
    """Fragments as sequences of small objects, because a store cannot append: the newest is replaced by a longer one.

    Lines of several threads go out together. One that waits for its turn costs no request of its own.
    """

    step = STEP_SECONDS

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._id = secrets.token_hex(8)
        self._lock = threading.Lock()
        self._writing = threading.Lock()  #: held while an object is stored; lines may be added meanwhile
        self._waiting: list[bytes] = []
        self._lines: list[bytes] = []  #: of the newest object, as far as it is stored
        self._added = self._stored = 0
        self._number, self._since = 0, time.monotonic()
        self._failed = self._begun = False
        self._seen: dict[tuple[str, int], list[bytes]] = {}
        self._gone = self._free = False
        self._last: frozenset[tuple[str, int]] = frozenset()

    def begin(self) -> None:
        """Store the first object."""
        self._flush()

    def append(self, line: bytes) -> None:
        """Store the line: a file that got its name before that would be unknown to the next run after a kill."""
        with self._lock:
            self._waiting.append(line)
            self._added += 1
            mine = self._added
        with self._writing:
            # Another thread may have stored it with its own. A store that refused a moment ago is not asked each time.
            if mine > self._stored and not (self._failed and time.monotonic() - self._since < STEP_SECONDS):
                self._flush_now(free=False)

    def beat(self) -> None:
        """Store the newest object again, where lines wait or others would take this run for dead."""
        since = time.monotonic() - self._since
        if (self._waiting and since >= STEP_SECONDS) or since >= owner.HEARTBEAT_SECONDS:
            self._flush()

    def read(self) -> tuple[dict[str, Fragment], bool]:
        """List the objects, and read the new ones; the newest of each run may change and keep its length."""
        listed = [one for one in self._listed() if one[0] != self._id]
        newest = {run: name for run, name, _ in listed}
        found: dict[str, Fragment] = {}
        last = set()
        for run, name, size in listed:
            lines = self._read(name, size, again=newest[run] == name)
            found.setdefault(run, Fragment()).add(lines)
            last.add((name, sum(map(len, lines))))
        self._last = frozenset(last)
        return found, any(time.time() - one.alive < owner.STALE_SECONDS for one in found.values())

    def seen(self) -> frozenset[tuple[str, int]]:
        """Names and lengths of the objects."""
        return self._last

    def leave(self) -> None:
        """Say so at the end of the newest object."""
        self._flush(free=True)

    def retake(self) -> bool:
        """Take that back, where the objects are still there."""
        if not any(run == self._id for run, _, _ in self._listed()):
            return False
        self._flush()
        return True

    def drop(self, names: Sequence[str]) -> None:
        """Remove objects; what a store keeps does no harm."""
        with self._writing:
            self._gone = True
        for run, name, _ in reversed(self._listed()):
            if run == self._id or run in names:
                with suppress(OSError, SplashdownError):
                    self._sink.delete(name)  # type: ignore[attr-defined]  # notes_of() asks

    def close(self) -> None:
        """Store what waits, and say that the run has ended."""
        if self._begun and (self._waiting or not self._free):
            self._flush(free=True)

    def reserve(self, size: int) -> None:
        """A store has no room to keep."""

    def release(self) -> None:
        """So there is none to give back."""

    def _flush(self, *, free: bool = False) -> None:
        with self._writing:
            self._flush_now(free=free)

    def _flush_now(self, *, free: bool) -> None:
        if self._gone or self._number > 999_999:
            return
        with self._lock:
            added, waiting = self._added, tuple(self._waiting)
        lines = [*self._lines, *waiting]
        data = b"".join([*lines, free_line() if free else alive_line(time.time())])
        self._since = time.monotonic()
        try:
            receipt.store_bytes(self._sink, self._segment(self._number), data, "application/x-ndjson")
        except (OSError, SplashdownError) as error:
            self._failed = True
            _log.debug("what this run stores is not noted yet: %s", error_text(error))
            return
        with self._lock:
            del self._waiting[: len(waiting)]
        self._failed, self._begun, self._free = False, True, free
        self._stored, self._lines = added, lines
        if len(lines) >= _STEP_LINES:
            self._number, self._lines = self._number + 1, []

    def _segment(self, number: int) -> str:
        return f"{HIDDEN}/{self._id}-{number:06}{_EXTENSION}"

    def _listed(self) -> list[tuple[str, str, int]]:
        try:
            listed = sorted(self._sink.list(f"{HIDDEN}/"))  # type: ignore[attr-defined]  # notes_of() asks
        except (OSError, SplashdownError):
            return []
        return [(found[1], name, size) for name, size in listed if (found := _SEGMENT.fullmatch(name))]

    def _read(self, name: str, size: int, *, again: bool) -> list[bytes]:
        if again or (name, size) not in self._seen:
            try:
                data = receipt.read_bytes(self._sink, name) or b""  # type: ignore[arg-type]  # see drop()
            except TargetError:
                return []
            self._seen[name, size] = data.splitlines(keepends=True)
        return self._seen[name, size]
