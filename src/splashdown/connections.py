"""Requests at little cost over the pools of urllib3, for plugins whose protocol is HTTP with bodies both ways.

    pool = urllib3.connection_from_url("https://store.example")
    make_lean(pool)
    limits = urllib3.Timeout(connect=20, read=60)
    answer = send(pool, "/bucket/key", {"Host": "store.example"}, limits, method="PUT", body=data)

A request is one write, and the usual answer is read without an e-mail parser. urllib3's pools make the connections,
look after TLS, proxies and timeouts, and take them back. This module replaces the writing of a request and the reading
of its answer, which is most of the cost of a small file. Only an answer of the plainest kind is read here:
HTTP/1.1, 200 or 206, a length, header lines without any peculiarity, the connection kept. Every other one is given to
:mod:`http.client` from its first byte, as if it had not been looked at.

A connection serves another request only when its state is known: the answer ended where it had to, its length was
clear, and nothing has come since. The read timeout is for the head as a whole, with the informational answers before
it, and for each read of the body.

Retries, redirects and what a status means are left to the caller, who has to read the body of the answer and give its
connection back (``drain_conn``, ``release_conn``).
"""

from __future__ import annotations

import http.client
import math
import os
import re
import socket
import time
import weakref
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast

from urllib3 import BaseHTTPResponse, HTTPConnectionPool, Retry, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
)

from splashdown._connections.addresses import Gate
from splashdown._connections.answers import (
    DRAIN_BYTES,
    DRAIN_SECONDS,
    FullResponse,
    Head,
    full_response,
    read_head,
    set_timeout,
)
from splashdown._connections.awaited import Awaited
from splashdown._connections.logged import hide_secrets
from splashdown._connections.recent import MOST_HOSTS, Idle, RecentlyUsed, close_idle
from splashdown._connections.whole import Watch, Whole, lost, receive, silent_connection
from splashdown.model import Buffer

__all__ = [
    "MOST_HOSTS",
    "Answer",
    "Awaited",
    "RecentlyUsed",
    "Whole",
    "ask_whole",
    "close_idle",
    "glimpse",
    "make_lean",
    "send",
    "send_whole",
]

#: A buffer of this size is filled again and again by a long body: few system calls, few turns of the interpreter.
CHUNK = 512 * 1024
#: A chunk of this size is handed on at once; a smaller one waits for more, for so many seconds.
ENOUGH = 256 * 1024
GATHER_SECONDS = 0.05
#: The first read takes the head and, of a small file, the body too.
_FIRST = 72 * 1024
#: A body up to this size is sent in one write with the head; of a longer one so much at a time, each with a timeout of
#: its own, as what is limited is silence and not the length of a body.
_WRITE = 256 * 1024
_NEVER = Retry(False, redirect=False)
#: A target in which nothing has to be percent-encoded (RFC 3986, section 3.3 and 3.4).
_ENCODED = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-F]{2})+")
_USUAL = (b"HTTP/1.1 200", b"HTTP/1.1 206")
#: Status and fields. Every line is one field: none is folded, broken, or hides a line break of its own.
_PLAIN = re.compile(r"HTTP/1\.1 (200|206|304)(?: [^\r\n]*)?((?:\r\n[A-Za-z0-9-]+:[^\r\n]*)*)")
#: Headers that decide what the body is, and cookies, which no comma parts; repeated ones are left to ``http.client``.
_SINGLE = frozenset(
    {"content-length", "content-range", "content-encoding", "etag", "last-modified", "connection", "set-cookie"}
)


