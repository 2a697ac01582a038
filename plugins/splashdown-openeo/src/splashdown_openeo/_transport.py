"""Reads hrefs through an openEO connection: its session, its retries, its credentials, and they go where it sends them.

The connection adds its credentials below its own root URL and nowhere else, and renews an expired access
token. Retries in the middle of a body, and everything about storing, are the engine's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests
from openeo.rest import (
    DEFAULT_DOWNLOAD_CHUNK_SIZE,
    DEFAULT_DOWNLOAD_RANGE_SIZE,
    OpenEoApiError,
    OpenEoApiPlainError,
    OpenEoRestError,
)

from splashdown.errors import (
    ChangedError,
    HttpStatusError,
    NotModifiedError,
    RangeNotServedError,
    StalledError,
    TransferError,
    TruncatedError,
)
from splashdown.model import Buffer, ReadRequest, RemoteInfo
from splashdown.redact import redact

if TYPE_CHECKING:
    from openeo.rest.connection import Connection

#: Bytes per read: what a broken connection can cost at most, as a read that fails gives nothing back.
_READ_SIZE = 256 * 1024

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)", re.IGNORECASE)

#: Answers that are not exceptions: 416 is how many servers speak of a range of an empty file.
_ANSWERS = (*range(200, 300), 304, 416)

#: What can be the matter with a request itself; the same request meets it again.
_HOPELESS = (
    requests.exceptions.RetryError,  # the session has its own retries, and they waited already
    requests.exceptions.SSLError,
    requests.exceptions.ProxyError,
)


class ConnectionTransport:
    """Reads through ``connection``, at most ``range_size`` bytes a request.

    ``causes`` keeps, by href and text of the error, the exception of the openEO client or of requests that was
    behind a :class:`~splashdown.errors.TransferError`, for callers who promise those exceptions.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        chunk_size: int | None = DEFAULT_DOWNLOAD_CHUNK_SIZE,
        range_size: int = DEFAULT_DOWNLOAD_RANGE_SIZE,
    ) -> None:
        if range_size < 1 or (chunk_size is not None and chunk_size < 1):
            raise ValueError(f"chunk_size ({chunk_size}) and range_size ({range_size}) are bytes: at least 1")
        self._connection = connection
        self._read_size = min(chunk_size or _READ_SIZE, _READ_SIZE)
        self._range_size = range_size
        self.causes: dict[tuple[str, str], Exception] = {}
        #: Headers of the latest answer; of use to those who read one href.
        self.headers: Mapping[str, str] = {}

    @contextmanager
    def stream(self, request: ReadRequest) -> Iterator[Body]:
        """Open a range or the whole file, see :class:`~splashdown.protocols.Transport`."""
        stop = request.start + self._range_size
        answer = self._ask(request, request.start, stop if request.stop is None else min(stop, request.stop))
        body = Body(self, request, answer)
        try:
            yield body
        finally:
            body.close()

    def close(self) -> None:
        """Nothing to give back: the session belongs to the connection."""

    def _ask(self, request: ReadRequest, start: int, stop: int) -> Answer:
        """Ask for a range; for the whole file where the range is of no use and the file's start is wanted."""
        headers = {**request.headers, "Accept-Encoding": "identity", **_condition(request.unless)}
        ranged = {**headers, "Range": f"bytes={start}-{stop - 1}"}
        with self._translated(request.href):
            response = self._connection.get(request.href, headers=ranged, stream=True, expected_status=_ANSWERS)
        if response.status_code == requests.codes.not_modified:
            response.close()
            raise NotModifiedError(f"{redact(request.href)} is still the version that was stored")
        answer = Answer.read(response, start, stop)
        if answer is None:
            response.close()
            if start:
                raise RangeNotServedError(
                    f"the server has no use for a range of {redact(request.href)} from byte {start}"
                    f" (status {response.status_code}, Content-Range {response.headers.get('Content-Range')!r})"
                )
            with self._translated(request.href):
                response = self._connection.get(request.href, headers=headers, stream=True)
            answer = Answer.whole(response, ranges=False)
        self.headers = answer.response.headers
        _compare(request, answer.info)
        return answer

    def _chunks(self, answer: Answer, href: str) -> Iterator[Buffer]:
        with self._translated(href):
            yield from answer.response.iter_content(self._read_size)

    @contextmanager
    def _translated(self, href: str) -> Iterator[None]:
        """Turn what the client and requests raise into what the engine understands, and remember it."""
        try:
            yield
        except (OpenEoRestError, requests.RequestException) as error:
            translated = _translate(error, redact(href))
            self.causes[href, " ".join(str(translated).split())] = error
            # No "from": the texts of requests' exceptions hold hrefs with their signatures.
            raise translated from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One response that was found to be of use: its place in the file, and what it says about the whole file."""

    response: requests.Response
    info: RemoteInfo
    start: int
    stop: int | None

    @classmethod
    def read(cls, response: requests.Response, start: int, stop: int) -> Answer | None:
        """The answer to a request for ``start:stop``; ``None`` when it is something else than that."""
        if response.ok and response.status_code != requests.codes.partial_content:
            return cls.whole(response, ranges=False)
        place = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
        if response.status_code != requests.codes.partial_content or place is None or _encoded(response):
            return None
        first, last, size = (int(number) for number in place.groups())
        # A server may send less than was asked for, but it has to start there (RFC 9110, section 14.4).
        if first != start or not first <= last < min(stop, size):
            return None
        return cls(response=response, info=_info(response, size, ranges=True), start=first, stop=last + 1)

    @classmethod
    def whole(cls, response: requests.Response, *, ranges: bool) -> Answer:
        """The answer that holds the file from its first byte to its last."""
        length = response.headers.get("Content-Length", "")
        size = int(length) if length.isdecimal() and not _encoded(response) else None
        return cls(response=response, info=_info(response, size, ranges=ranges), start=0, stop=size)


class Body:
    """What one request of the engine yields: the body of one answer, or of several ranges in a row."""

    def __init__(self, transport: ConnectionTransport, request: ReadRequest, answer: Answer) -> None:
        self._transport = transport
        self._request = request
        self._answer = answer
        self.info = answer.info
        self.start = answer.start
        self._end = answer.info.size if answer.info.ranges else answer.stop
        if answer.info.ranges and request.stop is not None and self._end is not None:
            self._end = min(self._end, request.stop)
        self.length = None if self._end is None else self._end - self.start

    def __iter__(self) -> Iterator[Buffer]:
        at = self.start
        while True:
            for chunk in self._transport._chunks(self._answer, self._request.href):  # noqa: SLF001 - one class in two halves
                at += len(chunk)
                yield chunk
            expected = self._answer.stop
            if expected is not None and at != expected:
                raise TruncatedError(f"{redact(self._request.href)} ended at byte {at} instead of {expected}")
            if self._end is None or at >= self._end:
                return
            self._next(at)

    def close(self) -> None:
        """Give the connection back, or drop it when the body was not read to its end."""
        self._answer.response.close()

    def _next(self, at: int) -> None:
        self.close()
        stop = min(at + self._transport._range_size, self._end or 0)  # noqa: SLF001
        answer = self._transport._ask(self._request, at, stop)  # noqa: SLF001
        if answer.start != at:
            answer.response.close()
            raise RangeNotServedError(
                f"the server sent {redact(self._request.href)} from byte {answer.start} on, and {at} was asked for"
            )
        if not self.info.same_version(answer.info):
            answer.response.close()
            raise _changed(self._request.href)
        self._answer = answer


def _compare(request: ReadRequest, info: RemoteInfo) -> None:
    if request.pinned is not None and not request.pinned.same_version(info):
        raise _changed(request.href)


def _changed(href: str) -> ChangedError:
    return ChangedError(f"{redact(href)} changed on the server while it was read; start it again")


def _condition(unless: str | None) -> dict[str, str]:
    if unless is None:
        return {}
    return {"If-None-Match" if unless.endswith('"') else "If-Modified-Since": unless}


def _encoded(response: requests.Response) -> bool:
    return response.headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}


def _info(response: requests.Response, size: int | None, *, ranges: bool) -> RemoteInfo:
    headers = response.headers
    return RemoteInfo(
        size=size,
        media_type=headers.get("Content-Type"),
        etag=headers.get("ETag"),
        last_modified=headers.get("Last-Modified"),
        ranges=ranges,
    )


def _translate(error: Exception, href: str) -> TransferError:
    name = type(error).__name__
    if isinstance(error, OpenEoApiPlainError):
        return _status_error(error, href)
    if isinstance(error, _HOPELESS):
        return TransferError(f"{href} could not be read: {name}; the connection's own retries are used up")
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return TruncatedError(f"the body of {href} broke off ({name})")
    if isinstance(error, requests.exceptions.Timeout):
        return StalledError(f"{href} did not answer in time ({name})")
    translated = TransferError(f"{href} could not be read: {name}")
    translated.retryable = isinstance(error, requests.exceptions.ConnectionError)
    return translated


def _status_error(error: OpenEoApiPlainError, href: str) -> HttpStatusError:
    """The status, with the openEO code and text. Other bodies are left out: object stores put key ids into theirs."""
    status = error.http_status_code or 0
    code = getattr(error, "code", None)
    said = f" {code}: {error.message}" if isinstance(error, OpenEoApiError) else ""
    translated = HttpStatusError(f"{href} answered {status}{said}", status=status)
    # The connection has just renewed its token for another thread, perhaps; the next attempt will show.
    translated.retryable = translated.retryable or code == "TokenInvalid"
    return translated
