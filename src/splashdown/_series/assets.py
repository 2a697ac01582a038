"""Assets, and the transfers of a plan, for sources that list very many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from operator import attrgetter, itemgetter
from typing import Any

from splashdown._series.blocks import MANY, Blocks
from splashdown._series.documents import View
from splashdown._series.lazy import LazySequence
from splashdown.model import Asset, IfExists, Transfer

_LINKED = ("geometry", "metadata", "properties")
_PLAIN = tuple(name for name in Asset.__dataclass_fields__ if name not in _LINKED)
_plain_values = attrgetter(*_PLAIN)
# The constructor of a frozen dataclass takes three times as long, and assets are made again and again.
_plain_setters, _linked_setters = ([getattr(Asset, name).__set__ for name in names] for names in (_PLAIN, _LINKED))
_NOTHING: Mapping[str, Any] = {}


def pack(assets: Iterable[Asset]) -> Sequence[Asset]:
    """The same assets, in little memory where there are many."""
    each = iter(assets)
    first = tuple(islice(each, MANY))
    if len(first) < MANY:
        return first
    packed = PackedAssets()
    for asset in chain(first, each):
        packed.append(asset)
    return packed


def columns(assets: Iterable[Asset], *names: str) -> Iterator[Any]:
    """Plain fields of all assets, at a third of the cost of making these: of several names a tuple for each asset."""
    if not isinstance(assets, PackedAssets):
        return map(attrgetter(*names), assets)
    return map(itemgetter(*(_PLAIN.index(name) for name in names)), assets.rows)


def fields(assets: Sequence[Asset], *names: str) -> Callable[[int], tuple[Any, ...]]:
    """The same of the asset at a position."""
    if not isinstance(assets, PackedAssets):
        get = attrgetter(*names)
        return lambda position: get(assets[position])
    rows, pick = assets.rows, itemgetter(*(_PLAIN.index(name) for name in names))
    return lambda position: pick(rows.at(position))


class PackedAssets(LazySequence[Asset]):
    """Assets as rows. Of an object inside of packed documents a row says where it is; any other is held once."""

    def __init__(self) -> None:
        self.rows = Blocks[tuple[Any, ...]]()
        self._count = 0
        self._held: list[Any] = []
        self._numbers: dict[int, int] = {}

    def append(self, asset: Asset) -> None:
        """Put an asset at the end."""
        linked = [self._reference(getattr(asset, name)) for name in _LINKED]
        self.rows.append((*_plain_values(asset), *linked))
        self._count += 1

    def __len__(self) -> int:
        return self._count

    def _element(self, position: int) -> Asset:
        return self._asset(self.rows.at(position))

    def __iter__(self) -> Iterator[Asset]:
        return map(self._asset, self.rows)

    def _asset(self, row: tuple[Any, ...]) -> Asset:
        asset, held = object.__new__(Asset), self._held
        for put, value in zip(_plain_setters, row, strict=False):  # the rest of the row follows
            put(asset, value)
        for put, one in zip(_linked_setters, row[-len(_LINKED) :], strict=True):
            put(asset, held[one] if type(one) is int else View(held[one[0]], one[1], one[2]))
        return asset

    def _reference(self, value: Mapping[str, Any] | None) -> int | tuple[int, int, tuple[str, ...]]:
        if isinstance(value, View):
            return (self._number(value.packed), value.at, value.path)
        return self._number(None if value is None else value or _NOTHING)

    def _number(self, value: Any) -> int:
        number = self._numbers.setdefault(id(value), len(self._held))
        if number == len(self._held):
            self._held.append(value)
        return number


class Transfers(LazySequence[Transfer]):
    """The transfers of a plan, one for each asset."""

    def __init__(self, assets: Sequence[Asset], names: Sequence[str], if_exists: IfExists = IfExists.AUTO) -> None:
        self.assets, self.names, self.if_exists = assets, names, if_exists
        self._count = len(names)

    def __len__(self) -> int:
        return self._count

    def _element(self, position: int) -> Transfer:
        return Transfer(asset=self.assets[position], name=self.names[position], if_exists=self.if_exists)

    def __iter__(self) -> Iterator[Transfer]:
        for asset, name in zip(self.assets, self.names, strict=True):
            yield Transfer(asset=asset, name=name, if_exists=self.if_exists)


def transfers_of(assets: Sequence[Asset], names: Sequence[str]) -> Sequence[Transfer]:
    """A transfer for each asset; made when they are looked at where the assets are, too."""
    if isinstance(assets, LazySequence):
        return Transfers(assets, names)
    return tuple(Transfer(asset=asset, name=name) for asset, name in zip(assets, names, strict=True))


def assets_of(transfers: Sequence[Transfer]) -> Iterable[Asset]:
    """Their assets, in the same order."""
    return transfers.assets if isinstance(transfers, Transfers) else (one.asset for one in transfers)


def names_of(transfers: Sequence[Transfer]) -> Iterable[str]:
    """Their names, in the same order."""
    return transfers.names if isinstance(transfers, Transfers) else (one.name for one in transfers)


def policies_of(transfers: Sequence[Transfer]) -> set[IfExists]:
    """All policies among them."""
    return {transfers.if_exists} if isinstance(transfers, Transfers) else {one.if_exists for one in transfers}


def with_policy(transfers: Sequence[Transfer], if_exists: IfExists) -> Sequence[Transfer]:
    """The same transfers with another policy."""
    if isinstance(transfers, Transfers):
        return Transfers(transfers.assets, transfers.names, if_exists)
    return tuple(Transfer(asset=one.asset, name=one.name, if_exists=if_exists) for one in transfers)
