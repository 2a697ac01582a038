"""How much memory the buffers of one run may take."""

from __future__ import annotations

import threading

_TICK = 0.25


class Allowance:
    """Bytes to hand out. One request is always served when nothing else is out, however large it is."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._out = 0
        self._changed = threading.Condition()

    def take(self, size: int, stop: threading.Event) -> bool:
        """Wait for ``size`` bytes; ``False`` when the run stops before."""
        with self._changed:
            while self._out and self._out + size > self._size:
                if stop.is_set():
                    return False
                self._changed.wait(_TICK)
            self._out += size
            return True

    def give_back(self, size: int) -> None:
        """The buffer is gone."""
        with self._changed:
            self._out -= size
            self._changed.notify_all()
