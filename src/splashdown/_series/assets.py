"""Assets, and the transfers of a plan, for sources that list very many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice, repeat
from operator import attrgetter, is_not, itemgetter
from typing import Any, overload

from splashdown._series.blocks import MANY, Blocks
from splashdown._series.documents import Documents, View
from splashdown._series.lazy import LazySequence
from splashdown.columns import cells, columns
from splashdown.model import Asset, IfExists, Transfer

_LINKED = ("geometry", "metadata", "properties")
_PLAIN = tuple(name for name in Asset.__dataclass_fields__ if name not in _LINKED)
_PLACES = {name: place for place, name in enumerate((*_PLAIN, *_LINKED))}
_plain_values, _linked_values = attrgetter(*_PLAIN), attrgetter(*_LINKED)
# The constructor of a frozen dataclass takes three times as long, and assets are created on each access.
_plain_setters, _linked_setters = ([getattr(Asset, name).__set__ for name in names] for names in (_PLAIN, _LINKED))
_NOTHING: Mapping[str, Any] = {}


def relinked(asset: Asset, geometry: Any, metadata: Any, properties: Any) -> Asset:
    """The asset with other objects for what it says at length: ``dataclasses.replace`` takes five times as long."""
    found = object.__new__(Asset)
    for put, value in zip(_plain_setters, _plain_values(asset), strict=True):
        put(found, value)
    for put, value in zip(_linked_setters, (geometry, metadata, properties), strict=True):
        put(found, value)
    return found


def pack(assets: Iterable[Asset]) -> Sequence[Asset]:
    """The same assets; many are kept in little memory."""
    if isinstance(assets, PackedAssets):
        return assets
    each = iter(assets)
    first = tuple(islice(each, MANY))
    if len(first) < MANY:
        return first
    packed = PackedAssets()
    for asset in chain(first, each):
        packed.append(asset)
    return packed


def reordered(assets: Sequence[Asset], order: Iterable[int]) -> Sequence[Asset]:
    """The assets at these positions, in that order, as compact as they were."""
    if isinstance(assets, PackedAssets):
        return assets.reordered(order)
    return pack(assets[position] for position in order)


def pack_all(series: Iterable[Sequence[Asset]]) -> Sequence[Asset]:
    """The assets of all of them; where there is only one, that is the result."""
    each = iter(series)
    first, second = next(each, ()), next(each, None)
    return pack(first if second is None else chain(first, second, chain.from_iterable(each)))


class PackedAssets(LazySequence[Asset]):
    """Assets as rows. A row has the place of an object inside packed documents; other objects are kept once."""

    def __init__(self) -> None:
        self.rows = Blocks[tuple[Any, ...]]()
        self._count = 0
        self._held: list[Any] = []
        self._numbers: dict[int, int] = {}
        # What the assets of one item have in common, as it was found for the last asset.
        self._same: tuple[object, object, object] = (self, self, self)
        self._links: tuple[Any, int, Any] = (None, 0, None)

    def append(self, asset: Asset) -> None:
        """Put an asset at the end."""
        geometry, metadata, properties = _linked_values(asset)
        packed = type(metadata) is View
        same = (geometry, metadata.packed if packed else metadata, properties)
        if not packed or any(map(is_not, same, self._same)):
            self._links = self._linked(geometry), self._number(same[1]), self._linked(properties)
            self._same = same
        before, number, after = self._links
        link = (number, metadata.at, metadata.path) if packed else number
        self.rows.append((*_plain_values(asset), before, link, after))
        self._count += 1

    def _linked(self, value: Any) -> Any:
        if type(value) is View:
            return self._number(value.packed), value.at, value.path
        return self._number(value)

    def _number(self, value: Any) -> int:
        """The number of an object that is kept as it is."""
        # The length of documents is a call, which each item would cost.
        held = value if value is None or isinstance(value, Documents) or value else _NOTHING
        number = self._numbers.setdefault(id(held), len(self._held))
        if number == len(self._held):
            self._held.append(held)
        return number

    def reordered(self, order: Iterable[int]) -> PackedAssets:
        """The assets at these positions. Each row is decoded once, for which all are in memory for a moment."""
        found, rows = PackedAssets(), list(self.rows)
        found._held, found._numbers = list(self._held), dict(self._numbers)
        for position in order:
            found.rows.append(rows[position])
            found._count += 1
        return found

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

    def columns(self, *names: str) -> Iterator[Any]:
        """Fields at a third of the cost of creating the assets."""
        pick = self._picking(names)
        return super().columns(*names) if pick is None else map(pick, self.rows)

    def columns_at(self, positions: Sequence[int], *names: str) -> Iterator[Any]:
        """The same of the assets at positions."""
        pick = self._picking(names)
        return super().columns_at(positions, *names) if pick is None else map(pick, self.rows.pick(positions))

    def cells(self, *names: str) -> Callable[[int], Any]:
        """A function that gives the fields of the asset at a position."""
        pick, at = self._picking(names), self.rows.at
        return super().cells(*names) if pick is None else lambda position: pick(at(position))

    def _picking(self, names: Sequence[str]) -> Callable[[tuple[Any, ...]], Any] | None:
        """A function that gives these fields of a row; ``None`` where only the asset has them."""
        if not _PLACES.keys() >= set(names):
            return None
        plain, held = itemgetter(*(_PLACES[name] for name in names)), self._held
        linked = [at for at, name in enumerate(names) if name in _LINKED]
        if not linked:
            return plain
        # The assets of an item have the same properties: one view does for all that follow one another.
        last: dict[int, tuple[Any, Any]] = dict.fromkeys(linked, (None, None))

        def pick(row: tuple[Any, ...]) -> Any:
            found = [*plain(row)] if len(names) > 1 else [plain(row)]
            for at in linked:
                link, (before, value) = found[at], last[at]
                if link != before:
                    value = held[link] if type(link) is int else View(held[link[0]], link[1], link[2])
                    last[at] = link, value
                found[at] = value
            return tuple(found) if len(names) > 1 else found[0]

        return pick


class Transfers(LazySequence[Transfer]):
    """The transfers of a plan, one for each asset."""

    def __init__(self, assets: LazySequence[Asset], names: Sequence[str], if_exists: IfExists) -> None:
        self.assets, self.names, self.if_exists = assets, names, if_exists
        #: The name at a position, for one call and not three.
        self.name_at: Callable[[int], str] = names.at if isinstance(names, Blocks) else names.__getitem__
        self._count = len(names)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, position: int) -> Transfer: ...
    @overload
    def __getitem__(self, position: slice) -> tuple[Transfer, ...]: ...
    def __getitem__(self, position: int | slice) -> Transfer | tuple[Transfer, ...]:
        # A run asks for each transfer once or twice; its length would be a call more.
        if type(position) is int and 0 <= position < self._count:
            return self._element(position)
        return super().__getitem__(position)

    def _element(self, position: int) -> Transfer:
        assets = self.assets
        asset = assets._element(position)  # noqa: SLF001 - of the same kind
        return Transfer(asset=asset, name=self.name_at(position), if_exists=self.if_exists)

    def __iter__(self) -> Iterator[Transfer]:
        for asset, name in zip(self.assets, self.names, strict=True):
            yield Transfer(asset=asset, name=name, if_exists=self.if_exists)

    def columns(self, *names: str) -> Iterator[Any]:
        """Names, policies, and fields of the assets, without a transfer or an asset."""
        if all(name.startswith("asset.") for name in names):
            return columns(self.assets, *(name.removeprefix("asset.") for name in names))
        each = [self._column(name) for name in names]
        return each[0] if len(each) == 1 else zip(*each, strict=False)  # the column of policies is endless

    def columns_at(self, positions: Sequence[int], *names: str) -> Iterator[Any]:
        """The same of the transfers at positions."""
        if all(name.startswith("asset.") for name in names):
            return self.assets.columns_at(positions, *(name.removeprefix("asset.") for name in names))
        if names == ("name",):
            given = self.names
            return given.pick(positions) if isinstance(given, Blocks) else map(given.__getitem__, positions)
        if names == ("if_exists",):
            return repeat(self.if_exists, len(positions))
        return super().columns_at(positions, *names)

    def cells(self, *names: str) -> Callable[[int], Any]:
        """A function that gives the fields of the transfer at a position."""
        if all(name.startswith("asset.") for name in names):
            return cells(self.assets, *(name.removeprefix("asset.") for name in names))
        each = [self._cell(name) for name in names]
        return each[0] if len(each) == 1 else lambda position: tuple(cell(position) for cell in each)

    def _column(self, name: str) -> Iterator[Any]:
        if name == "name":
            return iter(self.names)
        return repeat(self.if_exists, self._count) if name == "if_exists" else self.columns(name)

    def _cell(self, name: str) -> Callable[[int], Any]:
        if name == "name":
            return self.name_at
        return (lambda _: self.if_exists) if name == "if_exists" else self.cells(name)


def transfers_of(
    assets: Sequence[Asset], names: Sequence[str], if_exists: IfExists = IfExists.AUTO
) -> Sequence[Transfer]:
    """A transfer for each asset; created on access if the assets are."""
    if isinstance(assets, LazySequence):
        return Transfers(assets, names, if_exists)
    return tuple(Transfer(asset=a, name=name, if_exists=if_exists) for a, name in zip(assets, names, strict=True))
