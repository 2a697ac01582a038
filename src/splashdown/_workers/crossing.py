"""The form in which transfers go to a worker, and outcomes come back: columns in one compressed pickle.

Fields that only the coordinator needs stay there. Where nothing is pickled, in a thread, the values pass as they are.
"""

from __future__ import annotations

import pickle
import zlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from splashdown._engine.recipes import Recipe
from splashdown.columns import columns
from splashdown.model import Asset, IfExists, Outcome, Status, Transfer

#: The parts of an asset's metadata that decide how it is read; a mark is made of ``updated``.
_KEPT = frozenset({"alternate", "updated", "href"})
_ASSET = ("key", "href", "item", "media_type", "size", "checksum")
_FIELDS = (
    "size", "checksum", "verified", "validator", "bytes_moved", "attempts", "error_type", "error", "reason", "ours",
    "version", "source_mark",
)  # fmt: skip


def pack(value: object) -> bytes:
    """A value in few bytes."""
    return zlib.compress(pickle.dumps(value, pickle.HIGHEST_PROTOCOL), 1)


def unpack(data: bytes) -> Any:
    """The value again."""
    return pickle.loads(zlib.decompress(data))  # noqa: S301 - of a process of the same run


class Slice:
    """Some transfers of a plan, and how assets among them are made of others."""

    def __init__(self, transfers: Sequence[Transfer], recipes: Mapping[str, Recipe] | None = None) -> None:
        self.transfers, self.recipes = transfers, recipes or {}

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what a worker needs of them."""
        return _slice_again, (pack((_to_columns(self.transfers), self.recipes)),)


def _slice_again(data: bytes) -> Slice:
    transfers, recipes = unpack(data)
    return Slice(_of_columns(transfers), recipes)


def _to_columns(transfers: Sequence[Transfer]) -> tuple[Any, ...]:
    assets = [transfer.asset for transfer in transfers]
    return (
        [_shared(list(columns(assets, name))) for name in _ASSET],
        _shared([_slim(asset) for asset in assets]),
        _shared([_schemes(asset.properties) for asset in assets]),
        [transfer.name for transfer in transfers],
        _shared([str.__str__(transfer.if_exists) for transfer in transfers]),
    )


def _of_columns(data: tuple[Any, ...]) -> tuple[Transfer, ...]:
    fields, metadata, properties, names, policies = data
    count = len(names)
    rows = zip(*(_each(column, count) for column in fields), strict=True)
    rest = zip(_each(metadata, count), _each(properties, count), names, _each(policies, count), strict=True)
    return tuple(
        Transfer(
            asset=Asset(**dict(zip(_ASSET, row, strict=True)), metadata=own, properties=common),
            name=name,
            if_exists=IfExists(policy),
        )
        for row, (own, common, name, policy) in zip(rows, rest, strict=True)
    )


def _slim(asset: Asset) -> Mapping[str, Any]:
    """The metadata that the engine looks at."""
    found = {
        name: value for name, value in asset.metadata.items() if name in _KEPT or name.endswith((":refs", ":schemes"))
    }
    if "alternate" not in found:
        found.pop("href", None)
    updated = asset.metadata.get("updated") or asset.properties.get("updated")
    return found | ({"updated": updated} if updated is not None else {})


def _schemes(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in properties.items() if name.endswith(":schemes")}


def _shared(values: list[Any]) -> Any:
    """A column; a tuple of one where all values are equal."""
    # Compared as lists: a generator would cost a call for each value.
    return (values[0],) if values and values == values[:1] * len(values) else values or (None,)


def _each(column: Any, count: int) -> list[Any]:
    return [column[0]] * count if isinstance(column, tuple) else column


class Outcomes:
    """The outcomes of a slice, in its order, without their transfers."""

    def __init__(self, outcomes: Sequence[Outcome], names: Sequence[str]) -> None:
        self._outcomes = outcomes
        self._names = names

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle their columns."""
        return _Packed, (pack(_outcome_columns(self._outcomes, self._names)),)

    def of(self, transfers: Sequence[Transfer]) -> Sequence[Outcome]:
        """The outcomes, with the transfers of the coordinator."""
        return [
            replace(outcome, transfer=_named(transfer, outcome.transfer.name))
            for outcome, transfer in zip(self._outcomes, transfers, strict=True)
        ]


class _Packed:
    """The same in the process that got them."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def of(self, transfers: Sequence[Transfer]) -> Sequence[Outcome]:
        """The outcomes, with the transfers of the coordinator."""
        fields, statuses, seconds, names, (prefix, places) = unpack(self._data)
        count = len(transfers)
        rows = zip(*(_each(column, count) for column in fields), strict=True)
        found = []
        for number, row in enumerate(rows):
            transfer = _named(transfers[number], names.get(number)) if names else transfers[number]
            place = places.get(number) if places else None
            found.append(
                Outcome(
                    transfer=transfer,
                    status=_STATUSES[statuses[number]],
                    location=prefix + transfer.name if place is None else place,
                    seconds=seconds[number],
                    **dict(zip(_FIELDS, row, strict=True)),
                )
            )
        return found


_STATUSES = tuple(Status)


def _named(transfer: Transfer, name: str | None) -> Transfer:
    return transfer if name is None or name == transfer.name else replace(transfer, name=name)


def _outcome_columns(outcomes: Sequence[Outcome], names: Sequence[str]) -> tuple[Any, ...]:
    own = {n: one.transfer.name for n, one in enumerate(outcomes) if one.transfer.name != names[n]}
    return (
        [_shared(list(columns(outcomes, name))) for name in _FIELDS],
        bytes(_STATUSES.index(one.status) for one in outcomes),
        array("f", (one.seconds for one in outcomes)),
        own,
        _places(outcomes),
    )


def _places(outcomes: Sequence[Outcome]) -> tuple[str, dict[int, str]]:
    """What the locations begin with, and those that are not that and the name."""
    landed = next((one for one in outcomes if one.location.endswith(one.transfer.name)), None)
    prefix = landed.location.removesuffix(landed.transfer.name) if landed else ""
    return prefix, {n: one.location for n, one in enumerate(outcomes) if one.location != prefix + one.transfer.name}


#: What comes back, pickled or not.
Returned = Outcomes | _Packed
