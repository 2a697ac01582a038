"""The assets and features of a saved document, made one by one while it is written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from splashdown._stac.links import Linker
from splashdown._stac.public import public_href
from splashdown.model import Asset, Known, Outcome

Identity = tuple[str | None, str]

# Fields of ours on an asset, beside the file extension's: what the next run needs to recognise it.
VALIDATOR = "splashdown:validator"
ITEM = "splashdown:item"
KEY = "splashdown:key"


class Places(Mapping[Identity, tuple[str, Known]]):
    """Where each asset is, by identity: its name and what is there, whether this run put it there or an earlier one."""

    def __init__(self, landed: Iterable[Outcome], kept: Mapping[str, Known]) -> None:
        self._found: dict[Identity, Outcome | tuple[str, Known]] = {one.asset.identity: one for one in landed}
        for name, known in kept.items():
            if known.identity is not None:
                self._found.setdefault(known.identity, (name, known))

    def __getitem__(self, identity: Identity) -> tuple[str, Known]:
        found = self._found[identity]
        if isinstance(found, tuple):
            return found
        stored = Known(size=found.size or 0, checksum=found.checksum, validator=found.validator)
        return found.transfer.name, stored

    def __iter__(self) -> Iterator[Identity]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


class Assets(Mapping[str, Any]):
    """An ``assets`` object: those that the document lists, and those of the result set under their keys there."""

    def __init__(self, listed: Mapping[str, Any], placed: Mapping[str, Asset], places: Places) -> None:
        self._listed, self._placed, self._places = listed, placed, places

    def __getitem__(self, key: str) -> Any:
        asset = self._placed.get(key)
        entry = copied(self._listed[key] if asset is None or key in self._listed else asset.metadata)
        if asset is not None:
            entry["href"] = public_href(asset.href)
            place = self._places.get(asset.identity)
            if place is not None:
                describe(entry, f"./{place[0]}", place[1], asset.identity)
        elif isinstance(entry, dict) and isinstance(entry.get("href"), str):
            entry["href"] = public_href(entry["href"])
        return entry

    def __iter__(self) -> Iterator[str]:
        yield from self._listed
        yield from (key for key in self._placed if key not in self._listed)

    def __len__(self) -> int:
        return len(self._listed) + sum(key not in self._listed for key in self._placed)


class Features(Collection[Any]):
    """A ``features`` array; ``groups`` has the assets of each by its position."""

    def __init__(
        self, features: Sequence[Any], groups: Sequence[Sequence[Asset]], places: Places, base: str | None
    ) -> None:
        self._features, self._groups, self._places, self._base = features, groups, places, base

    def __iter__(self) -> Iterator[Any]:
        for feature, group in zip(self._features, self._groups, strict=True):
            if not isinstance(feature, Mapping):
                yield feature
                continue
            made = {name: value if name == "assets" else copied(value) for name, value in feature.items()}
            relink(made, self._base)
            if group or made.get("assets"):
                assets = Assets(made.get("assets") or {}, {asset.key: asset for asset in group}, self._places)
                made["assets"] = dict(assets)
            yield made

    def __len__(self) -> int:
        return len(self._features)

    def __contains__(self, feature: object) -> bool:
        return any(one == feature for one in self)


def grouped(features: Sequence[Any], assets: Sequence[Asset]) -> tuple[list[Sequence[Asset]], Sequence[Asset]]:
    """The assets of each feature, by its position, and those that belong to none; of equal ids the last has them."""
    if not features:
        return [], assets
    waiting: dict[str, list[Asset]] = {}
    for asset in assets:
        if asset.item is not None:
            waiting.setdefault(asset.item, []).append(asset)
    groups: list[Sequence[Asset]] = [()] * len(features)
    for position in reversed(range(len(features))):
        feature = features[position]
        name = feature.get("id") if isinstance(feature, Mapping) else None
        if isinstance(name, str):
            groups[position] = waiting.pop(name, ())
    return groups, [asset for asset in assets if asset.item is None or asset.item in waiting]


def key_of(document: Mapping[str, Any], listed: Mapping[str, Any], asset: Asset) -> str:
    """The key of an asset in the root document: the one that it is listed with there, else ``item/key``.

    openEO (API 1.x) wants every asset of linked items listed at the collection too, and one document is enough for a
    receipt.
    """
    item, key = asset.item, asset.key
    if asset.listed_as is not None:
        return asset.listed_as
    return key if item is None or document.get("type") == "Feature" or _same(listed, item, key) else f"{item}/{key}"


def _same(assets: Mapping[str, Any], item: str, key: str) -> bool:
    entry = assets.get(key)
    return isinstance(entry, dict) and entry.get(ITEM) == item


def describe(entry: dict[str, Any], href: str, known: Known, identity: Identity) -> None:
    """Make an asset object say what is stored: ``href`` is relative to its document."""
    entry.update({"href": href, "file:size": known.size, KEY: identity[1]})
    entry.pop("alternate", None)
    for field_name, value in (("file:checksum", known.checksum), (VALIDATOR, known.validator), (ITEM, identity[0])):
        if value is None:
            entry.pop(field_name, None)
        else:
            entry[field_name] = value


def relink(document: dict[str, Any], base: str | None) -> None:
    """Leave out links that the receipt answers itself (items, children, pages, ``self``); make the others absolute.

    Every asset that was found by way of the links is listed here, and a reader of the receipt would follow them to
    documents that are not beside it, or need the signature that is not written down.
    """
    if "links" in document:
        Linker(name="", base=base).apply(document, root="", parent="")


def copied(value: Any) -> Any:
    """A JSON value whose objects and arrays are new, at a fifth of the cost of ``copy.deepcopy``."""
    if isinstance(value, Mapping):
        return {name: copied(one) for name, one in value.items()}
    return [copied(one) for one in value] if isinstance(value, list | tuple) else value
