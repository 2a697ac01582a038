"""The assets of each feature where both come in one order, as they do in a source that was read: in little memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, overload

from splashdown._series.digests import repeated
from splashdown.columns import columns
from splashdown.model import Asset


class Runs(Sequence[Sequence[int]]):
    """Ranges of numbers, one after the other: sixteen bytes for each."""

    def __init__(self) -> None:
        self._starts, self._stops = array("q"), array("q")

    def append(self, start: int, stop: int) -> None:
        """Put a range at the end."""
        self._starts.append(start)
        self._stops.append(stop)

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, position: int) -> range: ...
    @overload
    def __getitem__(self, position: slice) -> list[range]: ...
    def __getitem__(self, position: int | slice) -> range | list[range]:
        if isinstance(position, slice):
            return [*map(range, self._starts[position], self._stops[position])]
        return range(self._starts[position], self._stops[position])

    def __iter__(self) -> Iterator[range]:
        return map(range, self._starts, self._stops)


def in_order(features: Sequence[Any], assets: Sequence[Asset]) -> tuple[Runs, Sequence[int]] | None:
    """The positions of the assets of each feature, and of those that belong to none.

    ``None`` where the items of the assets are not in the order of the features, or two features have one id.
    """
    runs, ids, others = Runs(), array("q"), array("q")
    groups = _groups(assets, others)
    item, start, stop = next(groups, _NO_MORE)
    for feature in features:
        name = feature.get("id") if isinstance(feature, Mapping) else None
        if isinstance(name, str):
            ids.append(hash(name))
        if name is not None and name == item:
            runs.append(start, stop)
            item, start, stop = next(groups, _NO_MORE)
        else:
            runs.append(0, 0)
    # Ids of one hash are equal for all that is known: the index, which is made then, compares them.
    return (runs, others) if item is None and not repeated(ids) else None


_NO_MORE = (None, 0, 0)


def _groups(assets: Sequence[Asset], others: array[int]) -> Iterator[tuple[str | None, int, int]]:
    """The item of each run of assets, with where the run begins and ends; ``others`` gets those without an item."""
    start = 0
    for item, each in groupby(columns(assets, "item")):
        stop = start + sum(1 for _ in each)
        if item is None:
            others.extend(range(start, stop))
        else:
            yield item, start, stop
        start = stop
