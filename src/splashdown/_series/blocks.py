"""Sequences that only grow, in little memory: compressed in blocks, decoded on access."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, Generic, TypeVar, cast, overload

T = TypeVar("T")

#: Values that are compressed together: more compress better, fewer are decoded sooner.
BLOCK = 64
#: Fewer assets than this are not packed.
MANY = 1_000


def pickled(rows: Sequence[Any]) -> bytes:
    """Rows of plain values as bytes."""
    import pickle  # late: most sources are not packed

    return pickle.dumps(rows, pickle.HIGHEST_PROTOCOL)


def unpickled(data: bytes) -> list[Any]:
    """The rows of :func:`pickled` bytes."""
    import pickle

    return pickle.loads(data)  # type: ignore[no-any-return]  # noqa: S301 - it never left this process's memory


class Blocks(Sequence[T]):
    """The sequence. Its values are shared: do not change them. One thread appends at a time."""

    def __init__(
        self,
        encoded: Callable[[Sequence[T]], bytes] = pickled,
        decoded: Callable[[bytes], list[T]] = unpickled,
    ) -> None:
        self._encoded, self._decoded = encoded, decoded
        self._blocks: list[bytes] = []
        self._open: list[T] = []
        # Number and content of the block that was decoded last; replaced as a whole, so threads need no lock.
        self._recent: tuple[int, list[T]] = (-1, [])

    def append(self, value: T) -> None:
        """Put a value at the end."""
        self._open.append(value)
        if len(self._open) == BLOCK:
            self._close()

    def extend(self, values: Iterable[T]) -> None:
        """Put values at the end, without a call for each."""
        each = iter(values)
        while some := [*islice(each, BLOCK - len(self._open))]:
            self._open += some
            if len(self._open) == BLOCK:
                self._close()

    def _close(self) -> None:
        self._blocks.append(zlib.compress(self._encoded(self._open), 1))
        self._open = []

    def __len__(self) -> int:
        return len(self._blocks) * BLOCK + len(self._open)

    @overload
    def __getitem__(self, position: int) -> T: ...
    @overload
    def __getitem__(self, position: slice) -> list[T]: ...
    def __getitem__(self, position: int | slice) -> T | list[T]:
        if isinstance(position, slice):
            return [*self.pick(range(*position.indices(len(self))))]
        length = len(self)
        if not -length <= position < length:
            raise IndexError(position)
        return self.at(position % length)

    def at(self, position: int) -> T:
        """The value at a valid position."""
        block, at = divmod(position, BLOCK)
        number, content = self._recent
        return content[at] if number == block else self._content(block)[at]

    def __iter__(self) -> Iterator[T]:
        # Not a generator, which would cost a call for each value.
        return chain.from_iterable(map(self._content, range(len(self._blocks) + 1)))

    def pick(self, positions: Sequence[int]) -> Iterator[T]:
        """The values at valid positions, for no call each; where positions ascend, each block is decoded once."""
        return picked(self._content, positions)

    def _content(self, block: int) -> list[T]:
        if block == len(self._blocks):
            return self._open
        number, content = self._recent
        if number != block:
            content = self._decoded(zlib.decompress(self._blocks[block]))
            self._recent = (block, content)
        return content


def packed(values: Iterable[T]) -> Sequence[T]:
    """The same plain values, in blocks where they are many."""
    each = iter(values)
    first = [*islice(each, MANY)]
    if len(first) < MANY:
        return first
    blocks = Blocks[T]()
    blocks.extend(chain(first, each))
    return blocks


def picked(content: Callable[[int], Sequence[T]], positions: Sequence[int]) -> Iterator[T]:
    """The values at positions of blocks, of which ``content`` gives one."""

    def some(start: int) -> list[T]:
        found: list[T] = []
        block = positions[start] // BLOCK
        values = content(block)
        for position in positions[start : start + BLOCK]:
            if position // BLOCK != block:
                block = position // BLOCK
                values = content(block)
            found.append(values[position % BLOCK])
        return found

    return chain.from_iterable(map(some, range(0, len(positions), BLOCK)))


class Slots(Generic[T]):
    """Values at the numbers below ``length``, each put once, in any order and from any thread."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._blocks: dict[int, bytes] = {}
        self._open: dict[int, dict[int, T]] = {}
        self._lock = threading.Lock()
        self._recent: tuple[int, list[T]] = (-1, [])

    def __setitem__(self, number: int, value: T) -> None:
        block = number // BLOCK
        with self._lock:
            there = self._open.setdefault(block, {})
            there[number] = value
            if len(there) == min(BLOCK, self._length - block * BLOCK):
                self._close(block)

    def put(self, numbers: Sequence[int], values: Sequence[T]) -> None:
        """Put many values, for no call each."""
        with self._lock:
            for number, value in zip(numbers, values, strict=True):
                self._open.setdefault(number // BLOCK, {})[number] = value
            for block in {number // BLOCK for number in numbers}:
                if len(self._open[block]) == min(BLOCK, self._length - block * BLOCK):
                    self._close(block)

    def _close(self, block: int) -> None:
        there = self._open.pop(block)
        self._blocks[block] = zlib.compress(pickled([there[n] for n in sorted(there)]), 1)

    def __iter__(self) -> Iterator[T]:
        """All values, once each was put."""
        return chain.from_iterable(map(self.block, range(-(-self._length // BLOCK))))

    def pick(self, positions: Sequence[int]) -> Iterator[T]:
        """The values at positions, once each was put, as :meth:`Blocks.pick` gives them."""
        return picked(self.block, positions)

    def block(self, number: int) -> list[T]:
        """The values that are packed together in block ``number``, once each was put."""
        with self._lock:
            data = self._blocks[number]
        return cast("list[T]", unpickled(zlib.decompress(data)))

    def __getitem__(self, number: int) -> T | None:
        """The value, or ``None`` if none was put."""
        block, at = divmod(number, BLOCK)
        recent, content = self._recent
        if recent != block:
            with self._lock:
                if block not in self._blocks:
                    return self._open.get(block, {}).get(number)
                data = self._blocks[block]
            content = unpickled(zlib.decompress(data))
            self._recent = (block, content)
        return content[at]
