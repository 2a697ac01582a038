"""The documents below a Catalog or Collection: which links are followed, and which documents have assets.

STAC APIs are left to ``api.py``, the assets of the documents to ``assets.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from splashdown._documents.document import Document, links_of
from splashdown._documents.geoparquet import is_table, read_items
from splashdown._documents.places import resolve_href, shown
from splashdown._documents.reading import Reader
from splashdown._documents.walk import Walk
from splashdown._stac.migrate import kind_of, up_to_date
from splashdown._stac.needs import needs_of_link
from splashdown.builtins.stac.api import pages
from splashdown.errors import AuthError, ResolveError
from splashdown.redact import safely_shown
from splashdown.sources import is_in_store, is_url

_RELS = ("item", "child", "items")


def walk_tree(reader: Reader, max_documents: int) -> Walk:
    """A walk over static catalogs; it yields items, and collections for their own assets."""
    tree = _Tree(reader)
    return Walk(
        read=tree.read,
        items=tree.items,
        links=tree.links,
        advice="if that is right, raise max_documents",
        max_documents=max_documents,
        broken=tree.broken,
    )


@safely_shown
@dataclass(frozen=True, slots=True, repr=False)
class _Tree:
    reader: Reader
    broken: list[str] = field(default_factory=list)
    tables: set[str] = field(default_factory=set)  #: linked STAC-GeoParquet files
    needs: dict[str, str] = field(default_factory=dict)  #: what documents need, as far as their links say

    def read(self, place: str) -> Document:
        if place in self.tables:
            return Document(place=place, body={"type": "FeatureCollection"})
        try:
            found = self.reader.read(place)
        except AuthError as error:
            if place in self.needs:
                error.args = (f"{error}; by its link it needs: {self.needs[place]}",)
            raise
        document = Document(place=found.place, body=up_to_date(found.body, shown(place)))
        if not kind_of(document.body):
            raise ResolveError(f"{shown(document.place)} is not a STAC document")
        return document

    def items(self, document: Document) -> Iterable[Document]:
        kind = kind_of(document.body)
        if document.place in self.tables:
            return read_items(document.place, self.reader)
        if kind == "FeatureCollection":
            return pages(self.reader, document, self.broken.append)
        return [document] if kind in {"Feature", "Collection"} or document.body.get("assets") else []

    def links(self, document: Document) -> Iterator[str]:
        if kind_of(document.body) not in {"Catalog", "Collection"}:
            return
        # A collection may list its items one by one, a page at a time, and in a table: the first of these is read.
        each = any(links_of(document.body, ("item",)))
        lists = [link for link in links_of(document.body, ("items",)) if not is_table(link["href"], link.get("type"))]
        for link in links_of(document.body, _RELS):
            if link["rel"] == "items" and (each or (lists and link is not lists[0])):
                continue
            place = resolve_href(document.place, link["href"])
            if place is not None and is_table(place, link.get("type")):
                self.tables.add(place)
            if place is None or not _may_name(document.place, place):
                why = "which it may not read" if document.place else "but it has no place of its own: pass base="
                self.broken.append(f"{shown(document.place)} links {link['href']!r}, {why}")
                continue
            if needs := needs_of_link(link, document.body):
                self.needs[place.partition("#")[0]] = needs
            yield place


def _may_name(document: str, place: str) -> bool:
    """Whether a document may name a place: stores are read with the user's credentials, so within one bucket only."""
    if is_in_store(place):
        return place.split("/")[:3] == document.split("/")[:3]
    return is_url(place) or place.startswith("file:")
