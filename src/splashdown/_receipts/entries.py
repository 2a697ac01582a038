"""The assets and features of a saved document, made one by one while it is written."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from operator import attrgetter
from typing import Any

from splashdown._receipts.in_order import in_order
from splashdown._receipts.links import Linker
from splashdown._series.documents import is_packed
from splashdown._series.lazy import Following
from splashdown._series.outcomes import PackedOutcomes
from splashdown._stac.hrefs import public_href
from splashdown._stac.marks import ITEM, KEY, OURS, SOURCE, VALIDATOR, VERSION
from splashdown.columns import cells, columns
from splashdown.model import Asset, Outcome, StoredRecord

Identity = tuple[str | None, str]
_PLAIN = (str, int, float)


#: What a receipt says of a stored file: size, checksum, validator, whether it is ours, version, mark of the source.
#: A plain tuple: to make a record of each costs more than to write it.
StoredFields = tuple[int | None, str | None, str | None, bool, str | None, str | None]
_FIELDS = ("size", "checksum", "validator", "ours", "version", "source_mark")
fields_of: Callable[[StoredRecord], StoredFields] = attrgetter(*_FIELDS)

#: Gives the place of the asset at a position: its name, and the fields above.
PlaceOf = Callable[[int], tuple[Any, ...] | None]


class Places(Mapping[Identity, tuple[str, StoredRecord]]):
    """Where each asset is, by identity: its name and what is there, whether this run put it there or an earlier one."""

    def __init__(self, landed: Sequence[Outcome], kept: Mapping[str, StoredRecord]) -> None:
        self._landed, self._kept = landed, kept

    @cached_property
    def _place(self) -> Callable[[int], Any]:
        return cells(self._landed, "transfer.name", *_FIELDS)

    @cached_property
    def _found(self) -> dict[Identity, int | tuple[str, StoredRecord]]:
        found: dict[Identity, int | tuple[str, StoredRecord]] = {
            one: at for at, one in enumerate(columns(self._landed, "asset.item", "asset.key"))
        }
        for name, record in self._kept.items():
            if record.identity is not None:
                found.setdefault(record.identity, (name, record))
        return found

    def each(self, assets: Sequence[Asset]) -> PlaceOf:
        """A function that gives the place of the asset at a position, ``None`` for one that is not there.

        Outcomes come in the order of the assets, as a rule. Then eight bytes for an asset do instead of the index.
        """
        place = Following(self._landed, "transfer.name", *_FIELDS)
        if isinstance(self._landed, PackedOutcomes) and self._landed.assets is assets:
            return place
        outcomes = array("q", [-1]) * len(assets)
        following = enumerate(columns(self._landed, "asset.item", "asset.key"))
        number, waiting = next(following, (-1, None))
        for at, identity in enumerate(columns(assets, "item", "key")):
            if identity == waiting:
                outcomes[at] = number
                number, waiting = next(following, (-1, None))
        if len(self._landed) == len(assets) and waiting is None:  # each has its own number
            return place
        identity_at = cells(assets, "item", "key")

        def place_of(at: int) -> tuple[Any, ...] | None:
            if waiting is None and (number := outcomes[at]) >= 0:
                stored: tuple[Any, ...] = place(number)
                return stored
            found = self.get(identity_at(at)) if waiting is not None or self._kept else None
            return None if found is None else (found[0], *fields_of(found[1]))

        return place_of

    def __getitem__(self, identity: Identity) -> tuple[str, StoredRecord]:
        place: tuple[str, StoredRecord] | None = self.get(identity)
        if place is None:
            raise KeyError(identity)
        return place

    def get(self, identity: Identity, default: Any = None) -> Any:
        """Where an asset is, ``default`` for one that is not there; not by way of an exception, for each asset."""
        found = self._found.get(identity)
        if found is None:
            return default
        if not isinstance(found, int):
            return found
        return self._record(found)

    def _record(self, number: int) -> tuple[str, StoredRecord]:
        name, size, *fields = self._place(number)
        return name, StoredRecord(size=size or 0, **dict(zip(_FIELDS[1:], fields, strict=True)))

    def __iter__(self) -> Iterator[Identity]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


class Assets(Mapping[str, Any]):
    """An ``assets`` object: those that the document lists, and those of the result set under their keys there.

    ``placed`` has the positions of the latter, and ``fields`` gives item, key and href of the asset at a position.
    ``decoded`` is what is listed when it comes out of packed documents.
    """

    def __init__(
        self,
        listed: Mapping[str, Any],
        assets: Sequence[Asset],
        placed: Mapping[str, int],
        place_of: PlaceOf,
        fields: Callable[[int], Any] | None = None,
        *,
        decoded: bool = False,
    ) -> None:
        self._listed, self._assets, self._placed, self._place_of = listed, assets, placed, place_of
        self._fields = fields or Following(assets, "item", "key", "href")
        self._copied = _own if decoded or is_packed(listed) else copied

    def __getitem__(self, key: str) -> Any:
        at = self._placed.get(key)
        return self._entry(self._listed[key] if at is None or key in self._listed else self._assets[at].metadata, at)

    def entries(self) -> Iterator[tuple[str, Any]]:
        """All members, for little: to ask for each by its key costs some calls more."""
        placed, listed = self._placed, self._listed
        for key, value in listed.items():
            yield key, self._entry(value, placed.get(key))
        for key, at in placed.items():
            if key not in listed:
                yield key, self._entry(self._assets[at].metadata, at)

    def _entry(self, value: Any, at: int | None) -> Any:
        entry = self._copied(value)
        if isinstance(entry, dict):
            for name in [*entry]:
                if name.startswith(OURS) and name != ITEM:  # as drop_marks()
                    del entry[name]
        if at is not None:
            item, own, href = self._fields(at)
            place = self._place_of(at)
            if place is None:
                entry["href"] = public_href(href)
            else:
                describe_stored(entry, f"./{place[0]}", place[1:], item, own)
        elif isinstance(entry, dict) and isinstance(entry.get("href"), str):
            entry["href"] = public_href(entry["href"])
        return entry

    def __iter__(self) -> Iterator[str]:
        yield from self._listed
        yield from (key for key in self._placed if key not in self._listed)

    def __len__(self) -> int:
        return len(self._listed) + len(self._placed) - sum(map(self._listed.__contains__, self._placed))


class Features(Collection[Any]):
    """A ``features`` array; ``groups`` has the positions of each one's assets."""

    def __init__(
        self,
        features: Sequence[Any],
        assets: Sequence[Asset],
        groups: Sequence[Sequence[int]],
        place_of: PlaceOf,
        base: str | None,
    ) -> None:
        self._features, self._assets, self._groups = features, assets, groups
        self._place_of, self._base = place_of, base

    def __iter__(self) -> Iterator[Any]:
        fields, keys = Following(self._assets, "item", "key", "href"), Following(self._assets, "key")
        decoded = is_packed(self._features)
        for feature, group in zip(self._features, self._groups, strict=True):
            if not isinstance(feature, Mapping):
                yield feature
                continue
            if decoded:
                made = dict(feature)
            else:
                made = {name: value if name == "assets" else copied(value) for name, value in feature.items()}
            relink(made, self._base)
            if group or "assets" in made:
                placed = {keys(at): at for at in group}
                found = Assets(members(made), self._assets, placed, self._place_of, fields, decoded=decoded)
                made["assets"] = dict(found.entries())
            yield made

    def __len__(self) -> int:
        return len(self._features)

    def __contains__(self, feature: object) -> bool:
        return any(one == feature for one in self)


