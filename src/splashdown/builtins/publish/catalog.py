"""A STAC API with the transaction extension: what it holds, and one item or collection put there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from splashdown._documents.client import Client, Fetched
from splashdown._documents.faults import fault
from splashdown._documents.listed import Listed
from splashdown.errors import ApiError, NotFoundError, UsageError
from splashdown.redact import redact
from splashdown.sources import is_url, origin_text

#: The part of a conformance class by which an API says that it takes items.
_CONFORMS = "/extensions/transaction"
#: Fields that an API sets by itself.
_OF_API = frozenset({"created", "updated"})


class Catalog:
    """One API. For all threads."""

    def __init__(self, api: str, auth: object, http: Any) -> None:
        if not is_url(api) or set("?#@") & set(api):
            raise UsageError(f"api is the http(s) URL of a STAC API, without credentials or query, not {redact(api)!r}")
        self.url = api.rstrip("/")
        listed = Listed({origin_text(api): auth}) if auth is not None else Listed()
        self._client = Client(http=http, listed=listed)
        self._sent_to = listed

    def check(self) -> None:
        """Raise ``UsageError`` where the landing page says that nothing can be put there, and what a read raises."""
        classes = self._client.get(f"{self.url}/").body.get("conformsTo")
        if isinstance(classes, list) and not any(_CONFORMS in str(one) for one in classes):
            raise UsageError(
                f"{redact(self.url)} does not take items: it does not conform to the transaction extension of STAC APIs"
            )

    def collection(self, key: str) -> bool:
        """Whether the API has a collection."""
        return self._read(f"{self.url}/collections/{_segment(key)}") is not None

    def add_collection(self, body: Mapping[str, Any]) -> None:
        """Add a collection; one that is there meanwhile is fine."""
        self._accepted(f"{self.url}/collections", self._send("POST", f"{self.url}/collections", body), 409)

    def put(self, key: str, collection: str, body: Mapping[str, Any], *, dry_run: bool = False) -> str:
        """Make the API hold an item: ``created``, ``updated``, or ``unchanged`` where nothing was sent."""
        items = f"{self.url}/collections/{_segment(collection)}/items"
        place = f"{items}/{_segment(key)}"
        there = self._read(place)
        if there is not None and _is_same(body, there):
            return "unchanged"
        if dry_run:
            return "created" if there is None else "updated"
        if there is None and self._accepted(items, self._send("POST", items, body), 409) != 409:
            return "created"
        # It was there, or another program has put it there meanwhile.
        self._accepted(place, self._send("PUT", place, body))
        return "updated"

    def close(self) -> None:
        """Give back connections."""
        self._client.close()

    def _read(self, url: str) -> Mapping[str, Any] | None:
        try:
            return self._client.get(url).body
        except NotFoundError:
            return None

    def _send(self, method: str, url: str, body: Mapping[str, Any]) -> Fetched:
        return self._client.send(method, url, body)

    def _accepted(self, url: str, answer: Fetched, *fine: int) -> int:
        """The status of an answer; raises ``ApiError`` for an error that is not ``fine``."""
        if answer.status >= 400 and answer.status not in fine:
            raise fault(url, answer.status, answer.body, authorized=bool(answer.sent[-1]), secrets=_values(answer))
        if 300 <= answer.status < 400:
            raise ApiError(f"{redact(url)}: answered {answer.status}, and nothing was stored", status=answer.status)
        return answer.status


def _values(answer: Fetched) -> set[str]:
    """What a server could repeat of the credentials that it got."""
    return {part for headers in answer.sent for value in headers.values() for part in (value, *value.split())}


def _segment(key: str) -> str:
    return quote(key, safe="")


def _is_same(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """Whether an API holds an item already: it adds links, dates of its own, and fields without a value."""
    names = ({*ours} | {*theirs}) - {"links", "properties"}
    mine, found = ours.get("properties") or {}, theirs.get("properties") or {}
    if not isinstance(mine, Mapping) or not isinstance(found, Mapping):
        return False
    own = {*mine} | ({*found} - _OF_API)
    return all(_equal(ours.get(name), theirs.get(name)) for name in names) and all(
        _equal(mine.get(name), found.get(name)) for name in own
    )


def _equal(one: object, other: object) -> bool:
    return one == other or (one in (None, [], {}) and other in (None, [], {}))
