"""The time at which hrefs expire, according to the document or the hrefs themselves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

_AWS_DATE = "%Y%m%dT%H%M%SZ"


def expires_at(document: Mapping[str, Any], hrefs: Iterable[str]) -> float | None:
    """The earliest end, in seconds since the epoch; ``None`` when none is given.

    ``expires`` of the openEO API (of the document, or of the properties of the Feature shape) is an RFC 3339
    date-time; hrefs give it as ``X-Amz-Date`` with ``X-Amz-Expires``, or as ``expires`` in seconds since the epoch.
    """
    ends = [href_expires(href) for href in hrefs]
    properties = document.get("properties")
    for holder in (document, properties if isinstance(properties, Mapping) else {}):
        moment = parse_datetime(holder.get("expires"))
        if moment is not None:
            ends.append(moment.timestamp())
    return min((end for end in ends if end is not None), default=None)


def href_expires(href: str) -> float | None:
    """When a signed href ends, by its own query."""
    if "?" not in href:
        return None
    try:
        query = {name.lower(): value for name, value in parse_qsl(urlsplit(href).query)}
    except ValueError:
        return None
    for prefix in ("x-amz", "x-goog"):
        if f"{prefix}-expires" in query:
            return _presigned(query.get(f"{prefix}-date", ""), query[f"{prefix}-expires"])
    end = query.get("expires", "")
    # str.isdigit accepts digits of other scripts too; epoch seconds are plain ASCII.
    return float(end) if end.isascii() and end.isdigit() and len(end) <= 12 else None


def parse_datetime(value: object) -> dt.datetime | None:
    """An RFC 3339 date-time with its zone (UTC where it has none), or ``None`` for anything else."""
    if not isinstance(value, str):
        return None
    try:
        moment = dt.datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _presigned(date: str, seconds: str) -> float | None:
    try:
        start = dt.datetime.strptime(date, _AWS_DATE).replace(tzinfo=dt.UTC)
        return start.timestamp() + int(seconds)
    except (ValueError, OverflowError):
        return None
