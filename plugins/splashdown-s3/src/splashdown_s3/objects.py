"""Requests about one whole object: PUT, HEAD, GET, DELETE."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from splashdown.errors import TruncatedError
from splashdown.model import Buffer, Content, Stored
from splashdown_s3 import attributes
from splashdown_s3.errors import LACKS, Refused
from splashdown_s3.store import Store
from splashdown_s3.uri import Location

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

READ_SIZE = 1024 * 1024
_SHA256 = "1220"  # multihash: sha2-256, 32 bytes
_CHECKSUM = "x-amz-checksum-sha256"


def put(store: Store, where: Location, content: Content, body: Buffer) -> None:
    """Store an object with one request.

    One SHA-256 serves three times: it signs the payload, it is the checksum that the store compares, and, where the
    asset came without one, it is the multihash in the object's metadata.
    """
    digest = hashlib.sha256(body).digest()
    user = attributes.metadata(content.source, content.checksum or _SHA256 + digest.hex())
    headers = attributes.as_headers({"ContentType": attributes.media_type(content), **store.attributes}, user)
    extra = {}
    if store.options.checksum != "none" and not store.lacks.checksums:
        extra[_CHECKSUM] = base64.b64encode(digest).decode()
    if not content.replace and not store.lacks.conditions:
        extra["if-none-match"] = "*"
    try:
        store.request("PUT", where, headers={**headers, **extra}, body=body, payload_hash=digest.hex())
    except Refused as refused:
        if refused.code not in LACKS or not extra:
            raise
        store.request("PUT", where, headers=headers, body=body, payload_hash=digest.hex())
        # It was one of the two; the one that was asked for most rarely is the likelier to be unknown.
        if "if-none-match" in extra:
            store.lacks.conditions = True
        else:
            store.lacks.checksums = True


def head(store: Store, where: Location) -> Stored | None:
    """Size, checksum where it is noted, and time; ``None`` when there is no such object."""
    try:
        headers = store.request("HEAD", where, headers={"x-amz-checksum-mode": "ENABLED"}).headers
    except Refused as refused:
        if refused.status == 404 and refused.code != "NoSuchBucket":
            return None
        raise
    return Stored(size=int(headers.get("content-length", 0)), checksum=noted(headers), location=str(where))


def noted(headers: Mapping[str, str]) -> str | None:
    """The multihash that an answer tells: ours from the metadata, else the store's own SHA-256 of a whole object."""
    ours = headers.get(f"x-amz-meta-{attributes.MULTIHASH}")
    if ours:
        return ours.lower()
    theirs = headers.get(_CHECKSUM, "")
    # A multipart object's is a hash of hashes, and says so by a suffix or by its type.
    if not theirs or "-" in theirs or headers.get("x-amz-checksum-type", "FULL_OBJECT") != "FULL_OBJECT":
        return None
    return _SHA256 + base64.b64decode(theirs).hex()


def digests(headers: Mapping[str, str]) -> dict[str, str]:
    """The multihash in our metadata by the name of its function, where it is a SHA-256."""
    ours = headers.get(f"x-amz-meta-{attributes.MULTIHASH}", "").lower()
    return {"sha2-256": ours} if ours.startswith(_SHA256) and len(ours) == len(_SHA256) + 64 else {}


def delete(store: Store, where: Location) -> None:
    """Remove an object; no error when it is gone."""
    try:
        store.request("DELETE", where)
    except Refused as refused:
        if refused.code != "NoSuchKey":
            raise


def chunks(response: BaseHTTPResponse, length: int | None) -> Iterator[bytes]:
    """The body of an answer. Raises ``TruncatedError`` when it is not ``length`` bytes long."""
    done = 0
    while chunk := response.read(READ_SIZE, decode_content=False):
        done += len(chunk)
        yield chunk
    if length is not None and done != length:
        raise TruncatedError(f"{done} of {length} bytes came")
