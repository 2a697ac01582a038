"""Moves the parts of one file, in their order, over one or several connections.

Each connection has a worker. The file's own thread is the first one; the others come from a pool that all files share,
so a file whose workers have to wait continues with those that it has. What a worker does depends on the sink:
:mod:`~splashdown._engine.inplace` and :mod:`~splashdown._engine.buffered` are the two kinds.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from splashdown._engine.context import Context
from splashdown._engine.ordered_hash import OrderedHasher
from splashdown._engine.range_reader import RangeReader
from splashdown._engine.retry import StoppedError
from splashdown._engine.source import Source
from splashdown._foreign.calls import wrong_type
from splashdown.checksums import Digests
from splashdown.model import Buffer, Part, StoredPart, Upload

#: How soon a file notices that the run was stopped while one of its workers hangs, in seconds.
_TICK = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenUpload:
    """One file on its way: where its bytes come from, where they go, and who notes it."""

    context: Context
    source: Source
    upload: Upload
    digests: Digests
    journal_number: str | None = None  #: what the journal calls the upload; ``None`` where no run can continue it
    sized: bool = True  #: whether the end of the file is known


class PartMover(ABC):
    """What both kinds share: handing out parts, remembering what is stored, and the end."""

    def __init__(self, work: OpenUpload, parts: Iterable[Part]) -> None:
        self.work = work
        self.context, self.source = work.context, work.source
        self.hasher = OrderedHasher(work.digests, self.read_again)
        self.size = 0  #: where the last stored part ends
        self._stored: dict[int, StoredPart] = {}
        self._parts = iter(parts)
        self._changed = threading.Condition()
        self._running = 0
        self._over = False
        self._error: BaseException | None = None

    @abstractmethod
    def move_parts(self, reader: RangeReader | None) -> None:
        """One worker: move parts until none is left. ``reader`` is a connection to begin with, to be closed here."""

    @abstractmethod
    def read_again(self, part: Part) -> Iterable[Buffer]:
        """The bytes of a part that is stored but was not hashed on the way."""

    def adopt(self, stored: Sequence[StoredPart]) -> None:
        """Take over parts that an earlier run has stored, and hash them as far as they are the file's beginning."""
        for one in stored:
            self._remember(one)
        if self.work.digests:
            for one in stored:
                self.hasher.finished(one.part)

    def run(self, first: RangeReader | None) -> list[str]:
        """Move everything and return the tags in the parts' order."""
        self._work(first)
        with self._changed:
            self._over = True
            while self._running:
                # A worker may hang in a read. Its thread is a daemon, so it does not keep the program alive.
                if self.context.stop.is_set():
                    raise StoppedError(f"{self.source.asset.label}: stopped")
                self._changed.wait(_TICK)
        if self._error is not None:
            raise self._error
        return [one.tag for _, one in sorted(self._stored.items())]

    def add_workers(self, count: int) -> None:
        """Ask for more workers; each comes when the pool has a thread for it, or never."""
        for _ in range(count):
            self.context.pool.submit(lambda: self._work(None))

    @property
    def failed(self) -> bool:
        """Whether a worker has failed, so that the others can stop."""
        return self._error is not None

    def next_part(self) -> Part | None:
        """The next part to move; ``None`` when none is left, or the file has failed."""
        with self._changed:
            return None if self.failed else next(self._parts, None)

    def no_more_parts(self) -> None:
        """Hand out nothing more: the end of the file was found."""
        with self._changed:
            self._parts = iter(())

    def reader_at(self, part: Part, reader: RangeReader | None) -> RangeReader:
        """The connection to read a part from: the worker's own when it is just there, else a new one."""
        if reader is not None:
            # Parts in a row come in one answer: a request for each would cost a round trip for each.
            if reader.pos == part.start and reader.connected:
                return reader
            reader.close()
        return RangeReader(self.source, part.start, part.stop)

    def part_stored(self, part: Part, tag: object, *, hashed: bool) -> None:
        """The sink has taken a part; ``hashed`` says that the caller had claimed it."""
        self.note(part, tag)
        self.hasher.finished(part, hashed=hashed)

    def stored(self, part: Part) -> StoredPart:
        """The record of a part."""
        with self._changed:
            return self._stored[part.number]

    def note(self, part: Part, tag: object) -> None:
        """Remember a part, in place of what was remembered of it before."""
        if not isinstance(tag, str):
            raise wrong_type(tag, str, self.context.sink.put_part)
        stored = StoredPart(part=part, tag=tag)
        if self.work.journal_number is not None:
            self.context.journal.part(self.work.journal_number, stored)
        self._remember(stored)

    def _remember(self, stored: StoredPart) -> None:
        with self._changed:
            self._stored[stored.part.number] = stored
            self.size = max(self.size, stored.part.stop or 0)

    def _work(self, reader: RangeReader | None) -> None:
        with self._changed:
            # The pool may come to this only when the file is done, or has failed.
            late = self._over or self.failed
            self._running += not late
        if late:
            if reader is not None:
                reader.close()
            return
        try:
            self.move_parts(reader)
        except BaseException as error:
            with self._changed:
                if not self.failed:  # what the other workers raise because of it is not the cause
                    self._error = error
            self.source.cancelled = True
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()
