"""Reads a results document and the documents that it links: items, pages of items, sub-catalogs.

It tells documents apart and finds every one once; what their assets are is for ``assets.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from splashdown._documents.document import Document
from splashdown._documents.places import shown
from splashdown.errors import ApiError, ResolveError, error_text

#: More documents than any results tree has; a tree that makes itself up as it is read stops here.
MAX_DOCUMENTS = 20_000
_CONNECTIONS = 8
_CHILD_RELS = ("item", "items", "child")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A results document, the items below it in the order of their links, and what went wrong on the way."""

    root: Document
    items: tuple[Document, ...] = ()
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Link:
    url: str
    trail: tuple[str, ...]  # the documents that lead here; meeting one of them again is a circle


@dataclass(slots=True)
class _Walk:
    get: Callable[[str], Document]
    seen: set[str] = field(default_factory=set)
    items: list[Document] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def walk(root: Document, get: Callable[[str], Document]) -> Tree:
    """Follow the links of a Collection, level by level; a Feature (API 1.0) has everything in itself.

    A document that cannot be read is noted in ``broken``. Raises :class:`~splashdown.errors.ResolveError` for a
    circle of links and for a tree without an end.
    """
    check_results(root)
    if root.body.get("type") == "Feature":
        return Tree(root=root)
    state = _Walk(get=get, seen={root.place})
    level = list(_links(root, (root.place,), _CHILD_RELS))
    pool = ThreadPoolExecutor(_CONNECTIONS, thread_name_prefix="splashdown-walk")
    try:
        while level:
            level = _next_level(level, state, pool)
    finally:
        # After an error or Ctrl-C, what is queued is not read any more.
        pool.shutdown(wait=False, cancel_futures=True)
    return Tree(root=root, items=tuple(state.items), broken=tuple(state.broken))


def check_results(document: Document) -> None:
    """Refuse a JSON object that is no results document: it has neither a STAC type nor assets."""
    body = document.body
    if body.get("type") in {"Feature", "Collection"} or isinstance(body.get("assets"), Mapping):
        return
    raise ResolveError(
        f"{shown(document.place)} holds JSON, but no results of a job: it has neither a STAC type nor assets"
    )


def _next_level(level: Sequence[_Link], state: _Walk, pool: ThreadPoolExecutor) -> list[_Link]:
    fresh = [link for link in level if not _known(link, state)]
    if len(state.seen) > MAX_DOCUMENTS:
        raise ResolveError(
            f"the results link more than {MAX_DOCUMENTS} documents; this looks like a tree without an end"
        )
    found: list[_Link] = []
    for link, answer in zip(fresh, pool.map(lambda each: _read(each.url, state.get), fresh), strict=True):
        if isinstance(answer, str):
            state.broken.append(answer)
            continue
        found.extend(_take(link, answer, state))
    return found


def _known(link: _Link, state: _Walk) -> bool:
    if link.url in link.trail:
        raise ResolveError(f"the links of {shown(link.trail[-1])} lead in a circle, back to {shown(link.url)}")
    if link.url in state.seen:
        return True
    state.seen.add(link.url)
    return False


def _read(url: str, get: Callable[[str], Document]) -> Document | str:
    try:
        return get(url)
    except (ApiError, ResolveError) as error:
        return error_text(error)


def _take(link: _Link, document: Document, state: _Walk) -> Iterator[_Link]:
    trail = (*link.trail, link.url)
    kind = document.body.get("type")
    if kind == "Feature":
        state.items.append(document)
    elif kind == "FeatureCollection":
        features = document.body.get("features")
        state.items.extend(
            Document(place=document.place, body=feature)
            for feature in (features if isinstance(features, list) else [])
            if isinstance(feature, dict)
        )
        yield from _links(document, trail, ("next",))
    elif kind in {"Collection", "Catalog"} or "links" in document.body:
        if document.body.get("assets"):
            state.items.append(document)  # a sub-collection's own assets are read as an item's are
        yield from _links(document, trail, _CHILD_RELS)
    else:
        state.broken.append(f"{shown(document.place)} is no STAC document")


def _links(document: Document, trail: tuple[str, ...], rels: Sequence[str]) -> Iterator[_Link]:
    links = document.body.get("links")
    for link in links if isinstance(links, list) else []:
        if not isinstance(link, Mapping) or link.get("rel") not in rels or not isinstance(link.get("href"), str):
            continue
        try:
            url = urljoin(document.place, link["href"])
            remote = urlsplit(url).scheme.lower() in {"http", "https"}
        except ValueError:
            remote = False
        # A remote document does not choose which local files are read.
        if not remote:
            raise ResolveError(
                f"{shown(document.place)} links {link['href']!r}, which is not on the web; this is refused"
            )
        yield _Link(url.partition("#")[0], trail)
