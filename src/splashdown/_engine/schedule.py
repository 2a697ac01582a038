"""Which file comes next: the plan's order, with at most so many files at a time from one host."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence


class Schedule:
    """Hands out the numbers of transfers. ``take`` blocks while each host with files left serves as many as it may."""

    def __init__(self, hosts: Sequence[str | None], per_host: int) -> None:
        """Take the host of each transfer; ``None`` for one that nothing is to be done for."""
        self._waiting: dict[str, deque[int]] = {}
        for number, host in enumerate(hosts):
            if host is not None:
                self._waiting.setdefault(host, deque()).append(number)
        self._free = dict.fromkeys(self._waiting, per_host)
        # The condition's lock is taken by itself, as entering a condition costs two calls for each file.
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._asleep = 0
        self._stopped = False

    @property
    def width(self) -> int:
        """How many transfers can be under way at once."""
        return sum(min(len(waiting), self._free[host]) for host, waiting in self._waiting.items())

    def take(self) -> tuple[int, str] | None:
        """The next transfer and its host; ``None`` when nothing is left or the run was stopped."""
        with self._lock:
            return self._next()

    def give_back(self, host: str) -> None:
        """A transfer of this host has ended."""
        with self._lock:
            self._end(host)

    def exchange(self, host: str) -> tuple[int, str] | None:
        """``give_back`` and ``take`` at once."""
        with self._lock:
            waiting = self._waiting
            # Of one host the next is the first, and no thread has to be woken for the place that is taken again.
            if len(waiting) == 1 and not self._stopped and (mine := waiting.get(host)) and len(mine) > 1:
                return mine.popleft(), host
            self._end(host)
            return self._next()

    def stop(self) -> None:
        """Hand out nothing more."""
        with self._lock:
            self._stopped = True
            self._changed.notify_all()

    def _end(self, host: str) -> None:
        self._free[host] += 1
        if self._asleep:
            self._changed.notify()

    def _next(self) -> tuple[int, str] | None:
        while not self._stopped and self._waiting:
            # Of the hosts that may serve one more file, the one whose next file comes first in the plan.
            best = None
            for host, waiting in self._waiting.items():
                if self._free[host] > 0 and (best is None or waiting[0] < self._waiting[best][0]):
                    best = host
            if best is not None:
                return self._pop(best), best
            self._asleep += 1
            self._changed.wait()
            self._asleep -= 1
        return None

    def _pop(self, host: str) -> int:
        waiting = self._waiting[host]
        number = waiting.popleft()
        self._free[host] -= 1
        # A host without files goes, so that the next search looks only at those that have some.
        if not waiting:
            del self._waiting[host]
            if not self._waiting:
                self._changed.notify_all()
        return number
