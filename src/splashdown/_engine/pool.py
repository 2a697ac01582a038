"""Daemon threads that take work from a queue.

``concurrent.futures`` joins its threads when the interpreter ends, so one blocked read would keep a program alive
after Ctrl-C; these do not.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable


class Pool:
    """Up to ``size`` threads, started when there is work for them."""

    def __init__(self, size: int, name: str) -> None:
        self._size, self._name = size, name
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0

    def submit(self, work: Callable[[], None]) -> None:
        """Queue a call. It must not raise: its exception would end the thread."""
        with self._lock:
            # A thread counts as busy from now on, not from when it wakes up: the next call must not rely on it.
            if self._idle:
                self._idle -= 1
            elif self._threads < self._size:
                self._threads += 1
                threading.Thread(target=self._run, name=f"{self._name}-{self._threads}", daemon=True).start()
        self._work.put(work)

    def close(self) -> None:
        """Let the threads end after the work they have; does not wait for them."""
        for _ in range(self._threads):
            self._work.put(None)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            work()
            with self._lock:
                self._idle += 1