class Answer:
    """An answer whose body has a length. It has what urllib3's pool wants of a response, and no more."""

    __slots__ = ("_buffer", "_connection", "_early", "_pool", "_socket", "headers", "left", "retries", "status")

    version_string = "HTTP/1.1"

    def __init__(
        self, connection: HTTPConnection, status: int, headers: Mapping[str, str], early: memoryview, length: int
    ) -> None:
        self.status, self.headers = status, headers
        self.left = length
        self._early = early[:length]
        self._socket: Any = connection.sock
        if len(early) > length:  # more than was promised: who knows what that is
            connection.close()
        self._buffer = memoryview(b"")
        self._connection: HTTPConnection | None = connection
        self._pool: HTTPConnectionPool | None = None
        self.retries: Any = None

    @property
    def length_remaining(self) -> int:
        """Bytes of the body that are still to come."""
        return self.left

    def read(self) -> Buffer:
        """What has come, valid until the next call; empty at the end of the body, or where the connection ended."""
        early, self._early = self._early, memoryview(b"")
        size, left = len(early), self.left
        if size == left or size >= ENOUGH:
            self.left -= size
            return early
        if not self._buffer:
            self._buffer = memoryview(bytearray(min(left, CHUNK)))
        buffer, receive = self._buffer, self._socket.recv_into
        buffer[:size] = early
        most, enough = min(left, len(buffer)), min(left, ENOUGH)
        begun = 0.0
        while size < enough:
            try:
                got = receive(buffer[size:most])
            except OSError as error:
                if size:
                    break  # the bytes so far are good, and the next call raises
                if isinstance(error, TimeoutError) and self._pool is not None:
                    raise ReadTimeoutError(self._pool, "", "read timed out") from None
                raise
            size += got
            if not got:
                break
            if size < enough:
                now = time.monotonic()
                begun = begun or now
                if now - begun > GATHER_SECONDS:
                    break
        self.left -= size
        return buffer[:size]

    def release_conn(self) -> None:
        """Give the connection back; it serves the next request unless it was closed, or the body has not ended."""
        if self.left:
            self.close()
        connection, self._connection = self._connection, None
        if connection is not None and self._pool is not None:
            self._pool._put_conn(connection)  # noqa: SLF001 - urllib3's own responses give it back so

    def drain_conn(self) -> None:
        """Read a short rest of the body, so that the connection can serve the next request; never raises."""
        if 0 < self.left <= DRAIN_BYTES:
            deadline = time.monotonic() + DRAIN_SECONDS
            with suppress(OSError, HTTPError):
                set_timeout(self._socket, deadline)
                while self.read():
                    set_timeout(self._socket, deadline)
        if self.left:
            self.close()

    def close(self) -> None:
        """End the connection: what is left of the body is not read."""
        if self._connection is not None:
            self._connection.close()