def members(owner: Mapping[str, Any]) -> Mapping[str, Any]:
    """The ``assets`` that an Item or a Collection lists; none where they are not an object, as some sources have it."""
    assets = owner.get("assets")
    return assets if isinstance(assets, Mapping) else {}


def grouped(features: Sequence[Any], assets: Sequence[Asset]) -> tuple[Sequence[Sequence[int]], Sequence[int]]:
    """The assets of each feature, and those that belong to none, by their positions; of equal ids the last has them."""
    if not features:
        return [], range(len(assets))
    if (found := in_order(features, assets)) is not None:
        return found
    waiting: dict[str, list[int]] = {}
    others: list[int] = []
    for at, item in enumerate(columns(assets, "item")):
        (others if item is None else waiting.setdefault(item, [])).append(at)
    groups: list[Sequence[int]] = [()] * len(features)
    for position in reversed(range(len(features))):
        feature = features[position]
        name = feature.get("id") if isinstance(feature, Mapping) else None
        if isinstance(name, str):
            groups[position] = waiting.pop(name, ())
    return groups, sorted(chain(others, *waiting.values()))


def key_of(
    document: Mapping[str, Any], listed: Mapping[str, Any], item: str | None, key: str, listed_as: str | None
) -> str:
    """The key of an asset in the root document: the one that it is listed with there, else ``item/key``.

    openEO (API 1.x) wants every asset of linked items listed at the collection too, and one document is enough for a
    receipt.
    """
    if listed_as is not None:
        return listed_as
    return key if item is None or document.get("type") == "Feature" or _same(listed, item, key) else f"{item}/{key}"


def _same(assets: object, item: str, key: str) -> bool:
    entry = assets.get(key) if isinstance(assets, Mapping) else None
    return isinstance(entry, dict) and entry.get(ITEM) == item


def drop_marks(entry: dict[str, Any]) -> None:
    """Take the fields of this project out of what came from a source, which may not say what is in this target.

    The item that a saved document names says which asset it is, and nothing of a file.
    """
    for name in [name for name in entry if name.startswith(OURS) and name != ITEM]:
        del entry[name]


def describe_stored(entry: dict[str, Any], href: str, stored: StoredFields, item: str | None, key: str) -> None:
    """Make an asset object say what is stored: ``href`` is relative to its document.

    ``KEY`` is the mark of what is ours: without it no later run replaces, verifies or removes the file.
    """
    size, checksum, validator, ours, version, source_mark = stored
    entry["href"], entry["file:size"] = href, size or 0
    entry.pop("alternate", None)
    for field_name, value in (
        (KEY, key if ours else None),
        ("file:checksum", checksum),
        (VALIDATOR, validator),
        (VERSION, version),
        (SOURCE, source_mark),
        (ITEM, item),
    ):
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


def _own(value: Any) -> Any:
    """A JSON value that was decoded from a packed one, to be changed at its top: what it holds is shared, and stays."""
    return dict(value) if isinstance(value, Mapping) else value


def copied(value: Any) -> Any:
    """A JSON value whose objects and arrays are new, at a fifth of the cost of ``copy.deepcopy``."""
    if value is None or isinstance(value, _PLAIN):  # most are; to ask for a mapping costs a call
        return value
    if isinstance(value, dict) or isinstance(value, Mapping):  # noqa: SIM101 - the first is not a call either
        made = dict(value)
        for name, one in made.items():
            if one is not None and not isinstance(one, _PLAIN):
                made[name] = copied(one)
        return made
    return [copied(one) for one in value] if isinstance(value, list | tuple) else value
