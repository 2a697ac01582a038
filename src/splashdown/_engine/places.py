"""How many requests a host serves at a time, learned from its refusals: 429, 503, connections that it does not take.

A refusal halves the number, answers let it grow again, up to one less than were refused. Where it is one more that was
refused, the number before is right. It holds for the whole run.
Before the first refusal there is no such number; ``pace`` says how many files at once are worth it.
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
#: So many requests may have been open where no run has said how many files it has under way.
_USUAL = 8
#: How often a waiting reader looks whether the run has stopped.
_TICK = 0.25


class Places:
    """The requests to one host whose answers are open."""

    def __init__(self, host: str, most: int | None = None) -> None:
        """Take the limit that is known from the start."""
        self._host = host
        self._free = threading.Condition()
        self.limit = most  #: ``None`` as long as none is known and the host has not refused any
        self.answered = 0  #: requests that have come to a good end
        self.served = 0  #: files that came without a place, on the straight line too
        self.at_once = _USUAL  #: files that a run has under way
        self._open = 0
        self._most = most or 0  #: never more than this
        self._grown_at = 0
        self._grown = False  #: since the last refusal
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

    @property
    def serves_others(self) -> bool:
        """Whether the host has answered any request as it should."""
        return bool(self.answered or self.served)

    def refused(self, why: str) -> None:
        """Note a refusal, while its request still has a place."""
        with self._free:
            now, there = time.monotonic(), self._open
            if self.limit is None:
                most = max(self.at_once, there)
                self.limit, self._most = max(1, most // 2), max(1, most - 1)
                _log.warning("%s refuses more requests at a time (%s): going on with fewer", self._host, why)
            elif there <= self.limit and now - self._reduced_at > _TICK:  # others may be left from before
                self._most = max(1, min(self._most, there - 1))
                one_more = there == self.limit and self._grown and self.answered - self._grown_at < _ANSWERS * there
                self.limit = self._most if one_more else max(1, min(self.limit, there) // 2)
                self._grown = False
            else:
                return
            self._reduced_at, self._grown_at = now, self.answered

    def _grow(self) -> None:
        if self.limit is None or self.limit >= self._most or self.answered - self._grown_at < _ANSWERS * self.limit:
            return
        self.limit += 1
        self._grown = True
        self._grown_at = self.answered
        self._free.notify()
