"""STAC sources that are Python objects: dicts, pystac objects, lists and iterators of either."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from splashdown._documents.document import Document, links_of
from splashdown._documents.places import resolve_href
from splashdown._stac.migrate import kind_of
from splashdown.errors import ResolveError
from splashdown.sources import is_url


def read(source: Any, base: str) -> tuple[Document | None, Iterable[Document] | None]:
    """The root document and the documents below it.

    The root is ``None`` for a list of items; the second value is ``None`` where the links of the document have to be
    followed. The caller's objects are not changed.
    """
    if isinstance(source, Mapping):
        return _placed(dict(source), base), None
    if _is_pystac(source):
        return _pystac(source, base)
    if isinstance(source, Iterable):
        return None, (_member(each, base) for each in source)
    raise ResolveError(f"a STAC source is a path, a URL, a dict or a pystac object, not {type(source).__name__}")


def _is_pystac(source: object) -> bool:
    # By name, so that pystac is not imported to check objects of other packages.
    return any(cls.__module__.partition(".")[0] == "pystac" for cls in type(source).__mro__)


def _pystac(source: Any, base: str) -> tuple[Document | None, Iterable[Document] | None]:
    kind = next((n for n in (c.__name__ for c in type(source).__mro__) if n in _READABLE), None)
    if kind is None:
        raise ResolveError(
            f"a pystac.{type(source).__name__} is not a STAC document: pass an item, collection or catalog"
        )
    if kind == "ItemCollection":
        return None, (_member(item, base) for item in source.items)
    root = _member(source, base)
    if kind == "Item":
        return root, None
    return root, _below(source, base)


_READABLE = ("Item", "Collection", "Catalog", "ItemCollection")


def _below(catalog: Any, base: str) -> Iterator[Document]:
    """Items and sub-collections by the links of the objects, which may lead to objects that were never saved."""
    for _, children, items in _walked(catalog):
        yield from (_member(item, base) for item in items)
        yield from (_member(child, base) for child in children if hasattr(child, "assets"))


def _walked(catalog: Any) -> Iterator[tuple[Any, list[Any], list[Any]]]:
    seen: set[int] = set()
    waiting = [catalog]
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            raise ResolveError(f"the links of {catalog.id!r} lead in a circle, back to {current.id!r}")
        seen.add(id(current))
        children = list(current.get_children())
        yield current, children, list(current.get_items())
        waiting.extend(children)


def _member(source: Any, base: str) -> Document:
    if isinstance(source, Mapping):
        return replace(_placed(dict(source), base), inside=True)
    if not _is_pystac(source):
        raise ResolveError(
            f"a list of items holds a {type(source).__name__}, which is neither a dict nor a pystac item"
        )
    place = source.get_self_href() or ""
    body = source.to_dict(include_self_link=bool(place), transform_hrefs=False)
    return _placed(body, _absolute(place) or base)


def _placed(body: dict[str, Any], base: str) -> Document:
    """The document, at ``base``, else at its ``self`` link if that is on the web."""
    if base:
        return Document(place=base, body=body)
    for link in links_of(body, ("self",)):
        href = resolve_href("", link["href"])
        if href is not None and is_url(href):
            return Document(place=href, body=body)
    if not kind_of(body):
        raise ResolveError("the dict is not a STAC document: it has neither type nor stac_version")
    return Document(place="", body=body)


def _absolute(place: str) -> str:
    if not place or "://" in place:
        return place
    from pathlib import Path

    return Path(place).absolute().as_uri()
