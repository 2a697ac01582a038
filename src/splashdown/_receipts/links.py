"""Links of a saved document: relative ones between the documents, the others absolute and without secrets. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from splashdown._documents.document import links_of
from splashdown._documents.places import resolve_href
from splashdown._stac.hrefs import is_public, public_href
from splashdown._stac.migrate import kind_of
from splashdown.redact import safely_shown

#: Made again for the saved documents, or no use without the service that they came from.
_REPLACED = frozenset({"self", "root", "parent", "item", "child", "collection", "canonical"})
_SERVICE = frozenset(
    {"items", "next", "prev", "previous", "first", "last", "search", "data", "conformance", "queryables", "sortables"}
    | {"service-desc", "service-doc", "aggregate", "aggregations", "http://www.opengis.net/def/rel/ogc/1.0/queryables"}
)
_TYPES = {"item": "application/geo+json", "child": "application/json"}


@safely_shown
@dataclass(frozen=True, slots=True, repr=False)
class Linker:
    """Sets the links of the document ``name``; ``base`` is where the result set was read."""

    name: str
    base: str | None

    def apply(self, body: dict[str, Any], root: str, parent: str, below: Iterable[tuple[str, str]] = ()) -> None:
        """Replace the links of ``body``; ``below`` holds relation and name of each document under it.

        An original that can be read without secrets becomes ``canonical``. There is no ``self``: a catalog that may be
        moved has none (STAC best practices, "Self-contained Catalogs").
        """
        listed = body.get("links")
        links = [link for link in listed if isinstance(link, Mapping)] if isinstance(listed, list) else []
        original = self._original(links)
        made = [self._link("root", root)] if root else []
        made += [self._link("parent", parent)] if parent else []
        if "collection" in body:
            made += self._collection(body, links, parent, original)
        made += [self._link(rel, name, _TYPES[rel]) for rel, name in below]
        if original and is_public(original):
            made.append({"rel": "canonical", "href": original})
        body["links"] = [*made, *self._kept(links, original)]

    def _link(self, rel: str, name: str, media_type: str = "application/json") -> dict[str, Any]:
        path = posixpath.relpath(name, posixpath.dirname(self.name) or ".")
        return {"rel": rel, "href": path if path.startswith("..") else f"./{path}", "type": media_type}

    def _collection(
        self, body: dict[str, Any], links: Iterable[Mapping[str, Any]], parent: str, original: str
    ) -> list[dict[str, Any]]:
        # An item that names a collection must link it (STAC Item, "collection").
        if parent.endswith("collection.json"):
            return [self._link("collection", parent)]
        for link in links:
            if link.get("rel") == "collection" and isinstance(link.get("href"), str):
                href = resolve_href(original or self.base or "", link["href"])
                if href is not None and href.startswith("http") and is_public(href):
                    return [{"rel": "collection", "href": href, "type": "application/json"}]
        del body["collection"]
        return []

    def _kept(self, links: Iterable[Mapping[str, Any]], original: str) -> Iterator[dict[str, Any]]:
        for link in links:
            rel, href = link.get("rel"), link.get("href")
            if not isinstance(rel, str) or not isinstance(href, str) or rel in _REPLACED or rel in _SERVICE:
                continue
            absolute = resolve_href(original or self.base or "", href)
            if absolute is not None and absolute.partition(":")[0] in {"http", "https", "s3", "gs", "file"}:
                # Bodies and headers belong to requests of a service, and may hold tokens.
                kept = {n: v for n, v in link.items() if n not in {"body", "headers", "merge", "method"}}
                yield {**kept, "href": public_href(absolute)}

    def _original(self, links: Iterable[Mapping[str, Any]]) -> str:
        for rel in ("self", "canonical"):
            for link in links:
                if link.get("rel") == rel and isinstance(link.get("href"), str):
                    href = resolve_href(self.base or "", link["href"])
                    if href is not None and href.startswith("http"):
                        return href
        return ""


def relative_links(body: Mapping[str, Any], folder: str) -> Iterator[str]:
    """Names, below the target, of the documents that a saved document links with relative hrefs."""
    if kind_of(body) not in {"Collection", "Catalog"}:
        return
    for link in links_of(body, ("item", "child")):
        if link["href"].startswith(("./", "../")):
            yield posixpath.normpath(posixpath.join(folder, link["href"]))
