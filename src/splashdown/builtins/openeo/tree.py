"""A results document and the documents that it links: items, pages of items, sub-catalogs.

Which assets they have is left to ``assets.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from splashdown._documents.document import Document, links_of
from splashdown._documents.places import resolve_href, shown
from splashdown._documents.reading import ReadingProgress
from splashdown._documents.walk import Walk
from splashdown._stac.describe import text
from splashdown.errors import ResolveError
from splashdown.sources import is_url

_CHILD_RELS = ("item", "items", "child")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A results document, the items below it in the order of their links, and what went wrong on the way."""

    root: Document
    items: tuple[Document, ...] = ()
    broken: tuple[str, ...] = ()


def read_tree(root: Document, get: Callable[[str], Document], progress: ReadingProgress) -> Tree:
    """Follow the links of a Collection, level by level; a Feature (API 1.0) has everything in itself.

    A document that cannot be read is noted in ``broken``. Raises :class:`~splashdown.errors.ResolveError` for a
    circle of links, for too many documents and for a link that leaves the web.
    """
    check_results(root)
    if root.body.get("type") == "Feature":
        return Tree(root=root)

    def read(place: str) -> Document:
        found = _checked(get(place))
        progress.document()
        return found

    walk = Walk(read=read, items=_items, links=_links, advice="this looks like a tree without end")
    items = tuple(progress.counted(walk.below(root)))
    return Tree(root=root, items=items, broken=tuple(walk.broken))


def check_results(document: Document) -> None:
    """Refuse a JSON object that is not a results document: it has neither a STAC type nor assets."""
    body = document.body
    if text(body.get("type")) in {"Feature", "Collection"} or isinstance(body.get("assets"), Mapping):
        return
    raise ResolveError(
        f"{shown(document.place)} holds JSON, but not the results of a job: it has neither a STAC type nor assets"
    )


def _checked(document: Document) -> Document:
    if text(document.body.get("type")) in {"Feature", "FeatureCollection"} or _has_children(document):
        return document
    raise ResolveError(f"{shown(document.place)} is not a STAC document")


def _items(document: Document) -> Iterator[Document]:
    kind = text(document.body.get("type"))
    if kind == "FeatureCollection":
        features = document.body.get("features")
        for feature in features if isinstance(features, list) else ():
            if isinstance(feature, dict):
                yield Document(place=document.place, body=feature, inside=True)
    elif kind == "Feature" or document.body.get("assets"):
        yield document  # a sub-collection's own assets are read as an item's are


def _links(document: Document) -> Iterator[str]:
    kind = text(document.body.get("type"))
    rels = ("next",) if kind == "FeatureCollection" else () if kind == "Feature" else _CHILD_RELS
    for link in links_of(document.body, rels):
        url = resolve_href(document.place, link["href"])
        # A remote document does not choose which local files are read.
        if url is None or not is_url(url):
            raise ResolveError(
                f"{shown(document.place)} links {link['href']!r}, which is not on the web; this is refused"
            )
        yield url


def _has_children(document: Document) -> bool:
    return text(document.body.get("type")) in {"Collection", "Catalog"} or "links" in document.body
