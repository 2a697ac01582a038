"""Hashes the parts of one file in the file's order, while they are stored in any order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from splashdown.checksums import Digests
from splashdown.model import Buffer, Part


class OrderedHasher:
    """A worker that reads the next part hashes it on the way (``claim``).

    Other parts are fetched by ``read_again`` when their turn comes: from the disk, or from the memory that holds them.
    """

    def __init__(self, digests: Digests, read_again: Callable[[Part], Iterable[Buffer]]) -> None:
        self.digests = digests
        self._read_again = read_again
        self._at = 0  #: where the next byte to be hashed is
        self._busy = False  #: a thread is hashing; the others leave the rest to it
        self._waiting: dict[int, Part] = {}
        self._lock = threading.Lock()

    def claim(self, part: Part) -> bool:
        """Whether the caller has to hash this part while it reads it, and to call ``finished`` after that."""
        with self._lock:
            if self._busy or part.start != self._at or not self.digests:
                return False
            self._busy = True
            return True

    def finished(self, part: Part, *, hashed: bool = False) -> None:
        """A part is stored: hash the parts whose turn has come, unless another thread is hashing."""
        with self._lock:
            if hashed:
                self._at, self._busy = part.stop or self._at, False
            else:
                self._waiting[part.start] = part
        while (due := self._next_part()) is not None:
            if self.digests:  # outside the lock: hashing a part takes long, and others have parts to report
                for chunk in self._read_again(due):
                    self.digests.update(chunk)
            with self._lock:
                self._at, self._busy = due.stop or self._at, False

    def _next_part(self) -> Part | None:
        with self._lock:
            if self._busy or self._at not in self._waiting:
                return None
            self._busy = True
            return self._waiting.pop(self._at)
