"""Moves the parts of one file, in their order, over one or several connections.

The file's own thread is the first lane; the others come from a pool that all files share, so a file whose lanes have
to wait gets on with the ones it has. The two kinds of lanes are in ``inplace`` and ``buffered``.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from splashdown._engine.context import Context
from splashdown._engine.ordered_hash import OrderedHasher
from splashdown._engine.retry import StoppedError
from splashdown._engine.source import Reader, Source
from splashdown.checksums import Digests
from splashdown.model import Buffer, Part, StoredPart, Upload

_TICK = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One file on its way: ``number`` is what the journal calls its upload, ``sized`` whether its end is known."""

    context: Context
    source: Source
    upload: Upload
    digests: Digests
    number: str | None = None
    sized: bool = True


class Lanes(ABC):
    """What both kinds share: handing out parts, remembering what is stored, and the end."""

    def __init__(self, work: Work, parts: Iterable[Part]) -> None:
        self.work = work
        self.context, self.source = work.context, work.source
        self.hasher = OrderedHasher(work.digests, self.again)
        self.size = 0  #: where the last stored part ends
        self._stored: dict[int, StoredPart] = {}
        self._parts = iter(parts)
        self._changed = threading.Condition()
        self._running = 0
        self._over = False
        self._error: BaseException | None = None

    @abstractmethod
    def move(self, reader: Reader | None) -> None:
        """Move parts until none is left; ``reader`` is a connection to begin with, for this method to close."""

    @abstractmethod
    def again(self, part: Part) -> Iterable[Buffer]:
        """The bytes of a part that is stored but was not hashed on the way."""

    def keep(self, held: Sequence[StoredPart]) -> None:
        """Take over parts that an earlier run has stored, and hash them as far as they are the file's beginning."""
        for one in held:
            self._remember(one)
        if self.work.digests:
            for one in held:
                self.hasher.finished(one.part)

    def run(self, first: Reader | None) -> list[str]:
        """Move everything and return the tags in the parts' order."""
        self._lane(first)
        with self._changed:
            self._over = True
            while self._running:
                if self.context.stop.is_set():  # a lane may hang in a read; its thread does not keep anybody alive
                    raise StoppedError(f"{self.source.asset.label}: stopped")
                self._changed.wait(_TICK)
        if self._error is not None:
            raise self._error
        return [one.tag for _, one in sorted(self._stored.items())]

    def widen(self, lanes: int) -> None:
        """Ask for more lanes; each comes when the pool has a thread for it, or never."""
        for _ in range(lanes):
            self.context.pool.submit(lambda: self._lane(None))

    @property
    def failed(self) -> bool:
        """Whether a lane has failed, so that there is no sense in going on."""
        return self._error is not None

    def take(self) -> Part | None:
        """The next part; ``None`` when there is none, or no sense in moving it."""
        with self._changed:
            return None if self.failed else next(self._parts, None)

    def no_more(self) -> None:
        """The end of the file was found."""
        with self._changed:
            self._parts = iter(())

    def reader_at(self, part: Part, reader: Reader | None) -> Reader:
        """The connection to read a part from: the lane's own when it is just there, else a new one."""
        if reader is not None:
            if reader.pos == part.start and reader.connected:
                return reader
            reader.close()
        return Reader(self.source, part.start, part.stop)

    def done(self, part: Part, tag: str, *, hashed: bool) -> None:
        """A part is stored."""
        self.stored_again(part, tag)
        self.hasher.finished(part, hashed=hashed)

    def stored(self, part: Part) -> StoredPart:
        """What is remembered of a part."""
        with self._changed:
            return self._stored[part.number]

    def stored_again(self, part: Part, tag: str) -> None:
        """Remember a part, in place of what was remembered of it before."""
        stored = StoredPart(part=part, tag=tag)
        if self.work.number is not None:
            self.context.journal.part(self.work.number, stored)
        self._remember(stored)

    def _remember(self, stored: StoredPart) -> None:
        with self._changed:
            self._stored[stored.part.number] = stored
            self.size = max(self.size, stored.part.stop or 0)

    def _lane(self, reader: Reader | None) -> None:
        with self._changed:
            late = self._over or self.failed
            self._running += not late
        if late:
            if reader is not None:
                reader.close()
            return
        try:
            self.move(reader)
        except BaseException as error:
            with self._changed:
                if not self.failed:  # what the other lanes raise because of it is not the cause
                    self._error = error
            self.source.cancelled = True
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()
