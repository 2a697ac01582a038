"""Fragments in a store, which cannot append: sequences of small objects, the newest replaced by a longer one."""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import suppress

from splashdown._folders import owner
from splashdown._receipts import document as receipt
from splashdown._receipts.fragments import EXTENSION, Fragment, alive_line, free_line
from splashdown._receipts.names import HIDDEN
from splashdown._receipts.stored_bytes import read_bytes
from splashdown.errors import SplashdownError, TargetError, error_text
from splashdown.protocols import Sink, SupportsStat

_log = logging.getLogger("splashdown")

#: An object holds so many lines, then the next one begins.
_STEP_LINES = 500
#: How long a store is left alone that has refused a line; others see what was noted after that at the latest.
STEP_SECONDS = 5.0
#: Waits before another look, in seconds, where an object may be missing for a moment: WebDAV replaces in two steps.
_GONE_WAITS = (0.05, 0.1, 0.2)

_SEGMENT = re.compile(re.escape(HIDDEN) + r"/([0-9a-f]{16})-([0-9]{6})\.records")


class ObjectNotes:
    """Fragments as sequences of small objects, because a store cannot append: the newest is replaced by a longer one.

    The first object only shows that the run is there. It is never replaced, so that every listing has it, also of a
    store in which an object that is being replaced is missing for a moment. Lines of several threads go out together.
    One that waits for its turn costs no request of its own.
    """

    step = STEP_SECONDS
    dear = True

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._id = os.urandom(8).hex()
        self._lock = threading.Lock()
        self._writing = threading.Lock()  #: held while an object is stored; lines may be added meanwhile
        self._waiting: list[bytes] = []
        self._lines: list[bytes] = []  #: of the newest object, as far as it is stored
        self._added = self._stored = 0
        self._number, self._since = 0, time.monotonic()
        self._failed = self._begun = False
        self._seen: dict[tuple[str, int], list[bytes]] = {}
        self._gone = self._free = False
        self._listable = False  #: whether the store could be listed once; some users may not
        self._ahead: float | None = None  #: seconds that the store's clock is ahead of the monotonic one
        self._last: frozenset[tuple[str, int]] = frozenset()
        self._unread: set[str] = set()  #: objects that could not be read
        self._active: frozenset[str] = frozenset()  #: the newest objects of runs that were active at the last look
        #: The newest objects of runs of which the last look may have missed one, and those for which that was doubted.
        self._incomplete: frozenset[str] = frozenset()
        self._doubted: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The name that its objects share."""
        return self._id if self._begun and not self._gone else ""

    def begin(self) -> None:
        """Store the first object: it shows that this run is active."""
        self._flush()

    def append(self, *lines: bytes) -> None:
        """Store lines: a file that got its name before that would be unknown to the next run after a kill."""
        with self._lock:
            self._waiting += lines
            self._added += len(lines)
            mine = self._added
        with self._writing:
            # Another thread may have stored it with its own. A store that refused a moment ago is not asked each time.
            if mine > self._stored and not (self._failed and time.monotonic() - self._since < STEP_SECONDS):
                self._flush_now(free=False)

    def now(self) -> float:
        """The time of the store once it was needed, the machine's before."""
        return time.time() if self._ahead is None else time.monotonic() + self._ahead

    def beat(self) -> None:
        """Store the newest object again, where lines wait or others would take this run for dead."""
        since = time.monotonic() - self._since
        if (self._waiting and since >= STEP_SECONDS) or since >= owner.HEARTBEAT_SECONDS:
            self._flush()

    def read(self, known: Collection[str] = ()) -> tuple[dict[str, Fragment], bool]:
        """What other runs have noted, and whether one of them is active.

        A run whose newest object is gone has ended, or the store is just about to replace it: another look will show.
        That is tried once for what stays as it is: a run may have begun and noted nothing.
        """
        before = self._active
        for wait in _GONE_WAITS:
            found, active = self._look(known)
            if before <= {name for name, size in self._last if size} and self._incomplete <= self._doubted:
                break
            time.sleep(wait)
        else:
            found, active = self._look(known)
        self._doubted = self._incomplete
        return found, active

    def _look(self, known: Collection[str]) -> tuple[dict[str, Fragment], bool]:
        """List the objects, and read the new ones; the newest of each run may change and keep its length."""
        every = self._listed()
        if every is None:  # it could be listed before: in doubt others are active, and nothing of theirs is removed
            return {}, True
        listed = [one for one in every if one[0] != self._id]
        newest = {run: name for run, name, _ in listed}
        counts = Counter(run for run, _, _ in listed)
        found: dict[str, Fragment] = {}
        last: set[tuple[str, int]] = set()
        incomplete: set[str] = set()
        for run, name, size in listed:
            if run in known:
                found.setdefault(run, Fragment())
                last.add((name, size))
                continue
            lines = self._read(name, size, again=newest[run] == name)
            found.setdefault(run, Fragment()).add(lines)
            last.add((name, sum(map(len, lines))))
            if newest[run] == name:
                # None is missing, and the run does not go on with the one after it.
                whole = name == _segment(run, counts[run] - 1) and counts[run] > 1 and len(lines) <= _STEP_LINES
                incomplete.update(() if whole else [name])
        self._last, self._incomplete = frozenset(last), frozenset(incomplete)
        lives = (newest[run] for run, one in found.items() if one.alive and self._lives(newest[run], one.alive))
        self._active = frozenset(lives)
        # Nothing is removed in doubt, and what was not read may say anything.
        return found, bool(self._active) or not self._unread.isdisjoint(name for _, name, _ in listed)

    def seen(self) -> frozenset[tuple[str, int]]:
        """Names and lengths of the objects."""
        return self._last

    def leave(self) -> None:
        """Say so at the end of the newest object."""
        self._flush(free=True)

    def retake(self) -> bool:
        """Take that back, where the objects are still there."""
        if not any(run == self._id for run, _, _ in self._listed() or ()):
            return False
        self._flush()
        return True

    def drop(self, names: Sequence[str]) -> None:
        """Remove objects; what a store keeps does no harm."""
        with self._writing:
            self._gone = True
        for run, name, _ in reversed(self._listed() or ()):
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
            receipt.store_bytes(self._sink, _segment(self._id, self._number), data, "application/x-ndjson")
        except (OSError, SplashdownError) as error:
            self._failed = True
            _log.debug("what this run stores is not noted yet: %s", error_text(error))
            return
        with self._lock:
            del self._waiting[: len(waiting)]
        self._failed, self._begun, self._free = False, True, free
        self._stored, self._lines = added, lines
        if self._number == 0 or len(lines) >= _STEP_LINES:
            self._number, self._lines = self._number + 1, []

    def _lives(self, name: str, alive: float) -> bool:
        """Whether the newest object of a run was stored lately, by the store's clock where it has one.

        The line in it says the time of the run's own machine, which may be hours off.
        """
        stored = self._modified(name)
        if stored is None or (self._ahead is None and not self._ask_the_time()):
            return time.time() - alive < owner.STALE_SECONDS
        return self.now() - stored < owner.STALE_SECONDS

    def _ask_the_time(self) -> bool:
        """Compare the clocks: by an object of this run, stored just now."""
        if not self._begun or self._gone:
            return False
        number = self._number
        self._flush(free=self._free)
        stored = self._modified(_segment(self._id, number))
        if stored is not None:
            self._ahead = stored - time.monotonic()  # not what it was before: in doubt others count as alive
        return stored is not None

    def _modified(self, name: str) -> float | None:
        with suppress(OSError, SplashdownError):
            found = self._sink.stat(name) if isinstance(self._sink, SupportsStat) else None
            return found.modified if found else None
        return None

    def _listed(self) -> list[tuple[str, str, int]] | None:
        """Run, name and size of each object; ``None`` where the store could be listed before, and now cannot."""
        try:
            listed = sorted(self._sink.list(f"{HIDDEN}/"))  # type: ignore[attr-defined]  # notes_of() asks
        except (OSError, SplashdownError):
            return None if self._listable else []
        self._listable = True
        return [(found[1], name, size) for name, size in listed if (found := _SEGMENT.fullmatch(name))]

    def _read(self, name: str, size: int, *, again: bool) -> list[bytes]:
        if again or (name, size) not in self._seen:
            try:
                data = read_bytes(self._sink, name) or b""  # type: ignore[arg-type]  # see drop()
            except TargetError as error:
                if name not in self._unread:
                    _log.warning("what another run noted cannot be read, and is kept: %s", error_text(error))
                self._unread.add(name)
                return []
            self._unread.discard(name)
            self._seen[name, size] = data.splitlines(keepends=True)
        return self._seen[name, size]


def _segment(run: str, number: int) -> str:
    return f"{HIDDEN}/{run}-{number:06}{EXTENSION}"
