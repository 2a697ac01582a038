"""The body of one answer, as chunks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Self

from splashdown.builtins.http.failures import connection_error
from splashdown.connections import CHUNK, ENOUGH, GATHER_SECONDS, Answer
from splashdown.errors import TruncatedError
from splashdown.model import Buffer, RemoteInfo
from splashdown.redact import redact

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

#: Up to this many bytes of an unwanted body are read to keep its connection.
_DRAIN = 16 * 1024


class Body:
    """A :class:`~splashdown.protocols.Stream`, and the context manager that releases its connection."""

    __slots__ = ("_come", "_error", "_href", "_response", "info", "length", "start")

    def __init__(
        self, href: str, response: BaseHTTPResponse | Answer, *, info: RemoteInfo, start: int, length: int | None
    ) -> None:
        self._href, self._response = href, response
        self.info, self.start, self.length = info, start, length
        self._come = 0
        self._error: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        left = None if self.length is None else self.length - self._come
        if left is None or left > _DRAIN or not self._drained():
            self._response.close()
        self._response.release_conn()

    def __iter__(self) -> Iterator[Buffer]:
        length = self.length
        while self._come != length:
            chunk = self._chunk()
            if not chunk:
                break
            self._come += len(chunk)
            if length is not None and self._come > length:
                raise TruncatedError(f"{redact(self._href)}: the body is longer than the {length} bytes promised")
            yield chunk
        if length is not None and self._come < length:
            raise TruncatedError(f"{redact(self._href)}: the body ended after {self._come} of {length} bytes")

    def _chunk(self) -> Buffer:
        """The next bytes; empty at the end."""
        response = self._response
        if not isinstance(response, Answer):
            return self._pieces(response)
        try:
            return response.read()
        except Exception as failure:
            raise connection_error(self._href, failure) from None

    def _pieces(self, response: BaseHTTPResponse) -> bytes:
        """The next bytes through urllib3; empty at the end.

        A read that waits for a whole buffer would hide how slow a server is, and lose the bytes before a break.
        Small pieces (TLS records, slow links) are collected for a moment, because each chunk has a cost.
        """
        error, self._error = self._error, None
        if error is not None:
            raise connection_error(self._href, error) from None
        read = response.read1
        pieces: list[bytes] = []
        size, begun = 0, 0.0
        try:
            while size < ENOUGH:
                piece = read(CHUNK, decode_content=False)
                if not piece or (not pieces and len(piece) >= ENOUGH):
                    return b"".join(pieces) if pieces else piece
                pieces.append(piece)
                size += len(piece)
                now = time.monotonic()
                begun = begun or now
                if size + self._come == self.length or now - begun > GATHER_SECONDS:
                    break
        except Exception as failure:
            if not pieces:
                raise connection_error(self._href, failure) from None
            self._error = failure  # for the next call: the bytes so far are good
        return b"".join(pieces)

    def _drained(self) -> bool:
        try:
            self._response.drain_conn()
        except Exception:  # the connection is broken then, and the caller closes it
            return False
        return True
