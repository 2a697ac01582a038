"""When a server wants to be asked again. Pure functions; invalid headers count as absent, names are in lower case."""

from __future__ import annotations

import datetime as dt
import email.utils
import re
import time
from collections.abc import Mapping

#: Seconds since the epoch above this, seconds to wait below: ``X-RateLimit-Reset`` is used for both.
_EPOCH = 1_000_000_000
_LONGEST = 1000
_LONGEST_DATE = 64
#: A name begins where a word does: to try each letter of a long one would take minutes.
_FIELD = re.compile(r"\b(\w+)\s*=\s*(\d+)", re.ASCII)
_FRACTION = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait before the next request.

    ``Retry-After`` (RFC 9110, section 10.2.3) counts first; else the reset of an exhausted quota in ``RateLimit``
    (draft-ietf-httpapi-ratelimit-headers, current and older forms) or ``X-RateLimit-Reset``.
    """
    value = headers.get("retry-after")
    if value is not None:
        if _FRACTION.fullmatch(value.strip()):  # not by the RFC, and met all the same
            return float(value)
        seconds = number(value)
        return _until(value, headers) if seconds is None else float(seconds)
    return quota_reset(headers)


def _until(date: str, headers: Mapping[str, str]) -> float | None:
    """Seconds until an HTTP date."""
    moment = _moment(date)
    return None if moment is None else max(0.0, moment - _now(headers))


def _now(headers: Mapping[str, str]) -> float:
    """The time by the clock of the server, as its answer has it: the other times in the answer refer to that clock."""
    moment = _moment(headers.get("date", ""))
    return time.time() if moment is None else moment


def _moment(date: str) -> float | None:
    """The seconds since the epoch of an HTTP date; one without a zone is UTC, as all of them have to be."""
    if len(date) > _LONGEST_DATE:  # long numbers are slow to convert
        return None
    try:
        moment = email.utils.parsedate_to_datetime(date)
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):  # the parser takes numbers of any size
        return None


def quota_reset(headers: Mapping[str, str]) -> float | None:
    """Seconds until an exhausted quota is reset; ``None`` without an exhausted quota."""
    reset, remaining = _quota(headers)
    if reset is None or remaining:
        return None
    return max(0.0, reset - _now(headers)) if reset > _EPOCH else float(reset)


def _quota(headers: Mapping[str, str]) -> tuple[int | None, int | None]:
    """Seconds until the quota is reset, and the remaining requests."""
    combined = headers.get("ratelimit", "")[:_LONGEST]
    fields = {name.lower(): value for name, value in _FIELD.findall(combined)}
    reset = fields.get("t", fields.get("reset"))
    remaining = fields.get("r", fields.get("remaining"))
    for prefix in ("ratelimit", "x-ratelimit"):
        reset = reset or headers.get(f"{prefix}-reset")
        remaining = remaining or headers.get(f"{prefix}-remaining")
    return number(reset), number(remaining)


def number(value: str | None) -> int | None:
    """A non-negative decimal number, as ``Content-Length`` is."""
    value = (value or "").strip()
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 18 else None
