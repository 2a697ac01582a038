"""The transport ``http``: reads http and https hrefs by GET requests with ranges.

It never sends HEAD: signed URLs refuse it, and answer it differently. The first request asks for
``bytes=0-``, so that one answer is probe and body. The engine retries and resumes; the transport raises the exact
error of one answer.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from splashdown._connections.options import HttpOptions
from splashdown.hookspecs import hookimpl
from splashdown.specs import TransportSpec

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from splashdown._connections.addresses import Gate
    from splashdown.builtins.http.exchange import Exchange, HttpAwaitedFile
    from splashdown.model import ReadRequest, SmallBody
    from splashdown.protocols import Stream, Transport


class HttpTransport:
    """Reads http(s) hrefs over pooled connections. One object serves all threads."""

    def __init__(self, options: HttpOptions | None = None, gate: Gate | None = None) -> None:
        from splashdown.builtins.http.exchange import Exchange

        options = options or HttpOptions()
        self._options = options
        self._guarded: HttpTransport | None = None
        self._lock = threading.Lock()
        self._exchange: Exchange = Exchange(options, gate)

    def stream(self, request: ReadRequest) -> AbstractContextManager[Stream]:
        """Send the request, follow redirects, check the answer; raises the ``TransferError`` for it."""
        return self._exchange.open(request)

    def for_public_documents(self) -> Transport:
        """The same, for hrefs of documents of the public web: it refuses addresses that are not public."""
        if self._options.allow_private:
            return self
        from splashdown._connections.addresses import Gate

        with self._lock:
            if self._guarded is None:
                self._guarded = HttpTransport(self._options, Gate(public=True))
            return self._guarded

    def read_small(self, request: ReadRequest, most: int) -> SmallBody | AbstractContextManager[Stream]:
        """The same for a whole file: one that is small, and plainly answered, comes as one value."""
        return self._exchange.read_small(request, most)

    def ask_small(self, request: ReadRequest, most: int) -> HttpAwaitedFile | None:
        """The same without waiting for the answer."""
        return self._exchange.ask_small(request, most)

    def close(self) -> None:
        """Close the idle connections."""
        self._exchange.close()
        if self._guarded is not None:
            self._guarded.close()


def _create(options: object) -> Transport:
    return HttpTransport(options if isinstance(options, HttpOptions) else None)


@hookimpl
def splashdown_transports() -> Iterator[TransportSpec]:
    """Offer the transport."""
    yield TransportSpec(
        name="http",
        schemes=("http", "https"),
        create=_create,
        options=HttpOptions,
        summary="http(s) URLs, by ranged GET requests over pooled connections",
    )
