"""Says how far the reading of a source has come, where that takes long: in a line for people, and as an event."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from splashdown._documents.places import shown
from splashdown.events import Reading

if TYPE_CHECKING:
    from splashdown.protocols import ResolveContext

T = TypeVar("T")

#: Seconds until the first line: most sources are read by then. Each line waits twice as long as the one before it.
_FIRST = 5.0
_LONGEST = 40.0


@dataclass(slots=True, kw_only=True)
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
        # The context of a session has its options of HTTP, with the way to its listeners.
        emit = getattr(getattr(self.context, "http", None), "emit", None)
        if emit is not None:
            emit(event)
