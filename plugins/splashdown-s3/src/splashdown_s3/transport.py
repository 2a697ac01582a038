"""The transport ``s3://``: ranged GETs of objects, each pinned to one ETag or version.

boto3 does not verify ranged reads; the engine hashes every byte that arrives here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from splashdown.errors import ChangedError, NotModifiedError
from splashdown.model import Buffer, ReadRequest, RemoteInfo
from splashdown_s3 import objects
from splashdown_s3.errors import Refused, reading
from splashdown_s3.options import S3Options
from splashdown_s3.store import Store
from splashdown_s3.uri import Location, split

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse


class S3Stream:
    """The body of one GET."""

    def __init__(self, store: Store, where: Location, response: BaseHTTPResponse) -> None:
        headers = response.headers
        self.start, total = _content_range(headers.get("content-range", ""))
        length = headers.get("content-length")
        self.length = int(length) if length is not None else None
        self.info = RemoteInfo(
            size=total if response.status == 206 else self.length,
            media_type=headers.get("content-type"),
            etag=headers.get("etag"),
            last_modified=headers.get("last-modified"),
            ranges=response.status == 206,
            digests=objects.digests(headers),
            version=headers.get("x-amz-version-id"),
        )
        self._store, self._where, self._response = store, where, response

    def __iter__(self) -> Iterator[Buffer]:
        """Chunks of up to 1 MiB."""
        with reading(self._store, self._where):
            yield from objects.chunks(self._response, self.length)


class S3Transport:
    """Reads objects. One client and its connections serve all threads."""

    def __init__(self, options: S3Options) -> None:
        with reading(None, Location("", "")):
            self._store = Store(options)

    @property
    def store(self) -> str:
        """Names the store; see ``S3Sink.store``."""
        return self._store.identity

    @contextmanager
    def stream(self, request: ReadRequest) -> Iterator[S3Stream]:
        """Open a range, or the whole object by a range from its first byte on."""
        where = split(request.href)
        with reading(self._store, where):
            response = self._get(where, request)
        try:
            stream = S3Stream(self._store, where, response)
            _require_same(where, request.pinned, stream.info)
            if request.unless and request.unless == stream.info.etag:
                raise NotModifiedError(f"{where} has not changed")
            yield stream
        finally:
            # A body that was read to its end gives its connection back; any other connection is worthless.
            response.close() if response.length_remaining else response.release_conn()

    def close(self) -> None:
        """Give back connections."""
        self._store.close()

    def _get(self, where: Location, request: ReadRequest) -> BaseHTTPResponse:
        headers = {"range": f"bytes={request.start}-{'' if request.stop is None else request.stop - 1}"}
        query = []
        pinned = request.pinned
        if pinned is not None and pinned.etag:
            headers["if-match"] = pinned.etag
        elif request.unless and request.unless.startswith('"'):
            headers["if-none-match"] = request.unless
        if pinned is not None and pinned.version and pinned.version != "null":
            query.append(("versionId", pinned.version))
        try:
            return self._store.request("GET", where, query=query, headers=headers, stream=True)
        except Refused as refused:
            if refused.status == 304:
                raise NotModifiedError(f"{where} has not changed") from None
            # An empty object has no range at all (RFC 9110, section 14.1.2).
            if refused.status != 416 or request.start > 0:
                raise
            del headers["range"]
            return self._store.request("GET", where, query=query, headers=headers, stream=True)


def _content_range(value: str) -> tuple[int, int | None]:
    """First byte and whole size of ``bytes 5-9/20`` (RFC 9110, section 14.4)."""
    span, _, total = value.removeprefix("bytes ").partition("/")
    first = span.partition("-")[0]
    return (int(first) if first.isdigit() else 0), (int(total) if total.isdigit() else None)


def _require_same(where: Location, pinned: RemoteInfo | None, info: RemoteInfo) -> None:
    """If-Match is not honoured by every store, so the answer's own ETag is compared too."""
    if pinned is not None and pinned.etag and info.etag and pinned.etag != info.etag:
        raise ChangedError(f"{where} changed while it was read; run it again")
