"""The form in which transfers go to a worker, and outcomes come back: columns in one compressed pickle.

Fields that only the coordinator needs stay there. Where nothing is pickled, in a thread, the values pass as they are.
"""

from __future__ import annotations

import pickle
import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from splashdown._engine.recipes import Recipe
from splashdown._series.outcomes import FIELDS, Rows
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
    rows = [*columns(transfers, *(f"asset.{name}" for name in (*_ASSET, "metadata", "properties")))]
    *fields, metadata, properties = zip(*rows, strict=True)
    return (
        [_shared([*column]) for column in fields],
        *_slim(metadata, properties),
        [*columns(transfers, "name")],
        _shared([str.__str__(policy) for policy in columns(transfers, "if_exists")]),
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


def _slim(metadata: Iterable[Mapping[str, Any]], properties: Iterable[Mapping[str, Any]]) -> tuple[Any, Any]:
    """The columns of metadata and properties, with what the engine looks at."""
    of_assets, of_items = list[Mapping[str, Any]](), list[Mapping[str, Any]]()
    item, schemes, changed = None, dict[str, Any](), None
    for own, common in zip(metadata, properties, strict=True):
        if common is not item:  # else it is that of the asset before
            item, changed = common, common.get("updated")
            schemes = {name: common[name] for name in common if name.endswith(":schemes")}
        names = _read_names((*own,))
        found = {name: own[name] for name in names} if names else {}  # a call for each asset would be felt
        if changed is not None and not found.get("updated"):
            found["updated"] = changed
        of_assets.append(found)
        of_items.append(schemes)
    return _shared(of_assets), _shared(of_items)


@lru_cache(maxsize=256)
def _read_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Of the names of an asset's metadata, which many assets have in common, those that a worker needs."""
    kept = [name for name in names if name in _KEPT or name.endswith((":refs", ":schemes"))]
    return tuple(name for name in kept if name != "href" or "alternate" in kept)


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

    def of(self, transfers: Sequence[Transfer]) -> Rows:
        """The outcomes, with the transfers of the coordinator. Raises ``ValueError`` where they are none of these."""
        fields, statuses, seconds, own, (prefix, places) = unpack(self._data)
        count = len(transfers)
        if len(statuses) != count or len(seconds) != count or len(fields) != len(_FIELDS):
            raise ValueError(f"the outcomes of {len(statuses)} files came back, and {count} were sent")
        found = {name: _each(column, count) for name, column in zip(_FIELDS, fields, strict=True)}
        for name, column in found.items():
            _check(name, column, count)
        names, given = [*columns(transfers, "name")], [""] * count
        for number, name in own.items():
            names[number] = given[number] = name
        locations = [prefix + name for name in names]
        for number, place in places.items():
            locations[number] = place
        _check("location", locations, count)
        found |= {"location": locations, "seconds": seconds}
        texts = [_TEXTS[number] for number in statuses]
        return Rows(transfers, [*zip(given, texts, *(found[name] for name in FIELDS), strict=True)])


_STATUSES = tuple(Status)
_TEXTS = tuple(str.__str__(status) for status in _STATUSES)
_KINDS = {"size": int, "bytes_moved": int, "attempts": int, "verified": tuple, "ours": bool}  #: others are text
_OPTIONAL = frozenset({"size", "checksum", "validator", "version", "source_mark"})


def _check(name: str, column: Sequence[Any], count: int) -> None:
    """Raise ``ValueError`` for values that no outcome has in this field."""
    found = {*map(type, column)}
    if name in _OPTIONAL:
        found.discard(type(None))
    if len(column) != count or not all(issubclass(kind, _KINDS.get(name, str)) for kind in found):
        raise ValueError(f"{name} of the outcomes that came back is not what an outcome has")


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
