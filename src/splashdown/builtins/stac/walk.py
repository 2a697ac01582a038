"""Finds the items below a Catalog or Collection: level by level, each document once, circles refused.

What is a STAC API is left to ``api.py``; what the assets of the documents are, to ``assets.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from splashdown._documents.document import Document
from splashdown._documents.places import resolve_href, shown
from splashdown._documents.reading import Reader
from splashdown._stac.migrate import kind_of, up_to_date
from splashdown.builtins.stac.api import pages
from splashdown.errors import ResolveError, SplashdownError, error_text
from splashdown.sources import is_in_store, is_url

_CONNECTIONS = 8
#: Links whose documents are read together; bounds what waits in memory.
_BATCH = 64
_RELS = ("item", "child", "items")


@dataclass(frozen=True, slots=True)
class _Link:
    place: str
    trail: tuple[str, ...]  # the documents that lead here; meeting one of them again is a circle


@dataclass(slots=True)
class Walk:
    """One walk; ``broken`` collects a line for each document that could not be read."""

    reader: Reader
    max_documents: int
    broken: list[str] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    def below(self, root: Document) -> Iterator[Document]:
        """Items and collections below a root document, in the order of its links.

        Raises ``ResolveError`` for a circle of links and for more documents than allowed.
        """
        self._seen.add(root.place)
        level: Iterable[_Link] = self._links(root, (root.place,))
        with ThreadPoolExecutor(_CONNECTIONS, thread_name_prefix="splashdown-walk") as pool:
            while level:
                following: list[_Link] = []
                links = iter(level)
                while batch := list(islice(links, _BATCH)):
                    yield from self._read_all(batch, pool, following)
                level = following

    def _read_all(self, batch: Sequence[_Link], pool: ThreadPoolExecutor, following: list[_Link]) -> Iterator[Document]:
        fresh = [link for link in batch if self._is_new(link)]
        for link, answer in zip(fresh, pool.map(lambda each: self._read(each.place), fresh), strict=True):
            if isinstance(answer, str):
                self.broken.append(answer)
                continue
            kind = kind_of(answer.body)
            if kind == "Feature":
                yield answer
            elif kind == "FeatureCollection":
                yield from pages(self.reader, answer, warn=self.broken.append)
            elif kind:
                if kind == "Collection" or answer.body.get("assets"):
                    yield answer
                following.extend(self._links(answer, (*link.trail, link.place)))
            else:
                self.broken.append(f"{shown(answer.place)} is no STAC document")

    def _read(self, place: str) -> Document | str:
        try:
            found = self.reader.read(place)
            return Document(place=found.place, body=up_to_date(found.body, shown(place)))
        except SplashdownError as error:
            return error_text(error)

    def _is_new(self, link: _Link) -> bool:
        if link.place in link.trail:
            raise ResolveError(f"the links of {shown(link.trail[-1])} lead in a circle, back to {shown(link.place)}")
        if link.place in self._seen:
            return False
        self._seen.add(link.place)
        if len(self._seen) > self.max_documents:
            raise ResolveError(
                f"{shown(link.trail[0])} links more than {self.max_documents} documents;"
                " if that is right, raise max_documents"
            )
        return True

    def _links(self, document: Document, trail: tuple[str, ...]) -> list[_Link]:
        found = []
        listed = document.body.get("links")
        links = [link for link in listed if isinstance(link, Mapping)] if isinstance(listed, list) else []
        rels = {link.get("rel") for link in links}
        for link in links:
            rel, href = link.get("rel"), link.get("href")
            # A collection of an API also lists its items a page at a time; links to each are preferred.
            if rel not in _RELS or (rel == "items" and "item" in rels) or not isinstance(href, str):
                continue
            place = resolve_href(document.place, href)
            if place is None or not (is_url(place) or place.startswith("file:") or _same_store(place, document.place)):
                why = (
                    "which such a document may not" if document.place else "but it has no place of its own: pass base="
                )
                self.broken.append(f"{shown(document.place)} links {href!r}, {why}")
                continue
            found.append(_Link(place.partition("#")[0], trail))
        return found


def _same_store(place: str, document: str) -> bool:
    """Whether both are in one bucket: a document elsewhere must not say what is read with the user's credentials."""
    return is_in_store(place) and place.split("/")[:3] == document.split("/")[:3]
