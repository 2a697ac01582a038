"""Recognises documents that people name in place of a STAC document, and says which URL to give instead."""

from __future__ import annotations

from splashdown._documents.document import Document
from splashdown._documents.places import shown
from splashdown._stac.migrate import kind_of


def other_document(document: Document) -> str:
    """Why the document is not a STAC document, and what to open instead; empty for one that is."""
    body, place = document.body, shown(document.place)
    if isinstance(body.get("endpoints"), list) and "api_version" in body:
        return f"{place} is an openEO back-end: list its jobs with splashdown jobs {place}, and open the URL of one"
    listed = body.get("collections")
    if isinstance(listed, list) and not isinstance(body.get("type"), str):
        return f"{place} lists {len(listed)} collections: open one of them{_example(document)}, or search the whole API"
    if kind_of(body):
        return ""
    if isinstance(body.get("jobs"), list):
        return f"{place} lists {len(body['jobs'])} openEO jobs: open the URL of one (splashdown jobs shows them)"
    if isinstance(body.get("conformsTo"), list):
        return f"{place} says what an API conforms to: open the URL of the API itself, which is the one above it"
    return f"{place} holds JSON, but not a STAC document: it has neither type nor stac_version"


def _example(document: Document) -> str:
    first = next(iter(document.body["collections"]), None)
    name = first.get("id") if isinstance(first, dict) else None
    place = shown(document.place).partition("?")[0].rstrip("/")
    return f", for example {place}/{name}" if isinstance(name, str) and place.endswith("/collections") else ""
