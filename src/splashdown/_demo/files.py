"""Answers requests for one file as a real back-end does: ranges, validators, conditions (RFC 9110, 13 and 14)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from splashdown.redact import safely_shown

_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Answer:
    """Status, headers and body of an answer."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def answer_file(content: bytes, media_type: str, asked: Mapping[str, str]) -> Answer:
    """The whole file, one range of it, or why not. ``asked`` are the request's headers."""
    etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    headers = {"Content-Type": media_type, "ETag": etag, "Accept-Ranges": "bytes"}
    if asked.get("If-Match", etag) not in {etag, "*"}:
        return Answer(status=412, headers=headers)
    if asked.get("If-None-Match") == etag:
        return Answer(status=304, headers=headers)
    wanted = _RANGE.match(asked.get("Range", ""))
    # A range of another version would not fit what the client has: it gets the whole file (RFC 9110, 13.1.5).
    if wanted is None or wanted.group() == "bytes=-" or asked.get("If-Range", etag) != etag:
        return Answer(headers=headers, body=content)
    start, stop = _bounds(wanted[1], wanted[2], len(content))
    if start >= stop:
        return Answer(status=416, headers={**headers, "Content-Range": f"bytes */{len(content)}"})
    span = f"bytes {start}-{stop - 1}/{len(content)}"
    return Answer(status=206, headers={**headers, "Content-Range": span}, body=content[start:stop])


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1) if last else size
