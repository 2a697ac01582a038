"""Makes assets of STAC documents: absolute hrefs, unique identities, the same file once. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from splashdown._documents.document import Document, links_of
from splashdown._documents.places import shown, why_refused
from splashdown._series.assets import pack
from splashdown._series.digests import Seen
from splashdown._series.documents import Place
from splashdown._series.items import PackedItems
from splashdown._stac.describe import advertised_href, describer, text
from splashdown._stac.migrate import kind_of
from splashdown.model import Asset
from splashdown.redact import safely_shown
from splashdown.sources import bare_href

#: Most warnings about assets that were left out; the rest is counted.
_MOST_WARNINGS = 20


@safely_shown
@dataclass(slots=True, repr=False)
class Collector:
    """Collects items and assets of one source; ``warnings`` has a line for each asset that was left out.

    Assets of packed items refer to fields of their items.
    """

    alternate: str | None = None
    items: PackedItems | list[dict[str, Any]] = field(default_factory=PackedItems)
    warnings: list[str] = field(default_factory=list)
    left_out: int = 0
    broken: bool = False  #: whether an asset had no href, or an item was not one
    # There may be very many items, and of nearly all the id is their own.
    _ids: Seen = field(default_factory=Seen)
    _repeated: dict[str, int] = field(default_factory=dict)
    _places: Seen = field(default_factory=Seen)

    def add(self, document: Document) -> Sequence[Asset]:
        """Keep an Item or a Collection that was found below the root; returns its assets.

        A repeated item gives no assets; another item with the same id gets the id ``id-2``. An asset without an href,
        or with one that such a document may not link, is left out with a warning, as are assets that are not a JSON
        object.
        """
        if kind_of(document.body) != "Feature":
            return self._assets_of(document, None)
        name = text(document.body.get("id")) or "item"
        own = _self_href(document.body)
        # An item without a link to itself, in a document of many, repeats none.
        new = self._places.add(repr((name, own or document.place))) if own or not document.inside else True
        if own and not new:
            return []
        if not self._ids.add(name):
            count = self._repeated[name] = self._repeated.get(name, 1) + 1
            name = f"{name}-{count}"
        return self._assets_of(document, name)

    def own(self, document: Document) -> Sequence[Asset]:
        """The assets of a Collection (or Catalog) itself."""
        return pack(self._assets(document, None))

    def _assets_of(self, document: Document, item: str | None) -> Sequence[Asset]:
        """Keep a document; returns its assets."""
        if isinstance(self.items, PackedItems):
            return pack(self._assets(document, item, self.items.keep(document.body)))
        self.items.append(document.body)
        return pack(self._assets(document, item))

    def _assets(self, document: Document, item: str | None, place: Place | None = None) -> Iterator[Asset]:
        assets = document.body.get("assets")
        if assets is None or assets == []:  # an empty list stands for an empty object in some encoders
            return
        if type(assets) is not dict and not isinstance(assets, Mapping):
            self.leave_out_broken(f"{_named(document)} was left out: it has assets that are not a JSON object")
            return
        describe = describer(item, document.body, place)
        for key, metadata in assets.items():
            href = advertised_href(metadata, self.alternate)
            if href is None:
                self.leave_out_broken(f"{_named(document)}: the asset {key!r} was left out: it has no href")
                continue
            absolute = document.resolve(href)
            if absolute is None:
                self._leave_out(_refused(document, key, href))
                continue
            yield describe(key, absolute, metadata)

    def leave_out_broken(self, line: str) -> None:
        """Note an item or an asset that is not as STAC has it."""
        self.broken = True
        self._leave_out(line)

    def _leave_out(self, line: str) -> None:
        self.left_out += 1
        if self.left_out <= _MOST_WARNINGS:
            self.warnings.append(line)


def _refused(document: Document, key: str, href: str) -> str:
    why = why_refused(document.place, href)
    return f"{_named(document)}: the asset {key!r} was left out ({href[:80]!r}): {why}"


def without_repeats(own: Sequence[Asset], in_items: Sequence[Asset]) -> Sequence[Asset]:
    """A collection's own assets, less those whose file an item has; the item's asset then has its listed key."""
    if not own or not in_items:
        return own or in_items
    places = {bare_href(asset.href): i for i, asset in enumerate(own)}
    merged: list[Asset] = []
    repeated: set[int] = set()
    for asset in in_items:
        at = places.get(bare_href(asset.href))
        if at is not None:
            repeated.add(at)
            asset = replace(asset, listed_as=own[at].key, size=asset.size if asset.size is not None else own[at].size)
        merged.append(asset)
    return pack(chain((asset for i, asset in enumerate(own) if i not in repeated), merged))


def _named(document: Document) -> str:
    name = text(document.body.get("id"))
    kind = "item" if kind_of(document.body) == "Feature" else "document"
    return f"{kind} {name!r}" if name else shown(document.place)


def _self_href(body: Mapping[str, Any]) -> str | None:
    link = next(links_of(body, ("self",)), None)
    return text(link["href"]) if link else None
