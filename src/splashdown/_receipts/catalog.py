"""A self-contained STAC catalog of what landed: which documents there are, and what stands in them. Pure.

Storing them is for :mod:`splashdown.builtins.collection`. The documents of the result set are never changed.
"""

from __future__ import annotations

import copy
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from splashdown._receipts import document as receipt
from splashdown._receipts.entries import describe_stored, drop_marks, fields_of
from splashdown._receipts.links import Linker
from splashdown._receipts.names import HIDDEN, NAMES
from splashdown._series.documents import plain
from splashdown._stac.describe import text
from splashdown._stac.hrefs import public_href
from splashdown._stac.marks import OURS
from splashdown._stac.migrate import kind_of, up_to_date
from splashdown.model import Asset, ResultSet, StoredRecord
from splashdown.redact import safely_shown
from splashdown.safe_names import fold, numbered, safe_segment

ALTERNATE_EXTENSION = "https://stac-extensions.github.io/alternate-assets/v1.2.0/schema.json"
_ROOTS = {"Feature": "item.json", "Collection": "collection.json", "Catalog": "catalog.json"}
#: The version of documents that are made here.
_VERSION = "1.1.0"

#: Where an asset is, and what is known of it.
Place = tuple[str, StoredRecord]


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Page:
    """One document of the output: its name below the target, its source, and the item its assets belong to."""

    name: str
    body: Mapping[str, Any]
    item: str | None = None

    @property
    def folder(self) -> str:
        """The folder of the document."""
        return posixpath.dirname(self.name)


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Arrangement:
    """The documents of the output: the root, collections below it, items."""

    root: Page
    collections: Mapping[str, Page] = field(default_factory=dict)
    items: tuple[Page, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all documents."""
        return (self.root.name, *(page.name for page in (*self.collections.values(), *self.items)))

    @property
    def layout(self) -> str:
        """The template that puts assets beside the documents of their items."""
        layouts = {"Feature": "{filename}", "Collection": "{item}/{filename}"}
        return layouts.get(kind_of(self.root.body), "by-item")


def arrange(result_set: ResultSet) -> Arrangement:
    """Choose a name for every document."""
    body = _current(result_set.document)
    members = body.get("features") or result_set.items
    if kind_of(body) == "FeatureCollection":
        body = {"type": "Catalog", "stac_version": _VERSION, "id": result_set.id, "description": _about(result_set)}
    root = Page(name=_ROOTS.get(kind_of(body), "catalog.json"), body=body, item=_only_item(body))
    taken = {fold(root.name), *(fold(name) for name in (*NAMES.values(), HIDDEN))}
    collections: dict[str, Page] = {}
    for member in map(_current, members):
        if kind_of(member) in {"Collection", "Catalog"}:
            name = text(member.get("id")) or "collection"
            folder = _unique(safe_segment(name), taken)
            collections.setdefault(name, Page(name=f"{folder}/{_ROOTS[kind_of(member)]}", body=member))
    items = tuple(_items(members, root, collections, taken))
    return Arrangement(root=root, collections=collections, items=items)


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Writer:
    """Makes the documents. ``places`` says where assets are; the others are kept with their hrefs, or dropped."""

    arrangement: Arrangement
    result_set: ResultSet
    places: Mapping[tuple[str | None, str], Place]
    keep_missing: bool = False
    original_hrefs: bool = False
    recorded: Mapping[str, StoredRecord] = field(default_factory=dict)  #: what earlier runs left in the target

    def documents(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Name and body of each document, items first, the root last: who finds the root finds all."""
        by_owner = self._by_owner()
        below: dict[str, list[tuple[str, str]]] = {}
        for page in self.arrangement.items:
            body = self._body(page, by_owner)
            if not body["assets"] and not self.keep_missing:
                continue
            parent = self._parent(page)
            Linker(page.name, self.result_set.href).apply(body, self.arrangement.root.name, parent.name)
            below.setdefault(parent.name, []).append(("item", page.name))
            yield page.name, body
        for page in self.arrangement.collections.values():
            if page.name not in below and not (page.body.get("assets") and self.keep_missing):
                continue
            body = self._body(page, by_owner)
            linker = Linker(page.name, self.result_set.href)
            linker.apply(body, self.arrangement.root.name, self.arrangement.root.name, below.get(page.name, ()))
            below.setdefault(self.arrangement.root.name, []).append(("child", page.name))
            yield page.name, body
        root = self.arrangement.root
        body = self._body(root, by_owner)
        linker = Linker(root.name, self.result_set.href)
        # The root of a catalog is never an item (STAC Item, "Relation types").
        linker.apply(body, "" if root.item else root.name, "", below.get(root.name, ()))
        receipt.keep_stale(body, self.result_set.assets, self.places, self.recorded)
        yield root.name, body

    def item_collection(self) -> dict[str, Any]:
        """All items as one document, with hrefs relative to the target."""
        by_owner = self._by_owner()
        features = []
        pages = self.arrangement.items or ((self.arrangement.root,) if self.arrangement.root.item else ())
        for page in pages:
            flat = Page(name="items.json", body=page.body, item=page.item)
            body = self._body(flat, by_owner)
            if body["assets"] or self.keep_missing:
                Linker(flat.name, self.result_set.href).apply(body, "", "")
                features.append(body)
        body = {"type": "FeatureCollection", "features": features}
        receipt.keep_stale(body, self.result_set.assets, self.places, self.recorded)
        return body

    def _parent(self, page: Page) -> Page:
        return self.arrangement.collections.get(str(page.body.get("collection")), self.arrangement.root)

    def _by_owner(self) -> dict[str | None, dict[str, Asset]]:
        owners: dict[str | None, dict[str, Asset]] = {}
        root_item = self.arrangement.root.item
        for asset in self.result_set.assets:
            owners.setdefault(asset.item, {})[asset.key] = asset
            # A file that the root document lists as well has one description in both.
            if asset.listed_as is not None:
                owners.setdefault(None, {}).setdefault(asset.listed_as, asset)
            elif root_item is not None and asset.item is None:
                owners.setdefault(root_item, {}).setdefault(asset.key, asset)
        return owners

    def _body(self, page: Page, by_owner: Mapping[str | None, Mapping[str, Asset]]) -> dict[str, Any]:
        body = copy.deepcopy({name: value for name, value in page.body.items() if not name.startswith(OURS)})
        assets = body.get("assets")
        own = by_owner.get(page.item, {})
        kept = {
            key: entry
            for key, value in (assets.items() if isinstance(assets, Mapping) else ())
            if (entry := self._entry(page, dict(value), own.get(key))) is not None
        }
        if kept or "assets" in body or kind_of(body) == "Feature":
            body["assets"] = kept
        if any("file:size" in entry for entry in kept.values()):
            receipt.declare(body, receipt.FILE_EXTENSION, "/file/")
        if any("alternate" in entry for entry in kept.values()):
            receipt.declare(body, ALTERNATE_EXTENSION, "/alternate-assets/")
        return body

    def _entry(self, page: Page, entry: dict[str, Any], asset: Asset | None) -> dict[str, Any] | None:
        drop_marks(entry)
        place = self.places.get(asset.identity) if asset is not None else None
        if asset is None or place is None:
            return self._missing(entry, asset) if self.keep_missing else None
        name, record = place
        alternate = _public_alternates(entry) if self.original_hrefs else {}
        if self.original_hrefs:
            alternate["original"] = {"href": public_href(asset.href)}
        describe_stored(entry, _relative(name, page.folder), fields_of(record), *asset.identity)
        # The extension of files knows no segment that starts or ends in a hyphen.
        if not any(segment.startswith("-") or segment.endswith("-") for segment in name.split("/")):
            entry["file:local_path"] = name
        if alternate:
            entry["alternate"] = alternate
        return entry

    def _missing(self, entry: dict[str, Any], asset: Asset | None) -> dict[str, Any]:
        href = asset.href if asset is not None else str(entry.get("href", ""))
        entry["href"] = public_href(href)
        entry["splashdown:missing"] = True
        if alternates := _public_alternates(entry):
            entry["alternate"] = alternates
        return entry


def _items(
    members: Iterable[Mapping[str, Any]], root: Page, collections: Mapping[str, Page], taken: set[str]
) -> Iterator[Page]:
    counts: dict[str, int] = {}
    for member in map(_current, members):
        if kind_of(member) != "Feature":
            continue
        name = text(member.get("id")) or "item"
        count = counts[name] = counts.get(name, 0) + 1
        own = name if count == 1 else f"{name}-{count}"
        collection = text(member.get("collection"))
        folder = ""
        if collection and collection != root.body.get("id"):
            page = collections.get(collection)
            folder = f"{page.folder if page else safe_segment(collection)}/"
        segment = safe_segment(own)
        folder = _unique(folder + segment, taken)
        yield Page(name=f"{folder}/{segment}.json", body=member, item=own)


def _unique(name: str, taken: set[str]) -> str:
    head, slash, last = name.rpartition("/")
    number = 2
    free = name
    while fold(free) in taken:
        free = f"{head}{slash}{numbered(last, number)}"
        number += 1
    taken.add(fold(free))
    return free


def _relative(name: str, folder: str) -> str:
    path = posixpath.relpath(name, folder or ".")
    return path if path.startswith("..") else f"./{path}"


def _public_alternates(entry: Mapping[str, Any]) -> dict[str, Any]:
    found = entry.get("alternate")
    return {
        name: {**other, "href": public_href(other["href"])}
        for name, other in (found.items() if isinstance(found, Mapping) else ())
        if isinstance(other, Mapping) and isinstance(other.get("href"), str)
    }


def _current(body: Mapping[str, Any]) -> dict[str, Any]:
    ready = plain(dict(body))
    if kind_of(ready) == "Feature" and not isinstance(ready.get("stac_version"), str):
        # Before 0.8 only catalogs said their version. A newer one without a version has no field of old names to move.
        ready["stac_version"] = "0.7.0"
    return up_to_date(ready, "a document of the results")


def _only_item(body: Mapping[str, Any]) -> str | None:
    return (text(body.get("id")) or "item") if kind_of(body) == "Feature" else None


def _about(result_set: ResultSet) -> str:
    source = public_href(result_set.href) if result_set.href else ""
    return f"Items of {source}" if source.startswith("http") else "A collection of items"
