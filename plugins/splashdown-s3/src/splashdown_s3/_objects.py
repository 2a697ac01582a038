"""Requests about one whole object: PUT, HEAD, GET, DELETE."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from splashdown.connections import Answer
from splashdown.errors import ChangedError, TruncatedError
from splashdown.model import Buffer, Content, ReadRequest, RemoteInfo, Stored
from splashdown_s3 import _attributes as attributes
from splashdown_s3._errors import LACKS, Refused
from splashdown_s3._honoured import require_encryption
from splashdown_s3._store import Store
from splashdown_s3._uri import Location

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

READ_SIZE = 1024 * 1024
_SHA256 = "1220"  # multihash: sha2-256, 32 bytes
_CHECKSUM = "x-amz-checksum-sha256"


def put(
    store: Store, where: Location, content: Content, body: Buffer, *, new: bool, sha256: bytes | None = None
) -> str | None:
    """Store an object with one request, with ``new`` only where there is none; its ETag where the answer has one.

    One SHA-256 serves three times: it signs the payload, it is the checksum that the store compares, and, where the
    asset came without one, it is the multihash in the object's metadata. ``sha256`` is the body's, where it is known.
    """
    require_encryption(store, where)
    digest = sha256 or hashlib.sha256(body).digest()
    multihash = content.checksum or _SHA256 + digest.hex()
    arguments = {"ContentType": attributes.media_type(content), **store.attributes}
    headers = attributes.as_headers(arguments, attributes.metadata(content.source, multihash))
    extras: dict[str, tuple[str, str]] = {}
    if store.options.checksum != "none" and not store.keeps_checksums:
        headers.update(seal(store, where, body))
    if store.options.checksum != "none" and not store.lacks.checksums:
        extras["checksums"] = (_CHECKSUM, base64.b64encode(digest).decode())
    if new and not store.lacks.conditions:
        extras["conditions"] = ("if-none-match", "*")
    try:
        answer = _put_without(store, where, headers, extras, body=body, sha256=digest.hex())
    except Refused as refused:
        if refused.status != 412 or not _is_ours(head(store, where), len(body), multihash):
            raise
        return None
    store.keeps_checksums = _CHECKSUM in answer
    return version(answer.get("etag"))


def sha256_of(multihash: str | None) -> bytes | None:
    """The digest in a multihash of SHA-256; ``None`` for any other."""
    if multihash is None or not multihash.startswith(_SHA256) or len(multihash) != len(_SHA256) + 64:
        return None
    return bytes.fromhex(multihash[len(_SHA256) :])


def seal(store: Store, where: Location, body: Buffer) -> dict[str, str]:
    """The header by which a store notices a damaged body where nothing else would show it: the body's MD5.

    Some stores take flexible checksums and never look at them; Content-MD5 is older, and all of them do.
    """
    if store.sealed(where.bucket):
        return {}
    return {"content-md5": base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()}


def _put_without(
    store: Store,
    where: Location,
    headers: dict[str, str],
    extras: dict[str, tuple[str, str]],
    *,
    body: Buffer,
    sha256: str,
) -> Mapping[str, str]:
    """Send the request, and again with fewer extras as long as the store says that it does not know them."""
    dropped: list[str] = []
    while True:
        try:
            answer = store.request(
                "PUT", where, headers={**headers, **dict(extras.values())}, body=body, payload_hash=sha256
            )
        except Refused as refused:
            if refused.code not in LACKS or not extras:
                raise
            dropped.append(extras.popitem()[0])
        else:
            store.lacks.note(dropped)
            return answer


def _is_ours(found: Stored | None, size: int, multihash: str) -> bool:
    """Whether what is there is from an attempt whose answer was lost."""
    return found is not None and (found.size, found.checksum) == (size, multihash)


def head(store: Store, where: Location) -> Stored | None:
    """Size, checksum where it is noted, and time; ``None`` when there is no such object."""
    try:
        headers = store.request("HEAD", where, headers={"x-amz-checksum-mode": "ENABLED"})
    except Refused as refused:
        if refused.status == 404 and refused.code != "NoSuchBucket":
            return None
        raise
    return Stored(
        size=int(headers.get("content-length", 0)),
        checksum=noted(headers),
        location=where.uri,
        modified=_seconds(headers.get("last-modified")),
        version=version(headers.get("etag")),
    )


def version(etag: str | None) -> str | None:
    """An ETag as a mark: some stores quote it in one answer and not in another."""
    return etag.strip('"') if etag else None


def _seconds(date: str | None) -> float | None:
    """An HTTP date as seconds since the epoch."""
    try:
        return parsedate_to_datetime(date).timestamp() if date else None
    except ValueError:
        return None


def noted(headers: Mapping[str, str]) -> str | None:
    """The multihash in an answer: ours from the metadata, else the store's own SHA-256 of a whole object."""
    ours = headers.get(f"x-amz-meta-{attributes.MULTIHASH}")
    if ours:
        return ours.lower()
    theirs = headers.get(_CHECKSUM, "")
    # A multipart object's is a hash of hashes, and says so by a suffix or by its type.
    if not theirs or "-" in theirs or headers.get("x-amz-checksum-type", "FULL_OBJECT") != "FULL_OBJECT":
        return None
    return _SHA256 + base64.b64decode(theirs).hex()


def probe(store: Store, where: Location, request: ReadRequest) -> None:
    """Ask for the first byte that a request wants, to learn from the store why it cannot have it."""
    wanted = {"range": f"bytes={request.start}-{request.start}"}
    store.open(where, query=version_of(request), headers=wanted).close()


def version_of(request: ReadRequest) -> list[tuple[str, str]]:
    """The query that names the version a request is pinned to; empty where the bucket keeps none."""
    version = request.pinned.version if request.pinned is not None else None
    return [("versionId", version)] if version and version != "null" else []


def delete(store: Store, where: Location) -> None:
    """Remove an object; no error when it is gone."""
    try:
        store.request("DELETE", where)
    except Refused as refused:
        if refused.code != "NoSuchKey":
            raise


def delete_version(store: Store, where: Location, read: RemoteInfo) -> None:
    """Remove an object that is still as it was ``read``, by its ETag. The store itself compares where it can.

    Raises ``ChangedError`` for another version.
    """
    headers = store.request("HEAD", where)
    etag, number = headers.get("etag", ""), headers.get("x-amz-version-id")
    if not read.etag or version(etag) != version(read.etag) or (number and read.version not in {None, number}):
        raise ChangedError(f"{where} has changed, so it is not deleted")
    try:
        store.request("DELETE", where, headers={"if-match": f'"{version(etag)}"'})
    except Refused as refused:
        if refused.status == 412:
            raise ChangedError(f"{where} has changed, so it is not deleted") from None
        if refused.status not in {400, 501}:
            raise
        store.request("DELETE", where)  # this store knows no conditions here


def chunks(response: BaseHTTPResponse | Answer, length: int | None) -> Iterator[bytes]:
    """The body of an answer. Raises ``TruncatedError`` when it is not ``length`` bytes long."""
    done = 0
    while chunk := _next(response):
        done += len(chunk)
        yield chunk
    if length is not None and done != length:
        raise TruncatedError(f"{done} of {length} bytes came")


def _next(response: BaseHTTPResponse | Answer) -> bytes:
    """What has come; a copy of its own where the answer uses its buffer again."""
    return bytes(response.read()) if isinstance(response, Answer) else response.read(READ_SIZE, decode_content=False)
