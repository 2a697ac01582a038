"""Reads answers of HTTP/1.1 so that the state of their connection is known: heads within a time, bodies by their frame.

:mod:`http.client` parses heads and chunks. Around it this module adds what a connection needs that is used again:
informational answers are skipped, a head has a size and a time, contradictory lengths are refused (RFC 9112, section
6.3), and a connection that holds more than its answer is closed. :mod:`splashdown.connections` sends the requests.
"""

from __future__ import annotations

import http.client
import io
import math
import re
import socket
import time
from contextlib import suppress
from typing import Any, NamedTuple

from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.exceptions import HTTPError

__all__ = [
    "DRAIN_BYTES",
    "DRAIN_SECONDS",
    "LONGEST_HEAD",
    "AnswerError",
    "FullResponse",
    "Head",
    "full_response",
    "read_head",
]

#: A head may be so large, the informational answers before it included.
LONGEST_HEAD = 64 * 1024
#: So many informational answers may come before the answer.
_MOST_INFORMATIONAL = 32
#: An unwanted rest is read to keep its connection where that is cheaper than a new one: little, and quickly.
DRAIN_BYTES = 16 * 1024
DRAIN_SECONDS = 1.0
#: An error body is worth so long a wait; as much as has come by then is used.
_GLIMPSE_SECONDS = 3.0
#: ``http.client`` ends a head at the first empty line, whichever line ends it was written with.
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_INFORMATIONAL = re.compile(rb"HTTP/\S+\s+(1\d\d)(?!\d)")
_SWITCHING_PROTOCOLS = b"101"
_NO_BODY = frozenset({204, 304})
_LENGTH = re.compile(r"[0-9]{1,19}", re.ASCII)
_BUFFER = 64 * 1024


class AnswerError(http.client.HTTPException):
    """An answer that cannot be used; unlike the texts of libraries, its own quotes nothing of the request."""


class Head(NamedTuple):
    """A head with its last line end, and what came after it."""

    head: bytes
    rest: bytes


def read_head(data: bytes, connection: socket.socket, deadline: float) -> Head:
    """The head of the final answer (RFC 9110, section 15.2), of which ``data`` has come already.

    Raises ``TimeoutError`` when it is not there at ``deadline``, :class:`AnswerError` for what is not an answer to a
    plain request, and ``ConnectionError`` where the connection ends.
    """
    come = bytearray(data)
    room = LONGEST_HEAD
    for _ in range(_MOST_INFORMATIONAL + 1):
        size = _head_size(come, connection, deadline, room)
        head = bytes(come[:size])
        informational = _INFORMATIONAL.match(head)
        if informational is None:
            return Head(head, bytes(come[size:]))
        if informational[1] == _SWITCHING_PROTOCOLS:
            raise AnswerError("101 Switching Protocols, which nothing had asked for")
        del come[:size]
        room -= size
    raise AnswerError(f"more than {_MOST_INFORMATIONAL} informational answers")


def _head_size(come: bytearray, connection: socket.socket, deadline: float, room: int) -> int:
    at = 0
    while (found := _HEAD_END.search(come, max(0, at - 3))) is None:
        at = len(come)
        _check_size(at, room)
        set_timeout(connection, deadline)
        more = connection.recv(_BUFFER)
        if not more:
            # Half a head must not pass for a whole one: the length may be in the other half.
            raise http.client.RemoteDisconnected("the server closed the connection before the head had ended")
        come += more
    _check_size(found.end(), room)
    return found.end()


def _check_size(size: int, room: int) -> None:
    if size > room:
        raise AnswerError(f"the head of the answer is larger than {LONGEST_HEAD} bytes")


def set_timeout(connection: socket.socket, deadline: float) -> None:
    """Let the next call of the socket end at the deadline; raises ``TimeoutError`` when that is over."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    connection.settimeout(None if left == math.inf else left)


def full_response(
    head: Head, connection: Any, *, method: str, target: str, timeout: float | None
) -> tuple[FullResponse, bool]:
    """The answer as urllib3 has it, and whether the connection can serve another request after it.

    ``connection`` is urllib3's. Raises :class:`AnswerError` for an answer whose end cannot be known.
    """
    wire = _Wire(head.head + head.rest, connection, timeout)
    answer = _Framed(wire, method)
    answer.begin()
    reusable = _judge_frame(answer, method) and not answer.will_close
    response = FullResponse(
        body=answer,
        headers=HTTPHeaderDict(answer.msg.items()),
        status=answer.status,
        version=answer.version,
        version_string=f"HTTP/{answer.version / 10:.1f}",
        reason=answer.reason,
        preload_content=False,
        decode_content=False,
        original_response=answer,
        request_method=method,
        request_url=target,
    )
    return response, reusable


class FullResponse(HTTPResponse):
    """urllib3's response, which gives back only connections whose state is known, and reads no long rest for it."""

    _original_response: _Framed

    def end_within(self, seconds: float) -> None:
        """Let what is left of the body end within so many seconds, however steadily it comes."""
        self._original_response.wire.end_within(seconds)

    def glimpse(self, size: int) -> bytes:
        """What comes of the body within some seconds, up to ``size`` bytes; never raises."""
        answer, pieces = self._original_response, bytearray()
        answer.wire.end_within(_GLIMPSE_SECONDS)
        with suppress(OSError, HTTPError, http.client.HTTPException, ValueError):
            while len(pieces) < size and (piece := answer.read1(size - len(pieces))):
                pieces += piece
        return bytes(pieces)

    def supports_chunked_reads(self) -> bool:
        """Chunks are taken apart by ``http.client``: each read has a time then, as one of any body."""
        return False

    def drain_conn(self) -> None:
        """Read a short rest of the body, so that the connection can serve the next request; never raises."""
        answer = self._original_response
        answer.wire.end_within(DRAIN_SECONDS)
        with suppress(OSError, HTTPError, http.client.HTTPException, ValueError):
            answer.read(DRAIN_BYTES)
        if not answer.finished():
            self.close()

    def release_conn(self) -> None:
        """Give the connection back; it is closed where the answer has not ended."""
        connection: Any = self._connection
        if connection is not None and not self._original_response.finished():
            connection.close()
        super().release_conn()


