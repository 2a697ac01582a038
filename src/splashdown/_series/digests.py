"""Very many strings by their digests: some dozen bytes for each, where a set takes more than a hundred."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable

#: Slots of the smallest table, and the part of all slots that is used at most.
_SMALLEST = 1 << 10
_FULL = 0.6
#: Hashes are looked at in so many parts, one after the other: a set of numbers takes ten times as much as an array.
_PARTS = 16


def hashes_of(values: Iterable[str]) -> array[int]:
    """Eight bytes for each string, of this process alone: another one has other hashes."""
    return array("q", map(hash, values))


def repeated(hashes: Iterable[int]) -> set[int]:
    """Those that come more than once. Strings with one of these may be equal, all others are not."""
    found: set[int] = set()
    for part in _parts(hashes):
        once: set[int] = set()
        found.update([one for one in part if one in once or once.add(one)])  # type: ignore[func-returns-value]
    return found


def common(hashes: Iterable[int], others: Iterable[int]) -> set[int]:
    """Those that are in both."""
    found: set[int] = set()
    for part, other in zip(_parts(hashes), _parts(others), strict=True):
        if part and other:
            found |= set(part) & set(other)
    return found


def _parts(hashes: Iterable[int]) -> list[array[int]]:
    parts = [array("q") for _ in range(_PARTS)]
    for one in hashes:
        parts[one % _PARTS].append(one)
    return parts


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
        for place in range(0, len(old), 2):
            if second := old[place + 1]:
                at = _slot_of(slots, old[place], second)
                slots[at], slots[at + 1] = old[place], second
        self._slots = slots


def _slot_of(slots: array[int], first: int, second: int) -> int:
    """Where a digest is, or may be put: a second half of zero is a free slot."""
    last = len(slots) - 2
    at = first * 2 & last
    while slots[at + 1] and (slots[at] != first or slots[at + 1] != second):
        at = at + 2 & last
    return at
