"""Keeps a run below a number of bytes a second, all its connections together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

#: What comes in so many seconds may come at once; a file that is smaller waits for nothing.
_BURST = 0.25


class RateLimit:
    """Whoever has read bytes takes them here, and waits until they were due; every thread of a run shares one."""

    def __init__(self, rate: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds_per_byte = 1.0 / rate
        self._clock = clock
        self._due = clock() - _BURST  #: when all bytes so far were due
        self._lock = threading.Lock()

    def take(self, count: int, wait: Callable[[float], object]) -> None:
        """Wait, if need be, for bytes that have come. ``wait`` gets seconds, and may return early to end the run."""
        with self._lock:
            now = self._clock()
            self._due = max(self._due, now - _BURST) + count * self._seconds_per_byte
            pause = self._due - now
        if pause > 0:
            wait(pause)
