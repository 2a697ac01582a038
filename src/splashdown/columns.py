"""Single fields of very many values: ``columns(plan.transfers, "name", "asset.size")``.

A plan or a report may hold a hundred thousand values that are made when they are looked at. Whoever needs one field of
each asks for that column, which costs a fraction of making the values. Any sequence will do, a tuple as well.
"""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, Protocol, TypeVar, runtime_checkable

__all__ = ["ByName", "Columnar", "cells", "columns", "take"]

K = TypeVar("K")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@runtime_checkable
class Columnar(Protocol[T_co]):
    """A sequence that can give fields of its elements without making these. A name may have dots: ``asset.href``."""

    def columns(self, *names: str) -> Iterator[Any]:
        """The field of each element; of several names a tuple for each."""

    def cells(self, *names: str) -> Callable[[int], Any]:
        """The same of the element at a position."""

    def take(self, positions: Sequence[int]) -> Sequence[T_co]:
        """The elements at these positions, in little memory as well."""


def columns(values: Iterable[Any], *names: str) -> Iterator[Any]:
    """The field of each value; of several names a tuple for each. A name may have dots."""
    return values.columns(*names) if isinstance(values, Columnar) else map(attrgetter(*names), values)


def cells(values: Sequence[Any], *names: str) -> Callable[[int], Any]:
    """The same of the value at a position: look it up once, call it for each."""
    if isinstance(values, Columnar):
        return values.cells(*names)
    get = attrgetter(*names)
    return lambda position: get(values[position])


def take(values: Sequence[T], positions: Sequence[int]) -> Sequence[T]:
    """The values at these positions: a tuple, or as compact a sequence as ``values`` is."""
    if len(positions) == len(values):
        return values
    return values.take(positions) if isinstance(values, Columnar) else tuple(values[n] for n in positions)


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

    def items(self) -> ItemsView[K, T]:
        """Names and elements; a walk over them needs no look-up for each."""
        return _Items(self)


class _Items(ItemsView[K, T]):
    def __init__(self, of: ByName[K, T]) -> None:
        super().__init__(of)
        self._of = of

    def __iter__(self) -> Iterator[tuple[K, T]]:
        positions, elements = self._of._positions, self._of._elements  # noqa: SLF001 - of this module
        # Of a name that was given twice, only the last element counts.
        return zip(positions, elements, strict=True) if len(positions) == len(elements) else super().__iter__()
