"""A sequence whose elements are created on access."""

from __future__ import annotations

from abc import abstractmethod
from array import array
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Any, TypeVar, overload

from splashdown.columns import cells, columns

T = TypeVar("T")


class Following:
    """Fields of values by position: for little while one position follows the other, by a look-up for any other."""

    def __init__(self, values: Sequence[Any], *names: str) -> None:
        self._each, self._at, self._next = columns(values, *names), cells(values, *names), 0

    def __call__(self, position: int) -> Any:
        """The fields at a position."""
        if position != self._next:
            return self._at(position)
        self._next += 1
        return next(self._each)


class LazySequence(Sequence[T]):
    """Each access gives an equal element, not the same one. Equal to a tuple of them, and pickled as one.

    It is a :class:`~splashdown.columns.Columnar`; subclasses with rows give fields without creating elements.
    """

    __hash__ = None  # type: ignore[assignment]  # like a list

    @abstractmethod
    def _element(self, position: int) -> T:
        """The element at a valid position."""

    def columns(self, *names: str) -> Iterator[Any]:
        """The field of each element; of several names a tuple for each."""
        return map(attrgetter(*names), self)

    def cells(self, *names: str) -> Callable[[int], Any]:
        """A function that gives the fields of the element at a position."""
        get = attrgetter(*names)
        return lambda position: get(self._element(position))

    def columns_at(self, positions: Sequence[int], *names: str) -> Iterator[Any]:
        """The fields of the elements at positions."""
        return map(self.cells(*names), positions)

    def take(self, positions: Sequence[int]) -> Sequence[T]:
        """The elements at these positions."""
        return _Taken(self, positions)

    @overload
    def __getitem__(self, position: int) -> T: ...
    @overload
    def __getitem__(self, position: slice) -> tuple[T, ...]: ...
    def __getitem__(self, position: int | slice) -> T | tuple[T, ...]:
        length = len(self)
        if isinstance(position, slice):
            return tuple(self._element(i) for i in range(*position.indices(length)))
        if not -length <= position < length:
            raise IndexError(position)
        return self._element(position % length)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, tuple | LazySequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self)}>"

    def __reduce__(self) -> tuple[type[tuple[T, ...]], tuple[tuple[T, ...]]]:
        return tuple, (tuple(self),)


class _Taken(LazySequence[T]):
    """Some elements of another lazy sequence, by their positions there."""

    def __init__(self, whole: LazySequence[T], positions: Sequence[int]) -> None:
        self._whole, self._positions = whole, array("l", positions)

    def __len__(self) -> int:
        return len(self._positions)

    def _element(self, position: int) -> T:
        return self._whole._element(self._positions[position])  # noqa: SLF001 - of the same kind

    def __iter__(self) -> Iterator[T]:
        return map(self._whole._element, self._positions)  # noqa: SLF001 - as above

    def columns(self, *names: str) -> Iterator[Any]:
        return self._whole.columns_at(self._positions, *names)

    def columns_at(self, positions: Sequence[int], *names: str) -> Iterator[Any]:
        return self._whole.columns_at([self._positions[position] for position in positions], *names)

    def cells(self, *names: str) -> Callable[[int], Any]:
        get, positions = self._whole.cells(*names), self._positions
        return lambda position: get(positions[position])
