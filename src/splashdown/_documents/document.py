"""A JSON document: its content and place, its links, and reading it from bytes."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from splashdown._documents.places import shown
from splashdown._documents.streaming import large_object
from splashdown.errors import ResolveError, error_text
from splashdown.redact import safe_repr

#: Documents of this size (bytes) or more are read member by member.
_LARGE = 2**20


class WebPageError(ResolveError):
    """The answer was a web page, not JSON."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Document:
    """A JSON object and where it was read: a URL, a ``file:`` URL, or ``""`` for one that was in memory."""

    place: str
    body: dict[str, Any] = field(repr=False)

    __repr__ = safe_repr


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
            raise WebPageError(
                f"{shown(url)} is a web page (HTML), not JSON; check that this is the URL of an API"
            ) from None
        cause = "is empty" if not body.strip() else f"holds JSON that is broken or cut off ({error_text(error)})"
        raise ResolveError(f"{shown(url)} {cause}") from None
    if not isinstance(document, dict):
        raise ResolveError(f"{shown(url)} holds a JSON {type(document).__name__} where an object is expected")
    return document


def links_of(body: Mapping[str, Any], rels: Container[str]) -> Iterator[Mapping[str, Any]]:
    """The links of a document whose ``rel`` is one of ``rels``; one without a string as ``href`` is left out."""
    links = body.get("links")
    for link in links if isinstance(links, list) else ():
        if not isinstance(link, Mapping) or not isinstance(link.get("href"), str):
            continue
        if isinstance(link.get("rel"), str) and link["rel"] in rels:
            yield link
