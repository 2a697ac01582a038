"""A JSON document: its content and place, its links, and reading it from bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from splashdown._documents.places import is_local, is_relative, is_there, path_of, resolve_href, shown
from splashdown._documents.streaming import large_object
from splashdown.errors import ResolveError, error_text
from splashdown.redact import safely_shown
from splashdown.sources import is_url

#: Documents of this size (bytes) or more are read member by member.
_LARGE = 2**20
#: The title that web servers give to the list of a folder.
_INDEX_PAGE = re.compile(rb"<title>\s*(Index of|Directory listing)", re.IGNORECASE)
#: What such a document names; a report of work that is under way has a type and links as well.
_STAC = re.compile(rb'"stac_version"|"type"\s*:\s*"Feature(Collection)?"')
#: Media types of what is not a document of the catalog: pages and pictures for people.
_FOR_PEOPLE = ("text/html", "application/xhtml", "text/xml", "application/xml", "application/pdf", "image/")


class WebPageError(ResolveError):
    """The answer was a web page, not JSON."""


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Document:
    """A JSON object and where it was read: a URL, a ``file:`` URL, or ``""`` for one that was in memory.

    ``inside`` says that it was read as a part of another document: a page of a search, or a list of items.
    """

    place: str
    body: dict[str, Any] = field(repr=False)
    inside: bool = False

    def resolve(self, href: str) -> str | None:
        """The absolute href; ``None`` where :func:`~splashdown._documents.places.resolve_href` has none.

        A relative href of a part refers to the part's ``self`` link, if that is on the web, and so does one of a saved
        document beside which the file is missing.
        """
        found = resolve_href(self.place, href)
        if found is href:  # a URL, as most are
            return found
        saved = is_local(self.place)
        if not (self.inside or saved) or not is_relative(href):
            return found
        if saved and (href.startswith("/") or (found is not None and is_there(path_of(found)))):
            return found
        own = next((link["href"] for link in links_of(self.body, ("self",)) if is_url(link["href"])), None)
        return found if own is None else resolve_href(own, href)


def parse_object(body: bytes, url: str) -> dict[str, Any]:
    """The JSON object in ``body``; raises :class:`~splashdown.errors.ResolveError` that describes anything else."""
    if len(body) > _LARGE:
        with suppress(ResolveError):  # the code below says what is wrong
            return large_object(body, shown(url))
    try:
        document = json.loads(body)
    except RecursionError:
        raise ResolveError(f"{shown(url)} holds JSON that is nested too deeply") from None
    except ValueError as error:
        if body.lstrip()[:1] == b"<":
            if _INDEX_PAGE.search(body[:2000]):
                raise WebPageError(
                    f"{shown(url)} is the index page of a folder, which is not a source: give a catalog or a Metalink"
                    " document that lists the files, or make items of their URLs (docs/how-to/stac.md)"
                ) from None
            raise WebPageError(
                f"{shown(url)} is a web page (HTML), not JSON; check that this is the URL of an API (a page of STAC"
                " Browser shows the URL of its document under Source)"
            ) from None
        cause = "is empty" if not body.strip() else f"holds JSON that is broken or cut off ({error_text(error)})"
        raise ResolveError(f"{shown(url)} {cause}") from None
    if not isinstance(document, dict):
        raise ResolveError(f"{shown(url)} holds a JSON {type(document).__name__} where an object is expected")
    return document


def is_stac(body: bytes) -> bool:
    """Whether an answer seems to be a STAC document, whatever its status says."""
    return body.lstrip()[:1] == b"{" and _STAC.search(body) is not None


def links_of(body: Mapping[str, Any], rels: Container[str]) -> Iterator[Mapping[str, Any]]:
    """The links of a document whose ``rel`` is one of ``rels``.

    Links without a string as ``href`` are left out, and those to web pages and pictures.
    """
    links = body.get("links")
    for link in links if isinstance(links, list) else ():
        if not isinstance(link, Mapping) or not isinstance(link.get("href"), str):
            continue
        if isinstance(link.get("rel"), str) and link["rel"] in rels and not _is_for_people(link.get("type")):
            yield link


def _is_for_people(media_type: object) -> bool:
    return isinstance(media_type, str) and media_type.strip().lower().startswith(_FOR_PEOPLE)