class _Lean(HTTPConnection):
    """What plain and TLS connections have in common."""

    full = False  #: every answer is urllib3's own kind
    gate: Gate | None = None  #: looks at each address before it is connected to
    watch: Watch | None = None
    _asked = ("", "")

    def _new_conn(self) -> socket.socket:
        """Connect to an address that the gate has let through, and to no other one."""
        gate, host = self.gate, self._dns_host
        if gate is None or self.proxy is not None or hasattr(self, "_socks_options"):
            return super()._new_conn()
        try:
            addresses = list(gate.addresses(host, self.port))
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        while True:
            self._dns_host = addresses.pop(0)
            try:
                connection = super()._new_conn()
            except (NewConnectionError, ConnectTimeoutError):
                if not addresses:
                    raise
            else:
                gate.connected(self._dns_host)
                return connection
            finally:
                self._dns_host = host  # certificates are for the name

    def request(  # type: ignore[override]  # as of urllib3
        self,
        method: str,
        url: str,
        body: Buffer | str | None = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> None:
        """Send a request. ``headers`` has everything, ``Host`` too, but for the length of the body."""
        lines = [f"{method} {url} HTTP/1.1", *[f"{name}: {value}" for name, value in (headers or {}).items()]]
        if isinstance(body, str):
            body = body.encode()
        if body is not None and not (self.full and "Content-Length" in (headers or {})):
            lines.append(f"Content-Length: {len(body)}")
        lines.append("\r\n")
        head = "\r\n".join(lines).encode("latin-1")
        if not len(lines) == head.count(b"\n") == head.count(b"\r"):
            raise ValueError("a header holds a line break")
        if self.sock is None:
            self.connect()
        self._limit()
        self._asked = (method, url)
        if body and len(body) <= _WRITE:
            head += body
        self.sock.sendall(head)
        if body and len(body) > _WRITE:
            with memoryview(body) as view:
                for at in range(0, len(view), _WRITE):
                    self.sock.sendall(view[at : at + _WRITE])

    def getresponse(self) -> FullResponse:  # type: ignore[override]  # as of urllib3
        """The answer. Its type is only close to urllib3's for a usual one, see :class:`Answer`."""
        connection = self.sock
        self._limit()
        deadline = math.inf if self.timeout is None else time.monotonic() + self.timeout
        return self.answer(connection.recv(_FIRST), deadline)

    def whole(self, head: bytes, target: str, most: int, seconds: float | None) -> Whole | FullResponse:
        """Send a prepared request; its answer is a small file, or the same as of :meth:`getresponse`."""
        connection = self.sock
        if connection.gettimeout() != seconds:
            connection.settimeout(seconds)
        self._ask(head, target, seconds)
        deadline = math.inf if seconds is None else time.monotonic() + seconds
        found = receive(self, most, _plain)
        return found if type(found) is Whole else self.answer(found, deadline)  # type: ignore[arg-type]  # bytes

    def ask(self, pool: HTTPConnectionPool, head: bytes, target: str, most: int, seconds: float | None) -> Awaited:
        """The same without waiting for the answer, by a socket that never waits."""
        connection = self.sock
        self._ask(head, target, seconds)
        if connection.gettimeout() != 0:
            connection.settimeout(0)
        return Awaited(pool, self, most, seconds, _plain)

    def _ask(self, head: bytes, target: str, seconds: float | None) -> None:
        """Send a prepared request."""
        connection = self.sock
        self.timeout, self._asked = seconds, ("GET", target)
        try:  # not suppress(), which would cost three calls for each request
            # Not asked first whether there is room for it, which there nearly always is. A TLS socket has to encrypt.
            sent = os.write(connection.fileno(), head) if type(connection) is socket.socket else 0
        except BlockingIOError:
            sent = 0
        except (BrokenPipeError, ConnectionResetError):  # what a server said before it hung up can still be read
            sent = len(head)
        if sent < len(head):
            self._limit()
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(head[sent:])

    def answer(self, data: bytes, deadline: float) -> FullResponse:
        """The answer that begins with these bytes."""
        connection = self.sock
        if not data:
            raise http.client.RemoteDisconnected("the server closed the connection without an answer")
        answer: Any = self._usual(data, data.find(b"\r\n\r\n") + 4)
        if answer is None:
            head = read_head(data, connection, deadline)
            self._limit()
            # What has come in pieces, or after an informational answer, may be as usual as any.
            answer = self._usual(head.head + head.rest, len(head.head)) or self._other(head)
        return answer  # type: ignore[no-any-return]

    def _usual(self, data: bytes, end: int) -> Answer | None:
        """The answer whose head ends there, if it is of the plainest kind."""
        if self.full or end < 4 or not data.startswith(_USUAL) or (plain := _plain(data[: end - 4])) is None:
            return None
        status, fields, length = plain
        return Answer(self, status, fields, memoryview(data)[end:], 0 if self._asked[0] == "HEAD" else length)

    def _other(self, head: Head) -> FullResponse:
        """Let ``http.client`` read an answer that is not of the plainest kind."""
        method, target = self._asked
        answer, reusable = full_response(head, self, method=method, target=target, timeout=self.timeout)
        if not reusable:
            self.close()  # the answer holds on to the socket as long as it needs it
        return answer

    @property
    def is_connected(self) -> bool:
        """Whether the connection is open and silent: what a server says without being asked is not the next answer."""
        held = getattr(self.sock, "pending", None)  # TLS may have read more than was asked of it
        return super().is_connected and not (held and held())

    def _limit(self) -> None:
        """Set the time limit of the socket where it is another one: that is a call of the system."""
        if self.sock.gettimeout() != self.timeout:
            self.sock.settimeout(self.timeout)


class LeanHTTPConnection(_Lean):
    """For plain HTTP."""


class LeanHTTPSConnection(_Lean, HTTPSConnection):
    """For TLS."""


#: What takes the place of urllib3's own.
_INSTEAD: dict[tuple[type, bool], Any] = {
    (HTTPConnection, False): LeanHTTPConnection,
    (HTTPSConnection, False): LeanHTTPSConnection,
}


def _is_lean(pool: HTTPConnectionPool) -> bool:
    connections: Any = pool.ConnectionCls
    return issubclass(connections, _Lean)


def make_lean(pool: HTTPConnectionPool, *, full: bool = False, gate: Gate | None = None) -> None:
    """Let a pool make such connections, whatever kind it makes now (SOCKS has one of its own).

    With ``full`` each answer is urllib3's own kind, for callers that want it decoded. ``gate`` looks at addresses.
    """
    own: Any = pool.ConnectionCls
    if _is_lean(pool):
        return
    hide_secrets()
    if (own, full) not in _INSTEAD:
        _INSTEAD[own, full] = type(f"Lean{own.__name__}", (_Lean, own), {"full": full})
    lean = _INSTEAD[own, full]
    pool.ConnectionCls = lean if gate is None else type(lean.__name__, (lean,), {"gate": gate})
    if not pool.block and pool.pool is not None:
        idle: Any = Idle(pool.pool.maxsize)
        close_idle(pool)
        pool.pool = idle
        # urllib3 does so with its own queue, for a pool that is dropped without being closed.
        weakref.finalize(pool, idle.close)


def send(
    pool: HTTPConnectionPool,
    target: str,
    headers: dict[str, str],
    timeout: Timeout,
    *,
    method: str = "GET",
    body: Buffer | None = None,
) -> BaseHTTPResponse | Answer:
    """Send a request over one of the pool's connections; the answer gives it back.

    Nothing is repeated and no redirect followed. Where there is neither a proxy nor anything to encode in the target,
    this is what ``urlopen`` does, at a third of its cost.
    """
    if pool.proxy is not None or not _is_lean(pool) or not _ENCODED.fullmatch(target):
        return pool.urlopen(
            method,
            target,
            body=cast("Any", body),
            headers=headers,
            retries=_NEVER,
            redirect=False,
            assert_same_host=False,
            timeout=timeout,
            preload_content=False,
            decode_content=False,
        )
    connection: Any = pool._get_conn()  # noqa: SLF001 - the pool's own ways, as in Answer.release_conn
    try:
        return _exchanged(pool, connection, timeout, (method, target, body, headers))
    except BaseException as error:
        raise lost(pool, connection, error) from None


def send_whole(
    pool: HTTPConnectionPool, target: str, head: bytes, seconds: float, most: int
) -> Whole | BaseHTTPResponse | Answer | None:
    """Ask for a file that may be small, with a prepared head; ``None`` where that cannot be done, and nothing was sent.

    A request with a small body, whose answer is short, can be sent in the same way: ``head`` ends with the body then.

    That is so before the first answer on a connection, where there is a proxy, and where the target has to be encoded.
    ``seconds`` is the read timeout. Any answer but a whole file of at most ``most`` bytes is what :func:`send` returns.
    """
    if pool.proxy is not None or not _ENCODED.fullmatch(target) or (connection := silent_connection(pool)) is None:
        return None
    try:
        found = connection.whole(head, target, most, seconds)
    except BaseException as error:
        raise lost(pool, connection, error) from None
    if type(found) is Whole:
        pool.pool.connections.append(connection)  # type: ignore[union-attr]  # where it came from
        return found
    found._connection, found._pool = connection, pool  # noqa: SLF001 - as the pool does it
    return found  # type: ignore[no-any-return]


def ask_whole(pool: HTTPConnectionPool, target: str, head: bytes, seconds: float, most: int) -> Awaited | None:
    """:func:`send_whole` without waiting: the answer is there when the result can be read.

    Not for a thread that uses :func:`send_whole` before the data of this one's answer have been used.
    """
    if pool.proxy is not None or not _ENCODED.fullmatch(target) or (connection := silent_connection(pool)) is None:
        return None
    try:
        return connection.ask(pool, head, target, most, seconds)  # type: ignore[no-any-return]
    except BaseException as error:
        raise lost(pool, connection, error) from None


def glimpse(response: BaseHTTPResponse | Answer, size: int) -> bytes:
    """The beginning of an error body, as far as it comes within some seconds; never raises."""
    return response.glimpse(size) if isinstance(response, FullResponse) else b""


def _exchanged(
    pool: HTTPConnectionPool, connection: Any, timeout: Timeout, request: tuple[str, str, Buffer | None, dict[str, str]]
) -> BaseHTTPResponse | Answer:
    if connection.is_closed:
        connection.timeout = timeout.connect_timeout
        pool._validate_conn(connection)  # noqa: SLF001 - connects, and warns where certificates are not checked
        if connection.is_closed:
            connection.connect()
    connection.timeout = timeout.read_timeout
    try:  # noqa: SIM105 - suppress() would cost three calls for each request
        connection.request(*request)
    except (BrokenPipeError, ConnectionResetError):  # what a server said before it hung up can still be read
        pass
    response: Any = connection.getresponse()
    response._connection, response._pool = connection, pool  # noqa: SLF001 - as the pool does it
    return response  # type: ignore[no-any-return]


def _plain(data: bytes) -> tuple[int, dict[str, str], int] | None:
    """Status, headers in lower case, and length of an answer of the plainest kind; ``None`` for any other."""
    found = _PLAIN.fullmatch(data.decode("latin-1"))
    if found is None:
        return None
    fields: dict[str, str] = {}
    lines = found[2].split("\r\n")[1:]
    for line in lines:  # not a comprehension, nor a tuple for each: thousands of answers pass here
        name, _, value = line.partition(":")
        fields[name.lower()] = value.strip(" \t")
    if len(fields) != len(lines) and not _merged(fields, lines):
        return None
    length = fields.get("content-length", "")
    if found[1] == "304":  # it has no body, whatever length the file has (RFC 9112, section 6.3)
        length = "0"
    usual = "transfer-encoding" not in fields and fields.get("connection", "keep-alive").lower() == "keep-alive"
    if not usual or not length.isascii() or not length.isdigit() or len(length) > 19:
        return None
    return int(found[1]), fields, int(length)


def _merged(fields: dict[str, str], lines: list[str]) -> bool:
    """Put together what came several times (RFC 9110, section 5.3); false where that would hide a contradiction."""
    several: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(":")
        several.setdefault(name.lower(), []).append(value.strip(" \t"))
    fields.update({name: ", ".join(values) for name, values in several.items()})
    return all(len(several[name]) == 1 for name in _SINGLE & several.keys())