class _Framed(http.client.HTTPResponse):
    """``http.client``'s response over a wire whose head is there already."""

    def __init__(self, wire: _Wire, method: str) -> None:
        self.wire = wire
        super().__init__(wire, method=method)  # type: ignore[arg-type]  # it asks a socket for nothing but a file

    def read(self, amt: int | None = None) -> bytes:
        self.wire.next_read()
        return super().read(amt)

    def read1(self, n: int = -1) -> bytes:
        self.wire.next_read()
        return super().read1(n)

    def finished(self) -> bool:
        """Whether the body has been read to its end."""
        if self.length == 0 and not (self.chunked or self.isclosed()):
            self._close_conn()  # type: ignore[attr-defined]  # ``read1`` leaves that to the next call
        return self.isclosed()


class _Wire:
    """A socket for ``http.client``, whose first bytes have been read already; closing it finds what was left on it.

    Each read of the body has the timeout as a whole: a chunk whose size comes byte by byte would never end else.
    """

    def __init__(self, data: bytes, connection: Any, timeout: float | None) -> None:
        self._connection = connection
        self._patience = math.inf if timeout is None else timeout
        self._end = math.inf
        self._raw = _Replay(data, connection.sock)
        self.next_read()

    def makefile(self, mode: str) -> io.BufferedReader:
        """What ``http.client`` asks a socket for."""
        assert mode == "rb"
        return _Reader(self._raw, self._connection)

    def next_read(self) -> None:
        """Another read begins."""
        self._raw.deadline = min(time.monotonic() + self._patience, self._end)

    def end_within(self, seconds: float) -> None:
        """All reads together have so many seconds from now on."""
        self._end = time.monotonic() + seconds
        self.next_read()


class _Reader(io.BufferedReader):
    def __init__(self, raw: _Replay, connection: Any) -> None:
        super().__init__(raw, _BUFFER)
        self._replay, self._connection = raw, connection

    def close(self) -> None:
        if not self.closed:
            self._replay.over = True
            if self.peek(1):  # more than the answer: what that is cannot be known
                self._connection.close()
        super().close()


class _Replay(io.RawIOBase):
    """Bytes, and then what a socket receives until the deadline."""

    def __init__(self, data: bytes, connection: socket.socket) -> None:
        self._data, self._socket = memoryview(data), connection
        self._rest: Any = connection.makefile("rb", buffering=0)
        self.deadline = math.inf
        self.over = False  #: only what has been read already is given out

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> Any:
        size = min(len(self._data), len(buffer))
        if size:
            buffer[:size], self._data = self._data[:size], self._data[size:]
            return size
        if self.over:
            return 0
        set_timeout(self._socket, self.deadline)
        return self._rest.readinto(buffer)

    def close(self) -> None:
        self._rest.close()
        super().close()


def _judge_frame(answer: _Framed, method: str) -> bool:
    """Whether the connection is usable after the answer; raises for an answer whose end is not clear.

    RFC 9112, section 6: one length or chunks. ``http.client`` takes the first of several, and guesses else.
    """
    codings = _values(answer, "transfer-encoding")
    lengths = set(_values(answer, "content-length"))
    if 100 <= answer.status < 200:
        raise AnswerError(f"the informational answer {answer.status} where an answer has to be")
    if codings not in ([], ["chunked"], ["identity"]):
        raise AnswerError("the answer has a transfer coding that is not known")
    if len(lengths) > 1 or not all(map(_LENGTH.fullmatch, lengths)):
        raise AnswerError("the answer has a Content-Length that makes no sense")
    bodiless = method == "HEAD" or answer.status in _NO_BODY
    if lengths and not answer.chunked and not bodiless:
        answer.length = int(*lengths)
    damaged = bool(answer.msg.defects or answer.msg.get_payload())
    if damaged and not (lengths or answer.chunked or bodiless):
        raise AnswerError("the answer has broken header lines, and no length")
    clear = not (codings and (lengths or codings == ["identity"] or answer.version < 11))
    announced = answer.status in _NO_BODY and (bool(codings) or lengths not in (set(), {"0"}))
    return clear and not damaged and not announced


def _values(answer: _Framed, name: str) -> list[str]:
    """The members of a header, however many lines it has."""
    lines = answer.msg.get_all(name) or []
    return [member.strip(" \t").lower() for line in lines for member in str(line).split(",")]
