"""Which file comes next: the plan's order, with at most so many files at a time from one host."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Container, Iterator, Mapping, Sequence


class Queue:
    """The files of one host: those that wait, and what those that have ended have cost. Read without a lock."""

    __slots__ = ("files", "free", "limit", "moved", "seconds", "waiting", "work_moved")

    def __init__(self, limit: int) -> None:
        self.waiting = array("q")  #: numbers of transfers, the next one last: eight bytes each, and popped at the end
        self.limit = self.free = limit  #: how many at a time, and how many more; less than 0 after the limit fell
        self.moved = 0  #: bytes of all files that have ended
        #: Files that have ended, their seconds and bytes; without the first of each thread, whose connection is new.
        self.files, self.seconds, self.work_moved = 0, 0.0, 0

    @property
    def under_way(self) -> int:
        """How many files have been handed out and have not ended."""
        return self.limit - self.free

    def count(self, seconds: float | None, moved: int, files: int) -> None:
        """Add files that have ended, and bytes; ``seconds`` where they say how fast the host is."""
        self.moved += moved
        if seconds is not None:
            self.files += files
            self.seconds += seconds
            self.work_moved += moved


class Schedule:
    """Hands out the numbers of transfers. ``take`` blocks while each host with files left serves as many as it may."""

    def __init__(self, hosts: Sequence[str | None], limits: Mapping[str, int]) -> None:
        """Take the host of each transfer, ``None`` where nothing is to be done, and the limit of each host."""
        #: Of each host that has files.
        self.queues: dict[str, Queue] = {}
        for number, host in enumerate(hosts):
            if host is not None:
                queue = self.queues.get(host) or self.queues.setdefault(host, Queue(limits[host]))
                queue.waiting.append(number)
        for queue in self.queues.values():
            queue.waiting.reverse()
        self._waiting = dict(self.queues)  #: without the hosts all of whose files have been handed out
        # The condition's lock is taken by itself, as entering a condition costs two calls for each file.
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._asleep = 0
        self._stopped = False

    @property
    def width(self) -> int:
        """How many transfers can be under way at once."""
        with self._lock:
            return sum(min(len(one.waiting) + one.under_way, one.limit) for one in self.queues.values())

    def open(self) -> Iterator[tuple[str, Queue]]:
        """The hosts that have files which wait or are under way."""
        return ((host, one) for host, one in self.queues.items() if one.waiting or one.under_way)

    def resize(self, host: str, limit: int) -> None:
        """Have another number of files of a host under way; those that have begun go on."""
        with self._lock:
            queue = self.queues[host]
            queue.free += limit - queue.limit
            queue.limit = limit
            self._changed.notify_all()

    def take(self, *, wait: bool = True) -> tuple[int, str] | None:
        """The next transfer and its host; ``None`` when nothing is left or the run was stopped.

        Without ``wait`` it is also ``None`` while none may begin.
        """
        with self._lock:
            return self._next(wait)

    def more(self, host: str, without: Container[int]) -> int | None:
        """One more transfer of a host, in the place of one that was taken; ``exchange`` ends them together.

        ``None`` for one of those, and where too few are left for all that may begin one.
        """
        with self._lock:
            queue = self.queues[host]
            waiting = queue.waiting
            if self._stopped or queue.free < 0 or len(waiting) <= queue.limit or waiting[-1] in without:
                return None
            return waiting.pop()

    def exchange(
        self, host: str, seconds: float | None, moved: int, files: int = 1, *, wait: bool = True
    ) -> tuple[int, str] | None:
        """Note that a transfer of a host has ended, and ``take``; ``seconds`` where they say how fast the host is."""
        with self._lock:
            queue = self.queues[host]
            queue.count(seconds, moved, files)
            waiting = queue.waiting
            # Of one host the next is the first, and no thread has to be woken for the place that is taken again.
            if len(self._waiting) == 1 and not self._stopped and queue.free >= 0 and len(waiting) > 1:
                return waiting.pop(), host
            queue.free += 1
            if self._asleep:
                self._changed.notify()
            return self._next(wait)

    def end(self, host: str, seconds: float | None, moved: int) -> None:
        """Note that a transfer of a host has ended, for a thread that takes no other one."""
        with self._lock:
            queue = self.queues[host]
            queue.count(seconds, moved, 1)
            queue.free += 1
            if self._asleep:
                self._changed.notify()

    def drop(self, host: str) -> None:
        """Hand out nothing more of this host."""
        with self._lock:
            self.queues[host].waiting = array("q")
            self._waiting.pop(host, None)
            self._changed.notify_all()

    def stop(self) -> None:
        """Hand out nothing more."""
        with self._lock:
            self._stopped = True
            self._changed.notify_all()

    def _next(self, wait: bool) -> tuple[int, str] | None:
        while not self._stopped and self._waiting:
            # Of the hosts that may serve one more file, the one whose next file comes first in the plan.
            best = None
            for host, queue in self._waiting.items():
                if queue.free > 0 and (best is None or queue.waiting[-1] < self._waiting[best].waiting[-1]):
                    best = host
            if best is not None:
                return self._pop(best), best
            if not wait:
                return None
            self._asleep += 1
            self._changed.wait()
            self._asleep -= 1
        return None

    def _pop(self, host: str) -> int:
        queue = self._waiting[host]
        number = queue.waiting.pop()
        queue.free -= 1
        # A host without files goes, so that the next search looks only at those that have some.
        if not queue.waiting:
            del self._waiting[host]
            if not self._waiting:
                self._changed.notify_all()
        return number
