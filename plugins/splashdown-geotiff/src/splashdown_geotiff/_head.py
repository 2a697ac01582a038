"""The bytes of a file that hold its structure, read once and kept.

Owns the cache and its budget; what the bytes mean is ``_directory``'s.
"""

from __future__ import annotations

import threading
from typing import Any

from splashdown.errors import LoadError
from splashdown.protocols import AssetHandle
from splashdown_geotiff._limits import FIRST_READ, HEADER_BYTES, NEXT_READ


class Head:
    """Random access to the few parts of a remote file that hold its header. Serves several threads."""

    def __init__(self, handle: AssetHandle) -> None:
        self.handle = handle
        self.label = handle.asset.label
        first = handle.read_range(0, FIRST_READ)
        # Only now: the answer to the first read says the size.
        self.size = handle.size
        self._blocks: list[tuple[int, memoryview]] = [(0, first)]
        self._spent = len(first)
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        """All but the bytes, which another process reads again as far as it needs them."""
        return {"handle": self.handle, "label": self.label, "size": self.size}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._blocks, self._spent = [], 0
        self._lock = threading.Lock()

    def cached(self, start: int, stop: int) -> memoryview | None:
        """The bytes ``start:stop``, if they came with the header."""
        for offset, block in self._blocks:
            if offset <= start and stop <= offset + len(block):
                return block[start - offset : stop - offset]
        return None

    def read(self, start: int, count: int) -> memoryview:
        """Exactly ``count`` bytes from ``start``. Raises ``LoadError`` beyond the file or the budget."""
        stop = start + count
        if start < 0 or stop > self.size:
            raise LoadError(
                f"{self.label}: its header points to bytes {start}:{stop}, the file has {self.size}:"
                " it is damaged or incomplete"
            )
        with self._lock:
            found = self.cached(start, stop)
            if found is None:
                found = self._fetch(start, stop)[:count]
        return found

    def _fetch(self, start: int, stop: int) -> memoryview:
        stop = min(self.size, max(stop, start + NEXT_READ))
        self._spent += stop - start
        if self._spent > HEADER_BYTES:
            raise LoadError(f"{self.label}: its header needs more than {HEADER_BYTES:,} bytes, which no real file does")
        block = self.handle.read_range(start, stop)
        if len(block) != stop - start:
            raise LoadError(f"{self.label}: asked for bytes {start}:{stop} and got {len(block)} bytes")
        self._blocks.append((start, block))
        return block
