"""One thread that has many small files under way: it asks for each, and stores what has come.

Threads with a file each mostly wait for each other's turn of the interpreter, at every call of the system. So small
files are gathered in one thread as long as that hardly waits but for answers. What may wait (a file of another kind, an
answer that is unusual or late, a name that is taken) goes to a thread of its own, in the general way. Where storing
takes longer than computing, the run goes on with a thread for each file.
"""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable, Container, Sequence
from typing import Protocol, TypeAlias

from splashdown._engine.schedule import Schedule
from splashdown._engine.small import Asked, Handover, Raised, Step, StraightLine, given
from splashdown.model import Outcome, Transfer

#: So long at most the thread waits for an answer before it looks whether more files may begin.
_TICK_MS = 20
#: An answer that takes longer is waited for in a thread of its own.
_LATE_SECONDS = 1.0
#: Over so many seconds is measured where the time goes.
_SPAN_SECONDS = 0.25
#: A thread that computes less than this share of the time, and waits for answers less, is held up by the target.
_COMPUTING, _WAITING = 0.2, 0.3
#: So many files of one while that went the general way, and twice as many as did not, are most files of the run.
_MANY = 32

#: Where a transfer is in the plan, and its host.
Taken: TypeAlias = tuple[int, str]


#: A file that was asked for, with its place in the plan and its host; a plain tuple, as there are thousands.
_UnderWay: TypeAlias = tuple[int, str, Asked]


class Apart(Protocol):
    """Moves a transfer in another thread."""

    def __call__(self, number: int, host: str, step: Step, *, known: bool) -> None:
        """Begin with a step; with ``known`` its connection is not new, so its seconds say how fast the host is."""


class Gathered:
    """The small files of one run that are under way at a time."""

    def __init__(
        self,
        straight: StraightLine,
        schedule: Schedule,
        transfers: Sequence[Transfer],
        *,
        shared: Container[int],
        stop: threading.Event,
        ended: Callable[[int, str, Outcome], None],
        apart: Apart,
    ) -> None:
        """``ended`` gets each outcome; of ``shared`` transfers the bytes are those of others as well."""
        self._straight, self._schedule, self._transfers, self._shared = straight, schedule, transfers, shared
        self._stop, self._ended, self._apart = stop, ended, apart
        self._files: dict[int, _UnderWay] = {}  #: by descriptor
        self._poll = select.poll()
        self._span = _Span()

    def run(self, taken: Taken | None) -> Taken | None:
        """Move files, from one that was taken on; the one that the thread goes on with alone, ``None`` at the end."""
        while self._straight.asks and not self._span.is_in_vain and not self._stop.is_set():
            while taken is not None:
                self._begin(*taken)
                taken = self._schedule.take(wait=False)
            if self._files:
                self._look()
                taken = self._schedule.take(wait=False)
            elif (taken := self._schedule.take()) is None:
                return None
        for descriptor, one in list(self._files.items()):
            if self._stop.is_set():
                self._straight.give_up(one[2])
            else:
                self._wait_apart(descriptor, one)
        return taken or self._schedule.take()

    def _begin(self, number: int, host: str) -> None:
        transfer = self._transfers[number]
        found: Asked | Handover | Raised | None = None
        if number not in self._shared:
            try:
                found = self._straight.ask(transfer)
            except BaseException as error:
                found = Raised(error)
        if isinstance(found, Asked):
            descriptor = found.answer.fileno()
            self._files[descriptor] = (number, host, found)
            self._poll.register(descriptor, select.POLLIN)
        else:
            self._leave(number, host, found)

    def _leave(self, number: int, host: str, found: Handover | Raised | None) -> None:
        """Have another thread move a transfer, which may wait."""
        self._span.left += 1
        step = self._straight.move if found is None else found if isinstance(found, Raised) else given(found)
        self._apart(number, host, step, known=isinstance(found, Handover) and found.first is not None)

    def _wait_apart(self, descriptor: int, one: _UnderWay) -> None:
        """Have another thread wait for an answer."""
        del self._files[descriptor]
        self._span.left += 1
        number, host, asked = one
        self._apart(number, host, lambda _: self._straight.rest(asked), known=True)

    def _look(self) -> None:
        """Store what has come."""
        begun = time.perf_counter()
        ready = self._poll.poll(_TICK_MS)
        now = time.perf_counter()
        self._span.waited += now - begun
        for descriptor, _ in ready:
            one = self._files.get(descriptor)
            if one is None:  # of a file that has ended; nothing was asked on its connection since
                self._poll.unregister(descriptor)
            else:
                self._take(descriptor, one)
        if self._span.ends(now) or not ready:
            for descriptor, one in list(self._files.items()):
                if now - one[2].begun > _LATE_SECONDS:
                    self._wait_apart(descriptor, one)

    def _take(self, descriptor: int, one: _UnderWay) -> None:
        number, host, asked = one
        found: Outcome | Handover | Raised | None
        try:
            found = self._straight.take(asked)
        except BaseException as error:
            found = Raised(error)
        if found is None:
            if asked.answer.unusual:
                self._wait_apart(descriptor, one)
            return
        del self._files[descriptor]
        if not isinstance(found, Outcome):
            self._leave(number, host, found)
            return
        self._span.moved += 1
        self._ended(number, host, found)
        taken = self._schedule.exchange(host, found.seconds, found.bytes_moved, wait=False)
        if taken is not None:
            self._begin(*taken)


class _Span:
    """Where the time of the thread goes, over a while."""

    def __init__(self) -> None:
        self.is_in_vain = False  #: whether a thread for each file would do better
        self._restart(time.perf_counter())

    def ends(self, now: float) -> bool:
        """Whether a while is over."""
        elapsed = now - self._begun
        if elapsed < _SPAN_SECONDS:
            return False
        computed = time.thread_time() - self._computed
        held_up = computed < _COMPUTING * elapsed and self.waited < _WAITING * elapsed
        elsewhere = self.left >= _MANY and self.left > 2 * self.moved
        self.is_in_vain = self.is_in_vain or held_up or elsewhere
        self._restart(now)
        return True

    def _restart(self, now: float) -> None:
        self._begun, self._computed = now, time.thread_time()
        self.waited = 0.0  #: seconds for answers
        self.moved = self.left = 0  #: files that were stored here, and those that went the general way
