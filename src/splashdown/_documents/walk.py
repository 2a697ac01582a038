"""Walks the documents that a document links: level by level, each document once, a few at a time.

It owns the order, the limits and the check for circles. Which links are followed, and which documents count as items,
is passed in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from splashdown._documents.document import Document
from splashdown._documents.places import shown
from splashdown.errors import ResolveError, SplashdownError, error_text
from splashdown.redact import safely_shown

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

#: More documents than most trees have; a server that invents documents as they are read is left here.
MAX_DOCUMENTS = 20_000
#: One in so many of the allowed documents may be read without an item: links that only lead to more links.
_FRUITLESS = 10
_CONNECTIONS = 8
#: Documents that are read before they are used; bounds what waits in memory.
_AHEAD = 64


@safely_shown
@dataclass(frozen=True, slots=True, repr=False)
class _Link:
    place: str
    parent: _Link | None = None  # what linked it; a document among its own parents is a circle


@safely_shown
@dataclass(slots=True, kw_only=True, repr=False)
class Walk:
    """One walk over linked documents; ``broken`` collects a line for each document that could not be read."""

    read: Callable[[str], Document]  #: called in several threads; what it raises becomes a line of ``broken``
    items: Callable[[Document], Iterable[Document]]  #: what a document adds to the result
    links: Callable[[Document], Iterable[str]]  #: places of the documents to read next
    advice: str  #: what to do about more than ``max_documents``
    max_documents: int = MAX_DOCUMENTS
    broken: list[str] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)
    _since_item: int = 0

    def below(self, root: Document) -> Iterator[Document]:
        """Items below a root document, in the order of the links, read as they are asked for.

        Raises ``ResolveError`` for a circle of links and for more documents than allowed.
        """
        self._seen.add(root.place)
        level = self._linked(root, _Link(root.place))
        from concurrent.futures import ThreadPoolExecutor  # late: many sources are one document

        pool = ThreadPoolExecutor(_CONNECTIONS, thread_name_prefix="splashdown-walk")
        try:
            while level:
                following: list[_Link] = []
                for link, document in self._read_all(level, pool):
                    for item in self.items(document):
                        self._since_item = 0
                        yield item
                    self._count_fruitless(link)
                    following.extend(self._linked(document, link))
                level = following
        finally:
            # After an error, Ctrl-C or the last item wanted, the documents in the queue are not read.
            pool.shutdown(wait=False, cancel_futures=True)

    def _read_all(self, links: Iterable[_Link], pool: ThreadPoolExecutor) -> Iterator[tuple[_Link, Document]]:
        waiting: deque[tuple[_Link, Future[Document | str]]] = deque()
        for link in links:
            if self._is_new(link):
                waiting.append((link, pool.submit(self._read, link.place)))
            if len(waiting) >= _AHEAD:
                yield from self._answers(waiting, _AHEAD - 1)
        yield from self._answers(waiting, 0)

    def _answers(
        self, waiting: deque[tuple[_Link, Future[Document | str]]], keep: int
    ) -> Iterator[tuple[_Link, Document]]:
        while len(waiting) > keep:
            link, future = waiting.popleft()
            answer = future.result()
            if isinstance(answer, str):
                self.broken.append(answer)
            else:
                yield link, answer

    def _read(self, place: str) -> Document | str:
        try:
            return self.read(place)
        except SplashdownError as error:
            return error_text(error)

    def _is_new(self, link: _Link) -> bool:
        if link.place in self._seen:
            _refuse_circle(link)
            return False
        self._seen.add(link.place)
        if len(self._seen) > self.max_documents:
            raise ResolveError(f"{shown(_root(link))} links more than {self.max_documents} documents; {self.advice}")
        return True

    def _count_fruitless(self, link: _Link) -> None:
        self._since_item += 1
        if self._since_item > max(1, self.max_documents // _FRUITLESS):
            raise ResolveError(
                f"{shown(_root(link))} links {self._since_item - 1} documents in a row without an item; {self.advice}"
            )

    def _linked(self, document: Document, link: _Link) -> list[_Link]:
        return [_Link(place.partition("#")[0], link) for place in self.links(document)]


def _refuse_circle(link: _Link) -> None:
    above = link.parent
    while above is not None:
        if above.place == link.place and link.parent is not None:
            raise ResolveError(f"the links of {shown(link.parent.place)} lead in a circle, back to {shown(link.place)}")
        above = above.parent


def _root(link: _Link) -> str:
    while link.parent is not None:
        link = link.parent
    return link.place
