"""The steps from a STAC source to a result set: recognise it, read it, walk or search, collect its assets."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from splashdown._documents import streaming as stream
from splashdown._documents.authority import Authority, OriginSigner
from splashdown._documents.document import Document
from splashdown._documents.expiry import expires_at
from splashdown._documents.geoparquet import is_table, read_items
from splashdown._documents.places import open_local, place_of, shown
from splashdown._documents.reading import Reader
from splashdown._series.assets import pack, pack_all
from splashdown._series.items import PackedItems
from splashdown._stac.alternates import check_alternate
from splashdown._stac.migrate import kind_of, up_to_date
from splashdown.builtins.filters import by_cql2
from splashdown.builtins.stac import inmemory
from splashdown.builtins.stac.assets import Collector, without_repeats
from splashdown.builtins.stac.credentials import authority_of
from splashdown.builtins.stac.options import StacOptions
from splashdown.builtins.stac.others import other_document
from splashdown.errors import ApiError, ResolveError
from splashdown.model import Asset, ResultSet
from splashdown.protocols import Filter, ResolveContext
from splashdown.sources import bare_href, is_in_store, is_url

if TYPE_CHECKING:
    from splashdown.builtins.stac import api

_KINDS = {"Feature": "item", "Collection": "collection", "Catalog": "catalog", "FeatureCollection": "items"}
#: Assets whose expiry is read; in a large search all are signed alike.
_SIGNED_SAMPLE = 1000
#: Options that select a part of a source.
_PARTS = ("datetime", "bbox", "ids", "collections", "filter", "limit")


@dataclass(slots=True)
class _Source:
    """A source that has been opened: its root document, and the documents below it that have assets."""

    root: Document
    below: Iterable[Document] = ()
    answered: bool = False  #: an API has applied the filters,
    filtered: bool = False  #: and the one in CQL2 too
    warnings: list[str] = field(default_factory=list)


def resolve_stac(source: Any, context: ResolveContext, authority: Authority | None = None) -> ResultSet:
    """Resolve a STAC source. Raises ``ResolveError`` (or ``AuthError``) with one line that says why it failed.

    ``authority`` holds the credentials, where the source has been read before.
    """
    options = StacOptions.of(context.options)
    place = place_of(str(source)) if isinstance(source, str | Path) and source != "-" else ""
    known = authority or authority_of(place, context)
    reader = Reader(authority=known, context=context, place=place)
    try:
        opened = _open(source, place, reader, options)
        # Objects in the caller's memory may hold more than JSON, and packing them saves nothing.
        collector = Collector(alternate=options.alternate, items=PackedItems() if place or source == "-" else [])
        result = _collect(opened, collector, reader, options)
    finally:
        reader.close()
    if not place:
        return result
    return replace(result, refresh=lambda: resolve_stac(source, context, known))


def _open(source: Any, place: str, reader: Reader, options: StacOptions) -> _Source:
    if place:
        if _is_metalink(place):
            from splashdown.builtins.stac.metalink import read_metalink  # late: it brings a parser of XML

            body = read_metalink(reader.read_bytes(place), place)
            return _document(Document(place=place, body=body), reader, options)
        if is_table(place):
            return _items(read_items(place, reader), place)
        if is_url(place):
            return _remote(place, reader, options)
        file = io.BytesIO(reader.read_bytes(place)) if is_in_store(place) else open_local(place)
        return _streamed(stream.documents(file, shown(place)), place, reader, options, close=file.close)
    base = place_of(options.base) if options.base else ""
    if source == "-":
        import sys

        return _streamed(stream.documents(sys.stdin.buffer, "standard input"), base, reader, options)
    root, below = inmemory.read(source, base)
    if root is None:
        return _items((replace(f, body=up_to_date(f.body, "an item")) for f in below or ()), base)
    if below is not None:
        return _Source(root=root, below=below)
    return _document(root, reader, options)


def _is_metalink(place: str) -> bool:
    """Whether a place has the extension of a Metalink document."""
    return bare_href(place).lower().endswith((".meta4", ".metalink"))


def _remote(place: str, reader: Reader, options: StacOptions) -> _Source:
    from splashdown.builtins.stac import api  # late: a document needs no API

    if options.searches and api.is_search_url(place):
        sent = options if api.is_about_items(options.filter) else replace(options, filter=None)
        question = api.SearchRequest(url=api.with_filters(place, sent, options.collections))
        return _searched(question, reader)
    return _document(reader.read(place), reader, options)


def _searched(question: api.SearchRequest, reader: Reader, root: Document | None = None) -> _Source:
    from splashdown.builtins.stac import api

    try:
        question, first = api.ask_first(question, reader)
    except ApiError as error:
        if not question.has_filter or error.status not in api.REFUSED:
            raise
        reader.context.notify(f"the API refuses the filter, which is applied here therefore: {error}")
        question, first = api.ask_first(question.without_filter(), reader)
    source = _Source(root=root or first, answered=True, filtered=question.has_filter)
    source.below = api.pages(reader, first, source.warnings.append, question)
    return source


def _document(root: Document, reader: Reader, options: StacOptions) -> _Source:
    kind = kind_of(root.body)
    if why := other_document(root):
        raise ResolveError(why)
    root = Document(place=root.place, body=up_to_date(root.body, shown(root.place)))
    if kind == "Feature":
        return _Source(root=root, below=[root])
    from splashdown.builtins.stac import api  # late: an item needs no API

    if kind == "FeatureCollection":
        source = _Source(root=root)
        source.below = api.pages(reader, root, source.warnings.append)
        return source
    question = api.first_request(root, reader, options)
    if question is not None:
        return _searched(question, reader, root)
    from splashdown.builtins.stac.tree import walk_tree  # late: most sources have nothing below them

    walk = walk_tree(reader, options.max_documents)
    return _Source(root=root, below=walk.below(root), warnings=walk.broken)


def _streamed(
    parts: Iterator[tuple[bool, dict[str, Any]]],
    place: str,
    reader: Reader,
    options: StacOptions,
    close: Any = lambda: None,
) -> _Source:
    """A document or a stream of items from a file: items are read later, on demand."""
    first = next(parts, None)
    if first is None:
        raise ResolveError(f"{shown(place) if place else 'standard input'} holds an empty list, not a STAC item")
    is_feature, body = first
    if not is_feature and kind_of(body) in {"Collection", "Catalog", ""}:
        close()
        return _document(Document(place=place, body=body), reader, options)
    if not is_feature and kind_of(body) == "Feature":
        following = next(parts, None)
        if following is None:
            close()
            return _document(Document(place=place, body=body), reader, options)
        parts = chain([(True, body), following], parts)
    else:
        parts = chain([(is_feature, body)], parts)
    source = _items((), place)
    source.below = _features(parts, place, source, close)
    return source


def _features(
    parts: Iterator[tuple[bool, dict[str, Any]]], place: str, source: _Source, close: Any
) -> Iterator[Document]:
    try:
        for is_feature, body in parts:
            if is_feature or kind_of(body) == "Feature":
                yield Document(place=place, body=body, inside=True)
            elif kind_of(body) == "FeatureCollection":
                source.root.body.update(body)
            else:
                source.warnings.append(f"{shown(place)} holds a document that is not an item; it was left out")
    finally:
        close()


def _items(below: Iterable[Document], place: str) -> _Source:
    return _Source(root=Document(place=place, body={"type": "FeatureCollection"}), below=below)


def _collect(source: _Source, collector: Collector, reader: Reader, options: StacOptions) -> ResultSet:
    root, kind = source.root, kind_of(source.root.body)
    if kind == "Feature":
        collector.items = []  # the item is the result's document
    filters = _filters(source, options)
    own = _own(root, collector, options) if kind in {"Collection", "Catalog"} else []
    below = reader.progress.counted(source.below)
    assets = pack_all(_taken(_assets(below, collector), filters, options.limit))
    every = without_repeats(own, assets)
    _check(source, every, collector)
    check_alternate(every, options.alternate)
    return ResultSet(
        id=_name(root),
        kind=_KINDS[kind],
        assets=every,
        document={
            name: value for name, value in root.body.items() if (kind, name) != ("FeatureCollection", "features")
        },
        href=root.place or None,
        items=() if kind == "Feature" else collector.items,
        warnings=_warnings(source, collector),
        narrowed=tuple(name for name in _PARTS if getattr(options, name) is not None),
        # A saved copy of a job's results has dead item links and all assets at the root: then nothing is missing.
        unresolved=() if own else tuple(_unread(source)),
        signer=OriginSigner(authority=reader.authority),
        from_public_web=reader.from_public_web,
        expires=expires_at(root.body, (a.href for a in islice(every, _SIGNED_SAMPLE))),
    )


def _assets(documents: Iterable[Document], collector: Collector) -> Iterator[Sequence[Asset]]:
    """The assets of each document."""
    for found in documents:
        try:
            body = up_to_date(found.body, "an item")
        except ResolveError as error:
            collector.leave_out_broken(f"an item of {shown(found.place)} was left out: {error}")
            continue
        if kind_of(body) not in {"Feature", "Collection", "Catalog"}:
            collector.leave_out_broken(
                f"a member of {shown(found.place)} was left out: it has no type 'Feature', so it is not a STAC item"
            )
            continue
        yield collector.add(found if body is found.body else replace(found, body=body))


def _own(root: Document, collector: Collector, options: StacOptions) -> Sequence[Asset]:
    """The assets of the root itself; what it is asked for besides is asked of items alone."""
    found = collector.own(root)
    return pack(by_cql2(options.filter)(found)) if options.filter and found else found


def _taken(
    assets: Iterable[Sequence[Asset]], filters: Sequence[Filter], limit: int | None
) -> Iterator[Sequence[Asset]]:
    """The assets that pass, of so many items at most. Documents are read one by one until then."""
    taken = 0
    for found in assets:
        kept = found
        for keep in filters:
            kept = list(keep(kept))
        if filters and not kept:
            continue
        yield pack(kept) if filters else found
        taken += 1
        if taken == limit:
            return


def _filters(source: _Source, options: StacOptions) -> Sequence[Filter]:
    """The filters that no API has applied."""
    from splashdown.builtins.filters import each  # late: most sources are not filtered

    made: list[Filter] = [by_cql2(options.filter)] if options.filter and not source.filtered else []
    if source.answered:
        return made
    for value, make in (
        (options.datetime, each.by_datetime),
        (options.bbox, each.by_bbox),
        (options.ids, each.by_item),
        (options.collections, each.by_collection),
    ):
        if value is not None:
            made.append(make(value))
    return made


def _check(source: _Source, assets: Sequence[Asset], collector: Collector) -> None:
    """Raise ``ResolveError`` when nothing is left because of broken documents."""
    if collector.broken and not assets:
        raise ResolveError(collector.warnings[0].replace("was left out: it has", "has"))
    if source.warnings and not assets and not collector.items:
        raise ResolveError(f"nothing below {shown(source.root.place)} could be read: {source.warnings[0]}")


def _name(root: Document) -> str:
    name = root.body.get("id")
    if isinstance(name, str) and name:
        return name
    if root.place:
        return Path(bare_href(root.place).rstrip("/")).stem or "items"
    return "items"


def _unread(source: _Source) -> list[str]:
    return [f"a linked document was left out: {line}" for line in source.warnings]


def _warnings(source: _Source, collector: Collector) -> tuple[str, ...]:
    lines = _unread(source)
    more = collector.left_out - len(collector.warnings)
    return (*lines, *collector.warnings, *((f"{more} more assets were left out",) if more > 0 else ()))
