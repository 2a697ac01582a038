"""How much memory the buffers of one run may take, and the buffers that are used again."""

from __future__ import annotations

import mmap
import threading
from collections.abc import Callable

from splashdown._engine.settings import MIB

_TICK = 0.25


class MemoryBudget:
    """Bytes to hand out. One request is always served when nothing else is out, however large it is.

    A large buffer is a mapping of its own: the heaps of many threads would keep what is freed. A new mapping costs more
    than filling it, as the kernel clears each page, so one that is not needed any more serves the next part.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._out = 0
        self._spare: list[mmap.mmap] = []
        self._changed = threading.Condition()

    def take(self, size: int, given_up: Callable[[], bool]) -> bool:
        """Wait for ``size`` bytes; ``False`` when whoever asks does not need them any more."""
        with self._changed:
            while self._out and self._out + size > self._size:
                if given_up():
                    return False
                self._changed.wait(_TICK)
            self._out += size
            return True

    def give_back(self, size: int) -> None:
        """The buffer is gone."""
        with self._changed:
            self._out -= size
            self._changed.notify_all()

    def room(self, size: int) -> memoryview:
        """Memory for ``size`` bytes, which have to be taken before; what is in it is anything."""
        if size < MIB:
            return memoryview(bytearray(size))
        with self._changed:
            if self._spare and len(self._spare[-1]) >= size:
                return memoryview(self._spare.pop())[:size]
            self._spare.clear()  # of a file with smaller parts
        return memoryview(mmap.mmap(-1, size))

    def spare(self, room: memoryview) -> None:
        """Nobody looks at this memory any more. What is taken has to be given back nonetheless."""
        with self._changed:
            if isinstance(room.obj, mmap.mmap):
                self._spare.append(room.obj)
