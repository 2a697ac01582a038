"""Sets of very many strings by their digests: some dozen bytes for each, where a set takes more than a hundred."""

from __future__ import annotations

import hashlib
from array import array

#: Slots of the smallest table, and the part of all slots that is used at most.
_SMALLEST = 1 << 10
_FULL = 0.6


class Seen:
    """Which strings there were, by 128 bits of each."""

    def __init__(self) -> None:
        self._count = 0
        self._slots = array("Q", bytes(16 * _SMALLEST))

    def add(self, value: str) -> bool:
        """Note a value; whether it is new."""
        digest = hashlib.blake2b(value.encode(errors="surrogatepass"), digest_size=16).digest()
        first, second = memoryview(digest).cast("Q")
        if self._count >= len(self._slots) // 2 * _FULL:
            self._grow()
        slots = self._slots
        at = _slot_of(slots, first, second or 1)
        if slots[at + 1]:
            return False
        slots[at], slots[at + 1] = first, second or 1
        self._count += 1
        return True

    def _grow(self) -> None:
        old, slots = self._slots, array("Q", bytes(16 * len(self._slots)))
        for first, second in zip(old[::2], old[1::2], strict=True):
            if second:
                at = _slot_of(slots, first, second)
                slots[at], slots[at + 1] = first, second
        self._slots = slots


def _slot_of(slots: array[int], first: int, second: int) -> int:
    """Where a digest is, or may be put: a second half of zero is a free slot."""
    last = len(slots) - 2
    at = first * 2 & last
    while slots[at + 1] and (slots[at] != first or slots[at + 1] != second):
        at = at + 2 & last
    return at
