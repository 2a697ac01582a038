"""How much memory the buffers of one run may take, and which buffers are used again."""

from __future__ import annotations

import mmap
import threading
from collections.abc import Callable

from splashdown._engine.settings import MIB

#: How soon a thread that waits for memory notices that it does not need it any more, in seconds.
_TICK = 0.25


class MemoryBudget:
    """Bytes to hand out. When nothing is handed out, one request is served, however large it is.

    A large buffer is a mapping of its own: the heaps of many threads would keep what is freed. A new mapping costs more
    than filling it, because the kernel clears each page, so one that is not needed any more serves the next part.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._taken = 0
        self._spare: list[mmap.mmap] = []
        self._changed = threading.Condition()

    def take(self, size: int, cancelled: Callable[[], bool]) -> bool:
        """Wait for ``size`` bytes; ``False`` when ``cancelled`` says that they are not needed any more."""
        with self._changed:
            while self._taken and self._taken + size > self._size:
                if cancelled():
                    return False
                self._changed.wait(_TICK)
            self._taken += size
            return True

    def give_back(self, size: int) -> None:
        """Return bytes that were taken."""
        with self._changed:
            self._taken -= size
            self._changed.notify_all()

    def buffer(self, size: int) -> memoryview:
        """Memory for ``size`` bytes, which have to be taken before; its content is undefined."""
        if size < MIB:
            return memoryview(bytearray(size))
        with self._changed:
            if self._spare and len(self._spare[-1]) >= size:
                return memoryview(self._spare.pop())[:size]
            self._spare.clear()  # they are of a file with smaller parts
        return memoryview(mmap.mmap(-1, size))

    def reuse(self, buffer: memoryview) -> None:
        """Keep a buffer that is not needed any more for the next part; its bytes have to be given back besides."""
        with self._changed:
            if isinstance(buffer.obj, mmap.mmap):
                self._spare.append(buffer.obj)
