"""Reads the documents of one source from files, the web and stores, with a limit on their size.

Where that takes long, it says how far it has come: in a line for people, and as an event.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from splashdown._documents.authority import Authority
from splashdown._documents.document import Document, parse_object
from splashdown._documents.places import open_local, shown
from splashdown.errors import LoadError, ResolveError, TransferError
from splashdown.redact import safely_shown
from splashdown.sources import is_in_store, is_url

if TYPE_CHECKING:
    from splashdown._documents.client import Client
    from splashdown.events import Reading
    from splashdown.protocols import ResolveContext

#: Largest document that is read into memory as a whole, in bytes.
MAX_BYTES = 128 * 2**20
#: Seconds until the first line: most sources are read by then. Each line waits twice as long as the one before it.
_FIRST = 5.0
_LONGEST = 40.0

T = TypeVar("T")


@safely_shown
@dataclass(slots=True, kw_only=True, repr=False)
class ReadingProgress:
    """Counts the documents and items of one source. Documents may be read by several threads."""

    place: str
    context: ResolveContext = field(repr=False)
    clock: Callable[[], float] = time.monotonic
    documents: int = 0
    items: int = 0
    _due: float = field(init=False)
    _pause: float = _FIRST
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        self._due = self.clock() + self._pause

    def document(self) -> None:
        """One document more was read, a page of a search for example."""
        with self._lock:
            self.documents += 1
            now = self.clock()
            if now < self._due:
                return
            self._pause = min(_LONGEST, 2 * self._pause)
            self._due = now + self._pause
            from splashdown.events import Reading  # late: few sources take long to read

            event = Reading(place=shown(self.place), documents=self.documents, items=self.items)
        self._announce(event)

    def counted(self, items: Iterable[T]) -> Iterator[T]:
        """The same items, each of which counts."""
        for item in items:
            self.items += 1
            yield item

    def _announce(self, event: Reading) -> None:
        count = f"{event.documents:,} documents and {event.items:,} items so far"
        self.context.notify(f"reading {event.place}: {count}")
        from splashdown._documents.client import http_options  # late: most sources are read before this

        http = http_options(self.context)  # with the way to the listeners of a session
        if http is not None and http.emit is not None:
            http.emit(event)


@safely_shown
@dataclass(slots=True, repr=False)
class Reader:
    """Reads documents for the source at ``place``; ``authority`` holds the credentials of its origin."""

    authority: Authority
    context: ResolveContext
    place: str = ""
    progress: ReadingProgress = field(init=False, repr=False)
    _client: Client | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.progress = ReadingProgress(place=self.place, context=self.context)

    @property
    def client(self) -> Client:
        """The HTTP client, made with the first document on the web."""
        if self._client is None:
            from splashdown._documents.client import Client, http_options
            from splashdown._documents.listed import listed_of

            self._client = Client(self.authority, http_options(self.context), listed=listed_of(self.context))
        return self._client

    @property
    def from_public_web(self) -> bool:
        """Whether what was read first on the web was at a public address."""
        return self._client is not None and bool(self._client.gate.public)

    def read(self, place: str) -> Document:
        """The JSON object at a place. Raises :class:`~splashdown.errors.ResolveError` or a subclass."""
        if is_url(place):
            found = self.client.get(place)
        else:
            found = Document(place=place, body=parse_object(self.read_bytes(place), place))
        self.progress.document()
        return found

    def read_bytes(self, place: str) -> bytes:
        """A whole document of up to 128 MiB. Raises as :meth:`read` does."""
        if is_url(place):
            return self.client.get_bytes(place)[1]
        if is_in_store(place):
            return self._of_store(place)
        with open_local(place) as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ResolveError(f"{shown(place)} is larger than {MAX_BYTES // 2**20} MiB, too large for one document")
        return content

    def _of_store(self, place: str) -> bytes:
        try:
            return self.context.open(place).bytes(MAX_BYTES)
        except (TransferError, LoadError) as error:
            raise ResolveError(f"{shown(place)} cannot be read: {error}") from None

    def close(self) -> None:
        """Close connections."""
        if self._client is not None:
            self._client.close()
