"""Executors that the user made, and what their processes do to them when they are killed."""

from __future__ import annotations

import os
import time
from concurrent.futures import Executor
from multiprocessing.connection import wait
from typing import Any

#: A pool that is sound notices the end of a process at once. This one has not noticed it for so long.
_UNNOTICED_SECONDS = 5.0


class Watch:
    """Sees to it that a pool of processes whose process was killed in the middle of an answer breaks.

    :class:`concurrent.futures.ProcessPoolExecutor` reads all answers from one pipe. When half an answer comes, it reads
    for ever, because the other processes keep the pipe open; they cannot answer either, since the one that was killed
    had the lock. Once they are gone and the pipe is closed, the pool notices, and fails what was submitted.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._since: float | None = None

    def look(self) -> None:
        """Break the pool where a process of it has been dead for a while and the pool still waits."""
        processes = self._processes()
        if not processes or not wait([one.sentinel for one in processes], timeout=0):
            self._since = None
        elif self._since is None:
            self._since = time.monotonic()
        elif time.monotonic() - self._since > _UNNOTICED_SECONDS:
            self._since = None
            self._break(processes)

    def _processes(self) -> list[Any]:
        """Those of a pool; of other executors none."""
        found = getattr(self._executor, "_processes", None)
        return [one for one in list(found.values()) if hasattr(one, "sentinel")] if isinstance(found, dict) else []

    def _break(self, processes: list[Any]) -> None:
        for one in processes:
            one.kill()
        writer = getattr(getattr(self._executor, "_result_queue", None), "_writer", None)
        if writer is not None and not writer.closed:
            writer.close()


def count_of(executor: Executor) -> int:
    """Its workers, where it says how many; else the processors of this machine."""
    found = getattr(executor, "_max_workers", None)
    return found if isinstance(found, int) and found > 0 else os.cpu_count() or 1
