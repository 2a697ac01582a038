"""STAC APIs: the search request, and the pages of its answer (STAC API 1.0, Item Search, Features)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from splashdown._documents.document import Document, links_of
from splashdown._documents.geoparquet import is_table
from splashdown._documents.places import resolve_href, shown
from splashdown._documents.reading import Reader
from splashdown._stac.migrate import kind_of
from splashdown._stac.needs import needs_of_link
from splashdown.builtins.stac.options import StacOptions
from splashdown.errors import ApiError, AuthError, OptionError, ResolveError, error_text
from splashdown.redact import safely_shown
from splashdown.sources import is_url

#: A search with more pages than this is considered endless.
_MAX_PAGES = 20_000
#: Pages with fewer items than this, in the mean, are soon too many: a server that invents pages has no end.
_USUAL_ITEMS = 10
_MOST_SMALL_PAGES = 1_000
_MOST_EMPTY_PAGES = 10
#: Answers to a request that the server does not want to understand: too many items at a time, or a filter.
REFUSED = frozenset({400, 413, 422})
_SMALLEST_PAGE = 10
_SEARCH = "item-search"
#: Parameters of a search that select items.
_FILTER = frozenset({"filter", "filter-lang"})
_NARROWING = frozenset({"datetime", "bbox", "ids", "collections", "intersects", "query"}) | _FILTER
#: Fields of assets alone: a server, which compares items, does not know them.
_OF_ASSETS = re.compile(r"key|type|href|roles|file:.*")
#: Headers that a ``next`` link may not set: the client or the connection sets them.
_OWN_HEADERS = frozenset(
    {"authorization", "connection", "content-length", "content-type", "cookie", "expect", "host"}
    | {"keep-alive", "proxy-authorization", "trailer", "transfer-encoding", "upgrade"}
)
#: A name, and a value, that can be sent (RFC 9110, section 5): the document says them.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]{0,4000}")


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SearchRequest:
    """One request to an API; ``body`` makes it a POST."""

    url: str
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def limit(self) -> int:
        """The most items of one answer, as far as the request says; else 0."""
        given = dict(parse_qsl(urlsplit(self.url).query)) if self.body is None else self.body
        limit = str(given.get("limit", ""))
        return int(limit) if limit.isascii() and limit.isdigit() and len(limit) < 10 else 0

    def with_limit(self, limit: int) -> SearchRequest:
        """The same request for smaller answers."""
        if self.body is not None:
            return replace(self, body={**self.body, "limit": limit})
        parts = urlsplit(self.url)
        query = [(n, str(limit) if n == "limit" else v) for n, v in parse_qsl(parts.query, keep_blank_values=True)]
        return replace(self, url=urlunsplit(parts._replace(query=urlencode(query, safe=",:/"))))

    @property
    def has_filter(self) -> bool:
        """Whether it asks the server to apply a CQL2 expression."""
        given = dict(parse_qsl(urlsplit(self.url).query)) if self.body is None else self.body
        return "filter" in given

    def without_filter(self) -> SearchRequest:
        """The same request without its CQL2 expression."""
        if self.body is not None:
            return replace(self, body={n: v for n, v in self.body.items() if n not in _FILTER})
        parts = urlsplit(self.url)
        query = [(n, v) for n, v in parse_qsl(parts.query, keep_blank_values=True) if n not in _FILTER]
        return replace(self, url=urlunsplit(parts._replace(query=urlencode(query, safe=",:/"))))

    def ask(self, reader: Reader) -> Document:
        """Send it. Raises :class:`~splashdown.errors.ResolveError` for an answer other than a page of items."""
        if self.body is None:
            # Headers replace the credentials in get(), so they are merged here.
            headers = {**self.headers, **reader.authority.headers(self.url)} if self.headers else None
            answer = reader.client.get(self.url, headers=headers)
        else:
            answer = reader.client.post(self.url, self.body, headers=self.headers)
        reader.progress.document()
        if kind_of(answer.body) != "FeatureCollection":
            raise ResolveError(f"{shown(answer.place)} did not answer with items (a FeatureCollection)")
        return answer


def ask_first(question: SearchRequest, reader: Reader) -> tuple[SearchRequest, Document]:
    """The first answer, and the request that got it: a refused number of items is halved.

    Raises the first refusal where smaller numbers are refused too.
    """
    refusal: ApiError | None = None
    while True:
        try:
            return question, question.ask(reader)
        except ApiError as error:
            refusal = refusal or error
            if error.status not in REFUSED or question.limit < 2 * _SMALLEST_PAGE:
                raise refusal from None
            question = question.with_limit(question.limit // 2)


def is_search_url(url: str) -> bool:
    """Whether the URL itself is a search or the items of a collection: filters can go into its query."""
    return is_url(url) and urlsplit(url).path.rstrip("/").rpartition("/")[2] in {"search", "items"}


def first_request(root: Document, reader: Reader, options: StacOptions) -> SearchRequest | None:
    """The request to the API that ``root`` belongs to; ``None`` when the document is not part of an API.

    The request has the filter only if the API applies filters, and this one is about items.
    """
    if not is_url(root.place):
        return None
    if _link(root, "search"):
        return _search(root, options, collections=options.collections)
    items = _link(root, "items")
    if items is None or _link(root, "item"):  # a static catalog
        return None
    if options.ids or options.filter:
        landing = _landing(root, reader)
        if landing is not None and _link(landing, "search"):
            return _search(landing, options, collections=(str(root.body.get("id")),))
        if options.ids:
            raise ResolveError(f"{shown(root.place)} does not belong to an API with a search; leave out ids")
        options = replace(options, filter=None)
    return SearchRequest(url=with_filters(items["href"], options))


def is_about_items(filter: str | Mapping[str, Any] | None) -> bool:
    """Whether a CQL2 expression names no field that assets have and items have not, as far as can be said here."""
    if not isinstance(filter, str):
        return not any(_OF_ASSETS.fullmatch(name) for name in _properties(filter))
    try:
        import cql2  # late: an extra, and for few

        return is_about_items(cql2.Expr(filter).to_json())
    except Exception:  # it is not installed, or this is not CQL2, which the server says with better reasons
        return True


def _properties(expression: object) -> Iterator[str]:
    """The names of the properties in an expression (CQL2-JSON)."""
    if isinstance(expression, Mapping):
        if isinstance(name := expression.get("property"), str):
            yield name
        yield from (name for value in expression.values() for name in _properties(value))
    elif isinstance(expression, list | tuple):
        yield from (name for value in expression for name in _properties(value))


def pages(
    reader: Reader, first: Document, warn: Callable[[str], None], question: SearchRequest | None = None
) -> Iterator[Document]:
    """The items of a page and of all pages after it, each with the place of its page.

    Where a page cannot be read, or the pages have no end, ``warn`` gets a line that says so, and the items before it
    are all.
    """
    asked: set[tuple[str, str]] = set()
    count = _Count()
    current, page = question or SearchRequest(url=first.place), first
    while True:
        features = page.body.get("features")
        if features is not None and not isinstance(features, list):
            warn(f"{shown(page.place)} has features that are not a list")
        for feature in features if isinstance(features, list) else ():
            if isinstance(feature, dict):
                count.items += 1
                yield Document(place=page.place, body=feature, inside=True)
        following = _next(page, current)
        if following is None:
            return
        try:
            count.page(bool(features), first)
            mark = (following.url, repr(following.body))
            if mark in asked:
                raise ResolveError(f"the pages of {shown(first.place)} lead in a circle")
            asked.add(mark)
            current, page = following, following.ask(reader)
        except ResolveError as error:
            link = _link(page, "next") if isinstance(error, AuthError) else None
            needs = needs_of_link(link, page.body) if link else ""
            warn(f"not all pages could be read: {error}" + (f"; by its link it needs: {needs}" if needs else ""))
            return


@dataclass(slots=True)
class _Count:
    """What the pages have had so far."""

    pages: int = 0
    items: int = 0
    empty: int = 0  #: pages without an item, in a row

    def page(self, full: bool, first: Document) -> None:
        """One page more. Raises ``ResolveError`` where there seems to be no end."""
        self.pages += 1
        self.empty = 0 if full else self.empty + 1
        few = self.pages > _MOST_SMALL_PAGES and self.items < self.pages * _USUAL_ITEMS
        if self.empty > _MOST_EMPTY_PAGES:
            raise ResolveError(f"{shown(first.place)}: {self.empty} pages in a row have no item; this looks endless")
        if few or self.pages > _MAX_PAGES:
            raise ResolveError(
                f"{shown(first.place)}: {self.pages} pages have {self.items} items; this looks endless: limit the items"
                " (limit=), or ask for larger pages (page_size=)"
            )


def with_filters(url: str, options: StacOptions, collections: object = None) -> str:
    """The URL with the filters in its query, in place of the same ones in it."""
    filters = {
        name: ",".join(map(_text, value)) if isinstance(value, tuple) else _text(value)
        for name, value in _filters(options, collections).items()
    }
    if options.filter:
        filters |= _in_query(options.filter)
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in filters]
    return urlunsplit(parts._replace(query=urlencode([*query, *filters.items()], safe=",:/")))


def _search(landing: Document, options: StacOptions, collections: object) -> SearchRequest:
    conforms = landing.body.get("conformsTo")
    if isinstance(conforms, list) and not any(_SEARCH in str(uri) for uri in conforms):
        raise ResolveError(
            f"{shown(landing.place)} does not conform to STAC API Item Search; name one of its collections instead"
        )
    if not (_applies_filters(conforms) and is_about_items(options.filter)):
        options = replace(options, filter=None)
    link = _link(landing, "search", options.method or _usual_method(options.filter))
    if link is None and options.method is None:
        link = _link(landing, "search")
    if link is None:
        raise ResolveError(f"{shown(landing.place)} offers no search by {options.method}")
    if str(link.get("method", "GET")).upper() == "POST":
        body = {n: list(v) if isinstance(v, tuple) else v for n, v in _filters(options, collections).items()}
        if options.filter:
            body |= _in_body(options.filter)
        return SearchRequest(url=link["href"], body=body)
    return SearchRequest(url=with_filters(link["href"], options, collections))


def _applies_filters(conforms: object) -> bool:
    """Whether an API has the Filter extension; one that does not say what it has may."""
    return not isinstance(conforms, list) or any("filter" in str(uri).lower() for uri in conforms)


def _usual_method(filter: str | Mapping[str, Any] | None) -> str | None:
    """The method for a search with a filter: servers take text in a query, JSON in a body, and often nothing else."""
    return None if not filter else "GET" if isinstance(filter, str) else "POST"


def _in_query(filter: str | Mapping[str, Any]) -> dict[str, str]:
    text = isinstance(filter, str)
    return {
        "filter": _text(filter) if text else json.dumps(filter),
        "filter-lang": "cql2-text" if text else "cql2-json",
    }


def _in_body(filter: str | Mapping[str, Any]) -> dict[str, Any]:
    """The same for a body; text becomes JSON where its package is installed."""
    if isinstance(filter, str):
        try:
            import cql2  # late: an extra, and for few
        except ImportError:
            return {"filter": filter, "filter-lang": "cql2-text"}
        try:
            return {"filter": cql2.Expr(filter).to_json(), "filter-lang": "cql2-json"}
        except Exception as error:  # the parser's own classes are not public
            raise OptionError(f"filter={filter!r} is not CQL2 ({error_text(error)[:200]})") from None
    return {"filter": dict(filter), "filter-lang": "cql2-json"}


def _filters(options: StacOptions, collections: object) -> dict[str, Any]:
    found = {
        "datetime": options.datetime,
        "bbox": options.bbox,
        "ids": options.ids,
        "collections": collections,
        "filter": options.filter,
        "limit": min(options.page_size, options.limit or options.page_size),
    }
    return {name: value for name, value in found.items() if value is not None}


def _landing(root: Document, reader: Reader) -> Document | None:
    link = _link(root, "root")
    return reader.read(link["href"]) if link else None


def _link(document: Document, rel: str, method: str | None = None) -> dict[str, Any] | None:
    """The first link of this ``rel``, with an absolute href; of several searches the one by POST."""
    found = []
    for link in links_of(document.body, (rel,)):
        href = resolve_href(document.place, link["href"])
        if href is not None and is_url(href) and not is_table(href, link.get("type")):
            found.append({**link, "href": href})
    if rel == "search":
        wanted = (method or "POST").upper()
        matching = [link for link in found if str(link.get("method", "GET")).upper() == wanted]
        found = matching or ([] if method else found)
    return found[0] if found else None


def _next(page: Document, asked: SearchRequest) -> SearchRequest | None:
    link = _link(page, "next")
    if link is None:
        return None
    given = link.get("headers")
    headers = {
        str(n): str(v)
        for n, v in (given.items() if isinstance(given, Mapping) else ())
        if str(n).lower() not in _OWN_HEADERS and _HEADER_NAME.fullmatch(str(n)) and _HEADER_VALUE.fullmatch(str(v))
    }
    if str(link.get("method", "GET")).upper() != "POST":
        return SearchRequest(url=_with_lost_filters(link["href"], asked.url), headers=headers)
    body = link.get("body")
    body = dict(body) if isinstance(body, Mapping) else {}
    # With "merge", the body holds only the changes (STAC API, Item Search, "Pagination").
    if link.get("merge") or not body:
        body = {**(asked.body or {}), **body}
    return SearchRequest(url=link["href"], body=body, headers=headers)


def _with_lost_filters(url: str, asked: str) -> str:
    """The next page's URL; some servers leave the filters out of it, and would continue with all their items."""
    new, old = urlsplit(url), urlsplit(asked)
    query = parse_qsl(new.query, keep_blank_values=True)
    if new.path != old.path or any(name in _NARROWING for name, _ in query):
        return url
    lost = [(name, value) for name, value in parse_qsl(old.query) if name in _NARROWING]
    return urlunsplit(new._replace(query=urlencode([*query, *lost], safe=",:/"))) if lost else url


def _text(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)
