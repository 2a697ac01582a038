"""A sequence whose elements are made when they are looked at."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar, overload

K = TypeVar("K")
T = TypeVar("T")


class ByName(Mapping[K, T]):
    """Elements of a sequence by unique names, which are given in the same order; the elements are not held."""

    def __init__(self, names: Iterable[K], elements: Sequence[T]) -> None:
        self._positions = {name: position for position, name in enumerate(names)}
        self._elements = elements

    def __getitem__(self, name: K) -> T:
        return self._elements[self._positions[name]]

    def __contains__(self, name: object) -> bool:
        return name in self._positions

    def __iter__(self) -> Iterator[K]:
        return iter(self._positions)

    def __len__(self) -> int:
        return len(self._positions)


class LazySequence(Sequence[T]):
    """Equal elements each time, not the same ones. Equal to a tuple of them, and pickled as one."""

    __hash__ = None  # type: ignore[assignment]  # as of a list

    @abstractmethod
    def _element(self, position: int) -> T:
        """The element at a position that is there."""

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
