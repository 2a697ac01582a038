"""How many requests a host serves at a time, learned from its refusals (429 without a time to wait).

A refusal halves the number, answers let it grow again, up to one less than were refused. It holds for the whole run.
"""

from __future__ import annotations

import logging
import threading
import time

_log = logging.getLogger("splashdown")

#: So many answers for each place before one more is tried.
_ANSWERS = 4
#: A place may be held by a reader that waits for this one, for memory for example: no one waits longer than this.
_LONGEST_WAIT = 60.0
#: How often a waiting reader looks whether the run has stopped.
_TICK = 0.25


class Places:
    """The requests to one host whose answers are open."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._free = threading.Condition()
        self.limit: int | None = None  #: ``None`` as long as the host has not refused any
        self.answered = 0  #: requests that have come to a good end
        self._open = 0
        self._most = 0  #: never more than this
        self._grown_at = 0
        self._reduced_at = 0.0

    def enter(self, stop: threading.Event) -> None:
        """Take a place, as soon as there is one or the run stops."""
        with self._free:
            if self.limit is not None:
                until = time.monotonic() + _LONGEST_WAIT
                while self._open >= self.limit and not stop.is_set() and time.monotonic() < until:
                    self._free.wait(_TICK)
            self._open += 1

    def leave(self, *, well: bool) -> None:
        """Give a place back; ``well`` says that its request was answered as it should be."""
        with self._free:
            self._open -= 1
            if well:
                self.answered += 1
                self._grow()
            if self.limit is not None:
                self._free.notify()

    def refused(self, most: int) -> None:
        """Note a refusal, while its request still has a place; ``most`` are the requests of a run without a limit."""
        with self._free:
            now, there = time.monotonic(), self._open
            if self.limit is None:
                self.limit, self._most = max(1, most // 2), max(1, most - 1)
                _log.warning("%s refuses more requests at a time (429): going on with fewer", self._host)
            elif there <= self.limit and now - self._reduced_at > _TICK:  # others may be left from before
                self._most = max(1, min(self._most, there - 1))
                self.limit = max(1, min(self.limit, there) // 2)
            else:
                return
            self._reduced_at, self._grown_at = now, self.answered

    def _grow(self) -> None:
        if self.limit is None or self.limit >= self._most or self.answered - self._grown_at < _ANSWERS * self.limit:
            return
        self.limit += 1
        self._grown_at = self.answered
        self._free.notify()
