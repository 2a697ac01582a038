"""One request and its answer: conditions, redirects, and checks of the answer.

A request is not repeated, with one exception: where the range may be the reason for a refusal, the file is requested
again without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from splashdown._connections.addresses import AddressError, Gate
from splashdown._connections.options import HttpOptions
from splashdown._connections.waits import number
from splashdown._documents.cookies import cookie_lines
from splashdown._documents.places import carries_signature
from splashdown._documents.steps import Steps, secrets_sent
from splashdown._documents.withheld import sign_in_advice
from splashdown.builtins.http.address import USUAL, Address, parse
from splashdown.builtins.http.body import Body
from splashdown.builtins.http.failures import ERROR_BYTES, connection_error, status_error
from splashdown.builtins.http.headers import content_range, merged, remote_info, unsatisfied_size, whole_info
from splashdown.builtins.http.hosts import Host, Hosts
from splashdown.connections import MOST_HOSTS, Answer, Awaited, Whole, ask_whole, glimpse, send, send_whole
from splashdown.errors import (
    ChangedError,
    HttpStatusError,
    NotModifiedError,
    RangeNotServedError,
    SplashdownError,
    TransferError,
)
from splashdown.model import ReadRequest, SmallBody
from splashdown.redact import redact

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

_NOT_MODIFIED = 304
_UNSATISFIED = 416
#: Answers of servers that cannot do with a range at all.
_OF_RANGE = frozenset({400, 403, 405, _UNSATISFIED, 500, 501})


class Exchange:
    """Sends requests for one transport, from any thread."""

    def __init__(self, options: HttpOptions, gate: Gate | None = None) -> None:
        self._hosts = Hosts(options, gate)
        self._max_redirects = options.max_redirects
        self._usual: set[str] = set()  #: origins as nearly all are written
        self._meant: set[str] = set()  #: origins that refuse requests without a range as well

    def read_small(self, request: ReadRequest, most: int) -> SmallBody | Body:
        """A small file, or a 304, by one exchange where href and answer are plain; else as :meth:`open`."""
        prepared = self._prepared(request)
        if prepared is None:
            return self.open(request)
        host, target, head = prepared
        try:
            found = send_whole(host.pool, target, head, host.seconds, most)
        except Exception as error:
            raise connection_error(request.href, error) from None
        if type(found) is not Whole:
            return self.open(request, found)  # type: ignore[arg-type]  # a response, or None
        return small_body(request, found)

    def ask_small(self, request: ReadRequest, most: int) -> HttpAwaitedFile | None:
        """The same without waiting for the answer; ``None``, and nothing is asked, where that cannot be done."""
        prepared = self._prepared(request)
        if prepared is None:
            return None
        host, target, head = prepared
        try:
            found = ask_whole(host.pool, target, head, host.seconds, most)
        except Exception as error:
            raise connection_error(request.href, error) from None
        return None if found is None else HttpAwaitedFile(self, request, found)

    def _prepared(self, request: ReadRequest) -> tuple[Host, str, bytes] | None:
        """Where a small file is asked for, and with which bytes; ``None`` for a request that is not plain."""
        href = request.href
        at = href.find("/", 8)
        origin, target = href[:at], href[at:]
        # An odd target is found when it is sent.
        if at < 0 or (origin not in self._usual and not self._is_usual(origin, href)):
            return None
        if request.steps is not None and request.steps.cookie(href):
            return None
        host = self._hosts.get(origin)
        lines = "" if request.headers else host.whole
        for name, value in (merged(host.of_whole, request.headers) if request.headers else {}).items():
            if not value.isprintable() or not name.isprintable():
                return None
            lines += f"{name}: {value}\r\n"
        if unless := request.unless:
            if not unless.isprintable():
                return None
            lines += f"{_condition(unless)}: {unless}\r\n"
        try:
            return host, target, f"GET {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")
        except UnicodeEncodeError:
            return None

    def _is_usual(self, origin: str, href: str) -> bool:
        """Whether an origin is of the usual form; noted, because files have theirs in common."""
        usual = USUAL.fullmatch(href)
        if usual is None or usual[1] != origin:
            return False
        if len(self._usual) < MOST_HOSTS:
            self._usual.add(origin)
        return True

    def open(self, request: ReadRequest, first: BaseHTTPResponse | Answer | None = None) -> Body:
        """Send a request and return the body of its answer; ``first`` is an answer that it has got already."""
        steps, response = self._send(request, conditions(request), first)
        try:
            return accept(steps, request, response)
        except HttpStatusError as error:
            _discard(response)
            without = self._without_range(request, error)
            if without is None:
                raise
            return without
        except BaseException:
            _discard(response)
            raise

    def _without_range(self, request: ReadRequest, error: HttpStatusError) -> Body | None:
        """The whole file by a request without a range, where it was that that was refused; else ``None``.

        No range of an empty file can be satisfied (RFC 9110, section 15.5.17). Some gateways answer any range with an
        error. An origin that refuses both has meant the file, and is not asked twice for the next ones.
        """
        origin = request.href[: request.href.find("/", 8)]
        if request.start or request.pinned is not None or error.status not in _OF_RANGE:
            return None
        # A part of a file is not worth the whole, unless that is empty. Object stores serve ranges, and mean refusals.
        part = request.stop is not None or request.unless is not None
        signed = any(name.lower() == "x-amz-date" for name in request.headers)
        store = signed or carries_signature(request.href)
        if error.status != _UNSATISFIED and (part or store or origin in self._meant):
            return None
        steps, response = self._send(request, {})
        try:
            return accept(steps, request, response)
        except BaseException as refused:
            _discard(response)
            if isinstance(refused, HttpStatusError) and error.status != _UNSATISFIED:
                if len(self._meant) < MOST_HOSTS:
                    self._meant.add(origin)
                return None
            raise

    def close(self) -> None:
        """Close the idle connections."""
        self._hosts.close()

    def _send(
        self, request: ReadRequest, asked: Mapping[str, str], first: BaseHTTPResponse | Answer | None = None
    ) -> tuple[Steps, BaseHTTPResponse | Answer]:
        """Follow redirects by hand: credentials stay with the origin that they are for."""
        steps = Steps(
            request.href,
            TransferError,
            first=lambda _: request.headers,
            credentials=request.steps,
            most=self._max_redirects,
        )
        while True:
            headers = steps.headers()
            response, first = first or self._get(steps.url, parse(steps.url), asked, headers), None
            try:
                location = response.headers.get("location")
                if not steps.follow(response.status, location, cookie_lines(response.headers)):
                    return steps, response
            except SplashdownError:
                _discard(response)
                raise
            _discard(response)

    def _get(
        self, href: str, address: Address, asked: Mapping[str, str], credentials: Mapping[str, str]
    ) -> BaseHTTPResponse | Answer:
        try:
            host = self._hosts.get(address.origin)
            headers = merged({**host.headers, **asked}, credentials)
            return send(host.pool, host.prefix + address.target, headers, host.timeout)
        except AddressError as error:
            raise TransferError(f"{redact(href)} is not read: {error}") from None
        except TransferError:  # a host that cannot be prepared says so itself
            raise
        except Exception as error:
            raise connection_error(href, error) from None


class HttpAwaitedFile:
    """A small file that was asked for: its answer is read as it comes."""

    __slots__ = ("_answer", "_exchange", "_request", "close", "fileno")

    def __init__(self, exchange: Exchange, request: ReadRequest, answer: Awaited) -> None:
        self._exchange, self._request, self._answer = exchange, request, answer
        self.fileno, self.close = answer.fileno, answer.close

    @property
    def unusual(self) -> bool:
        """Whether :meth:`take` will never give it."""
        return self._answer.unusual

    def take(self) -> SmallBody | None:
        """The file, once all of it has come; does not wait."""
        try:
            found = self._answer.take()
        except Exception as error:
            raise connection_error(self._request.href, error) from None
        return None if found is None else small_body(self._request, found)

    def rest(self) -> Body:
        """The answer in the usual way, beginning with what has come."""
        try:
            found = self._answer.rest()
        except Exception as error:
            raise connection_error(self._request.href, error) from None
        return self._exchange.open(self._request, found)


def small_body(request: ReadRequest, found: Whole) -> SmallBody:
    """A whole file as the answer to a request. Raises the error for a 304."""
    headers, length = found.headers, len(found.data)
    if found.status == _NOT_MODIFIED:
        if request.unless:
            raise NotModifiedError(f"{redact(request.href)}: not changed")
        raise status_error(request.href, _NOT_MODIFIED, headers, b"")
    ranges = found.status == 206 or "bytes" in headers.get("accept-ranges", "").lower()
    return SmallBody(info=whole_info(headers, length, ranges=ranges), data=found.data)


def conditions(request: ReadRequest) -> dict[str, str]:
    """The headers that name the range and the version (RFC 9110, sections 13 and 14)."""
    stop = "" if request.stop is None else str(request.stop - 1)
    headers = {"Range": f"bytes={request.start}-{stop}"}
    pinned = request.pinned
    if pinned is not None and (validator := pinned.validator):
        # Servers know one or the other: a broken If-Match is a 412, a broken If-Range a 200 with the new file.
        strong = validator.startswith('"')
        headers["If-Match" if strong else "If-Unmodified-Since"] = validator
        headers["If-Range"] = validator
    if request.unless:
        headers[_condition(request.unless)] = request.unless
    return headers


def _condition(validator: str) -> str:
    """The header that asks for a file only if it is another version."""
    return "If-None-Match" if validator.startswith('"') else "If-Modified-Since"


def accept(steps: Steps, request: ReadRequest, response: BaseHTTPResponse | Answer) -> Body:
    """Check an answer against its request. Raises the error for any other answer."""
    href, status, headers = steps.url, response.status, response.headers
    if status == 206:
        return _partial(href, request, response)
    if status == _NOT_MODIFIED and request.unless:
        raise NotModifiedError(f"{redact(href)}: not changed")
    if status == 412 and request.pinned is not None:
        raise ChangedError(f"{redact(href)}: the file changed on the server while it was read (412)")
    if status == 416:
        _judge_unsatisfied(href, request, unsatisfied_size(headers.get("content-range")))
    if status not in {200, 203}:
        known = secrets_sent(request.href, steps.sent)
        held = request.steps is not None and request.steps.held
        hint = sign_in_advice(steps.withheld or [href], sent=bool(steps.sent[-1]), held=held) if status == 401 else ""
        raise status_error(href, status, headers, glimpse(response, ERROR_BYTES), known, hint=hint)
    length = None if _is_chunked(headers) else number(headers.get("content-length"))
    info = remote_info(headers, size=length, ranges="bytes" in headers.get("accept-ranges", "").lower(), whole=True)
    return Body(href, response, info=info, start=0, length=length)


def _partial(href: str, request: ReadRequest, response: BaseHTTPResponse | Answer) -> Body:
    headers = response.headers
    found = content_range(headers.get("content-range"))
    if found is None:
        raise RangeNotServedError(f"{redact(href)}: a 206 answer without a valid Content-Range")
    if found.start != request.start or (request.stop is not None and found.stop > request.stop):
        raise RangeNotServedError(
            f"{redact(href)}: bytes {found.start}-{found.stop - 1} came, requested were bytes from {request.start}"
        )
    length = found.stop - found.start
    stated = None if _is_chunked(headers) else number(headers.get("content-length"))
    if stated is not None and stated != length:
        raise RangeNotServedError(f"{redact(href)}: Content-Range has {length} bytes, Content-Length {stated}")
    whole = found.start == 0 and found.stop == found.size
    info = remote_info(headers, size=found.size, ranges=True, whole=whole)
    pinned = request.pinned
    if pinned is not None and not pinned.same_version(info):
        raise ChangedError(f"{redact(href)}: the file changed on the server while it was read")
    return Body(href, response, info=info, start=found.start, length=length)


def _judge_unsatisfied(href: str, request: ReadRequest, size: int | None) -> None:
    """A 416 for a file that was longer before means that it changed."""
    pinned = request.pinned
    if pinned is not None and size is not None and pinned.size is not None and size != pinned.size:
        raise ChangedError(f"{redact(href)}: the file has {size} bytes now, {pinned.size} before")
    raise HttpStatusError(f"{redact(href)}: the server cannot serve the range from byte {request.start}", status=416)


def _is_chunked(headers: Mapping[str, str]) -> bool:
    return "chunked" in headers.get("transfer-encoding", "").lower()


def _discard(response: BaseHTTPResponse | Answer) -> None:
    """Release the connection of an unwanted answer; close it when the rest of the body is long."""
    if not _is_chunked(response.headers) and (number(response.headers.get("content-length")) or 0) <= ERROR_BYTES:
        response.drain_conn()
    else:
        response.close()
    response.release_conn()
