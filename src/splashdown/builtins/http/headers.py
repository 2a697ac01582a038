"""Reads the headers about a file and about waiting. Pure functions; invalid headers count as absent."""

from __future__ import annotations

import base64
import binascii
import email.utils
import re
import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from splashdown.model import RemoteInfo

_RANGE = re.compile(r"\s*bytes\s+(?:(\d+)-(\d+)|\*)/(\d+|\*)\s*", re.IGNORECASE)
#: Multihash code (varint, hex) and digest length of the names that the digest headers use.
_FUNCTIONS = {
    "md5": ("d501", 16),
    "sha": ("11", 20),
    "sha-256": ("12", 32),
    "sha-384": ("20", 48),
    "sha-512": ("13", 64),
}
_SHA256 = re.compile(r"1220[0-9a-f]{64}")
#: Checksum that splashdown-s3 stores with an object; s3:// and presigned links return it.
_NOTED = "x-amz-meta-splashdown-multihash"
#: Headers that hold digests; most answers have none.
_DIGESTS = ("repr-digest", "digest", "x-goog-hash", "content-md5", _NOTED)
#: Headers about a quota of requests; few servers send one.
_QUOTAS = ("ratelimit", "ratelimit-remaining", "x-ratelimit-remaining")
#: Seconds since the epoch above this, seconds to wait below: ``X-RateLimit-Reset`` is used for both.
_EPOCH = 1_000_000_000


class ContentRange(NamedTuple):
    """``Content-Range`` (RFC 9110, section 14.4), half-open; ``size`` is ``None`` where the server does not say."""

    start: int
    stop: int
    size: int | None


def content_range(value: str | None) -> ContentRange | None:
    """The range that a 206 holds; ``None`` for a missing or invalid header."""
    found = _RANGE.fullmatch(value or "")
    if not found or found[1] is None:
        return None
    start, stop = int(found[1]), int(found[2]) + 1
    size = None if found[3] == "*" else int(found[3])
    return None if stop <= start or (size is not None and stop > size) else ContentRange(start, stop, size)


def unsatisfied_size(value: str | None) -> int | None:
    """The whole file's size in the ``Content-Range`` of a 416."""
    found = _RANGE.fullmatch(value or "")
    return int(found[3]) if found and found[1] is None and found[3] != "*" else None


def number(value: str | None) -> int | None:
    """A non-negative decimal number, as ``Content-Length`` is."""
    value = (value or "").strip()
    return int(value) if value.isascii() and value.isdigit() and len(value) < 20 else None


def remote_info(headers: Mapping[str, str], *, size: int | None, ranges: bool, whole: bool) -> RemoteInfo:
    """The file as the headers describe it. ``whole``: the body is the complete file."""
    version = headers.get("x-amz-version-id")
    return RemoteInfo(
        size=size,
        media_type=headers.get("content-type"),
        etag=headers.get("etag"),
        last_modified=headers.get("last-modified"),
        ranges=ranges,
        digests=dict(_digests(headers, whole=whole)) if any(name in headers for name in _DIGESTS) else {},
        version=None if version == "null" else version,
        quota_reset=quota_reset(headers) if any(name in headers for name in _QUOTAS) else None,
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait before the next request.

    ``Retry-After`` (RFC 9110, section 10.2.3) counts first; else the reset of an exhausted quota in ``RateLimit``
    (draft-ietf-httpapi-ratelimit-headers, current and older forms) or ``X-RateLimit-Reset``.
    """
    value = headers.get("retry-after")
    if value is not None:
        if (seconds := number(value)) is not None:
            return float(seconds)
        try:
            moment = email.utils.parsedate_to_datetime(value)
        except ValueError:
            return None
        return max(0.0, moment.timestamp() - time.time())
    return quota_reset(headers)


def quota_reset(headers: Mapping[str, str]) -> float | None:
    """Seconds until an exhausted quota is reset; ``None`` without an exhausted quota."""
    reset, remaining = _quota(headers)
    if reset is None or remaining:
        return None
    return max(0.0, reset - time.time()) if reset > _EPOCH else float(reset)


def _quota(headers: Mapping[str, str]) -> tuple[int | None, int | None]:
    """Seconds until the quota is reset, and the remaining requests."""
    combined = headers.get("ratelimit", "")
    fields = {name.lower(): value for name, value in re.findall(r"(\w+)\s*=\s*(\d+)", combined)}
    reset = fields.get("t", fields.get("reset"))
    remaining = fields.get("r", fields.get("remaining"))
    for prefix in ("ratelimit", "x-ratelimit"):
        reset = reset or headers.get(f"{prefix}-reset")
        remaining = remaining or headers.get(f"{prefix}-remaining")
    return number(reset), number(remaining)


def _digests(headers: Mapping[str, str], *, whole: bool) -> Iterator[tuple[str, str]]:
    """Multihashes of the whole file, by the server's names of the functions."""
    # RFC 9530 wraps base64 in colons, RFC 3230 does not; both concern the file, whatever part of it is sent.
    for name in ("repr-digest", "digest"):
        for function, value in _members(headers.get(name)):
            if multihash := _multihash(function, value):
                yield function, multihash
    for function, value in _members(headers.get("x-goog-hash")):
        if multihash := _multihash(function, value):
            yield function, multihash
    if (noted := headers.get(_NOTED, "").lower()) and _SHA256.fullmatch(noted):
        yield "sha-256", noted
    # RFC 1864 concerns the body as it is sent, which for a 206 is the part.
    if whole and (multihash := _multihash("md5", headers.get("content-md5", ""))):
        yield "md5", multihash


def _members(value: str | None) -> Iterator[tuple[str, str]]:
    for member in (value or "").split(","):
        name, _, text = member.strip().partition("=")
        yield name.strip().lower(), text.strip().strip(":")


def _multihash(function: str, value: str) -> str | None:
    code, length = _FUNCTIONS.get(function, ("", 0))
    if not value or not code:
        return None
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    return f"{code}{length:02x}{digest.hex()}" if len(digest) == length else None
