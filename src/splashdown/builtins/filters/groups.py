"""Filters that look at all assets at once: the latest of each group, one of each group."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from splashdown.builtins.filters import values
from splashdown.errors import OptionError
from splashdown.model import Asset
from splashdown.redact import safely_shown

_EARLIEST = dt.datetime.min.replace(tzinfo=dt.UTC)
_FIELDS: Mapping[str, Callable[[Asset], object]] = {
    "key": lambda a: a.key,
    "item": lambda a: a.item,
    "collection": lambda a: a.collection,
    "type": lambda a: (a.media_type or "").partition(";")[0].strip().lower(),
    "date": lambda a: a.start and a.start.date(),
    "month": lambda a: a.start and (a.start.year, a.start.month),
    "year": lambda a: a.start and a.start.year,
}


@safely_shown
@dataclass(frozen=True, slots=True, repr=False)
class Grouped:
    """Keeps some assets of each group; a group has equal values in all ``fields``."""

    fields: tuple[str, ...]
    latest: bool
    _kept: dict[tuple[object, ...], str] = field(default_factory=dict)

    def __call__(self, assets: Sequence[Asset]) -> Iterable[Asset]:
        """The assets to keep, in their order. Raises ``OptionError`` for a field that no asset has."""
        for name in self.fields:
            if (
                assets
                and name not in _FIELDS
                and not any(name in s for a in assets for s in (a.properties, a.metadata))
            ):
                raise OptionError(f"no asset has {name!r}: use {', '.join(_FIELDS)}, or a property of the items")
        return self._latest(assets) if self.latest else self._first(assets)

    def why(self, asset: Asset) -> str:
        """Why an asset was dropped."""
        chosen = self._kept.get(self._group(asset), "another one")
        return f"of the same {', '.join(self.fields)}, {chosen} is {'later' if self.latest else 'taken'}"

    def _latest(self, assets: Sequence[Asset]) -> list[Asset]:
        newest: dict[tuple[object, ...], dt.datetime] = {}
        for asset in assets:
            group, moment = self._group(asset), _moment(asset)
            if group not in newest or moment > newest[group]:
                newest[group] = moment
                self._kept[group] = asset.label
        return [asset for asset in assets if _moment(asset) == newest[self._group(asset)]]

    def _first(self, assets: Sequence[Asset]) -> list[Asset]:
        return [a for a in assets if self._kept.setdefault(self._group(a), a.label) == a.label]

    def _group(self, asset: Asset) -> tuple[object, ...]:
        return tuple(_value(asset, name) for name in self.fields)


def latest_per(value: object) -> Grouped:
    """The assets of the latest time in each group."""
    return Grouped(_names(value, "latest_per"), latest=True)


def one_per(value: object) -> Grouped:
    """The first asset of each group."""
    return Grouped(_names(value, "one_per"), latest=False)


def _names(value: object, name: str) -> tuple[str, ...]:
    return tuple(part.strip() for each in values.strings(value, name) for part in each.split(",") if part.strip())


def _value(asset: Asset, name: str) -> object:
    if name in _FIELDS:
        return _FIELDS[name](asset)
    found = asset.properties.get(name, asset.metadata.get(name))
    return repr(found) if isinstance(found, list | dict) else found


def _moment(asset: Asset) -> dt.datetime:
    return asset.end or asset.start or _EARLIEST
