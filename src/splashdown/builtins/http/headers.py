"""Reads the headers about a file. Pure functions; invalid headers count as absent."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from splashdown._connections.waits import quota_reset
from splashdown.builtins.http.disposition import file_name
from splashdown.model import RemoteInfo

#: A number of bytes that fits into 63 bits. Longer ones make no sense, and are slow to convert.
_NUMBER = r"[0-9]{1,18}"
_RANGE = re.compile(rf"\s*bytes\s+(?:({_NUMBER})-({_NUMBER})|\*)/({_NUMBER}|\*)\s*", re.IGNORECASE | re.ASCII)
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
#: Not encodings of the body: ``aws-chunked`` was the encoding of an upload, and some stores repeat it.
_PLAIN = frozenset({"", "identity", "aws-chunked"})
#: Headers that hold digests; most answers have none.
_DIGESTS = ("repr-digest", "digest", "x-goog-hash", "content-md5", _NOTED)
#: Headers about a quota of requests; few servers send one.
_QUOTAS = ("ratelimit", "ratelimit-remaining", "x-ratelimit-remaining")
#: Validators, media types and versions have some dozen characters.
_LONGEST = 1000
_LONGEST_DATE = 64
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


#: Of a digest, a quota, a version or a name more has to be read.
_RARE = frozenset(
    {*_DIGESTS, *_QUOTAS, "x-amz-version-id", "ratelimit-reset", "x-ratelimit-reset", "content-disposition"}
)


def merged(own: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The headers of a request: those ``given`` with it take the place of a transport's ``own``, in whatever case.

    A signature may cover them; and servers refuse a request that names its host twice.
    """
    names = set(map(str.lower, given))
    return {**{name: value for name, value in own.items() if name.lower() not in names}, **given}


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


def remote_info(headers: Mapping[str, str], *, size: int | None, ranges: bool, whole: bool) -> RemoteInfo:
    """The file as the headers describe it. ``whole``: the body is the complete file."""
    version = _clean(headers.get("x-amz-version-id"))
    return RemoteInfo(
        size=size,
        media_type=_clean(headers.get("content-type")),
        etag=_clean(headers.get("etag")),
        last_modified=_clean(headers.get("last-modified")),
        ranges=ranges,
        digests=dict(_digests(headers, whole=whole)) if [name for name in _DIGESTS if name in headers] else {},
        version=None if version == "null" else version,
        quota_reset=quota_reset(headers) if [name for name in _QUOTAS if name in headers] else None,
        encoding=_encoding(headers["content-encoding"]) if "content-encoding" in headers else None,
        file_name=file_name(headers["content-disposition"]) if "content-disposition" in headers else None,
    )


def _encoding(value: str) -> str | None:
    """The encodings of a body, in order; ``None`` for none."""
    names = [name for one in value.split(",") if (name := one.strip().lower()) not in _PLAIN]
    return ", ".join(names)[:_LONGEST_DATE] or None


def whole_info(headers: Mapping[str, str], size: int, *, ranges: bool) -> RemoteInfo:
    """:func:`remote_info` of a whole file whose headers are few, plain and in lower case, without further calls."""
    get = headers.get
    media_type, etag, modified = get("content-type"), get("etag"), get("last-modified")
    if (
        not _RARE.isdisjoint(headers)
        or not (shown := f"{media_type}{etag}{modified}").isprintable()
        or len(shown) > _LONGEST
    ):
        return remote_info(headers, size=size, ranges=ranges, whole=True)
    return RemoteInfo(size=size, media_type=media_type, etag=etag, last_modified=modified, ranges=ranges)


def _clean(value: str | None) -> str | None:
    """A value that can be sent back and shown: short, and without control characters."""
    return None if value is None or len(value) > _LONGEST or _CONTROL.search(value) else value


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
