"""Hashes the parts of one file in their order, though they are stored in any."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from splashdown.checksums import Digests
from splashdown.model import Buffer, Part


class OrderedHasher:
    """Follows the parts.

    Whoever is about to read the next part hashes it on the way (``claim``); the others are fetched again by ``read``
    when their turn comes: from the disk, or from the memory that still holds them.
    """

    def __init__(self, digests: Digests, read: Callable[[Part], Iterable[Buffer]]) -> None:
        self.digests = digests
        self._read = read
        self._at = 0
        self._busy = False
        self._waiting: dict[int, Part] = {}
        self._lock = threading.Lock()

    @property
    def at(self) -> int:
        """Where the next byte to be hashed is; everything before may be forgotten."""
        return self._at

    def claim(self, part: Part) -> bool:
        """Whether the caller shall hash this part while it reads it. It must call ``finished`` then."""
        with self._lock:
            if self._busy or part.start != self._at or not self.digests:
                return False
            self._busy = True
            return True

    def finished(self, part: Part, *, hashed: bool = False) -> None:
        """A part is stored; hash what has become next, unless another thread is at it."""
        with self._lock:
            if hashed:
                self._at, self._busy = part.stop or self._at, False
            else:
                self._waiting[part.start] = part
        while (due := self._due()) is not None:
            if self.digests:
                for chunk in self._read(due):
                    self.digests.update(chunk)
            with self._lock:
                self._at, self._busy = due.stop or self._at, False

    def _due(self) -> Part | None:
        with self._lock:
            if self._busy or self._at not in self._waiting:
                return None
            self._busy = True
            return self._waiting.pop(self._at)
