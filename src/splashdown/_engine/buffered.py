"""Lanes for sinks that need a part whole before they can send it: object stores.

The run's memory budget is the bound. Parts are handed out in the file's order and only to a lane that has its
memory already, so the part that hashing waits for is always on its way and nobody waits for ever.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

from splashdown._engine.lanes import Lanes, Work
from splashdown._engine.retry import StoppedError
from splashdown._engine.source import Reader
from splashdown._engine.store_retry import retry_store_call
from splashdown.model import Buffer, Part


class _Seat:
    """A connection and the right to read from it."""

    def __init__(self, reader: Reader | None) -> None:
        self.reader = reader
        self.lock = threading.Lock()

    def close(self) -> None:
        if self.reader is not None:
            self.reader.close()


class Buffered(Lanes):
    """With ``own`` each lane reads from a connection of its own, else all take turns at the first one.

    The sink is given a part as one chunk. ``step`` is how large a part may be, ``wide`` how many lanes to add.
    """

    def __init__(self, work: Work, parts: Iterable[Part], *, step: int, own: bool, wide: int) -> None:
        super().__init__(work, parts)
        self._step, self._own, self._wide = step, own, wide
        self._seat = _Seat(None)
        self._held: dict[int, memoryview] = {}
        self._credits = 0
        self._count = threading.Lock()

    def run(self, first: Reader | None) -> list[str]:
        """Move everything and return the tags in the parts' order."""
        self._seat.reader = None if self._own else first
        self.widen(self._wide)
        try:
            return super().run(first if self._own else None)
        finally:
            self._seat.close()
            self._held.clear()
            while self._credits:
                self._give_back()

    def move(self, reader: Reader | None) -> None:
        """Read a part, send it, and so on."""
        seat = _Seat(reader) if self._own else self._seat
        try:
            while self._move_one(seat):
                pass
        finally:
            if self._own:
                seat.close()

    def again(self, part: Part) -> Iterator[Buffer]:
        """Read from the memory that still holds the part, which is free then; an earlier run's from the source."""
        held = self._held.get(part.start)
        yield self._compared(part) if held is None else held
        self._release(part)

    def _compared(self, part: Part) -> memoryview:
        """A part that an earlier run has put, as the source has it; it is put again where the sink has other bytes."""
        reader = Reader(self.source, part.start, part.stop)
        try:
            data = self._read(reader, part)
        finally:
            reader.close()
        stored, compare = self.stored(part), self.context.can.compare
        if len(data) != part.size or compare is None or not compare.holds(self.work.upload, stored, data):
            self.stored_again(part, self._put(part, data))
        return data

    def _put(self, part: Part, data: memoryview) -> str:
        sink, upload = self.context.sink, self.work.upload
        return retry_store_call(self.context, self.source, lambda: sink.put_part(upload, part, (data,)))

    def _move_one(self, seat: _Seat) -> bool:
        # Parts of a file that failed may hold all the memory there is, until its lanes have ended.
        if not self.context.memory_budget.take(self._step, lambda: self.failed or self.context.stop.is_set()):
            raise StoppedError(f"{self.source.asset.label}: stopped")
        with self._count:
            self._credits += 1
        with seat.lock:
            part = self.take()
            if part is not None:
                part, data, claimed = self._fill(part, seat)
        if part is None or (not data and part.number > 1):
            self._give_back()
            return False
        self._held[part.start] = data
        self.done(part, self._put(part, data), hashed=claimed)
        if claimed or not self.work.digests:
            self._release(part)
        return True

    def _fill(self, part: Part, seat: _Seat) -> tuple[Part, memoryview, bool]:
        seat.reader = reader = self.reader_at(part, seat.reader)
        claimed = self.hasher.claim(part)
        reader.update = self.work.digests.update if claimed else None
        data = self._read(reader, part)
        if len(data) < (part.size or 0):
            self.no_more()
            part = Part(number=part.number, start=part.start, stop=part.start + len(data))
        if reader.at_end:
            reader.finish()
        return part, data, claimed

    def _release(self, part: Part) -> None:
        data = self._held.pop(part.start, None)
        if data is not None:
            self.context.memory_budget.spare(data)
            self._give_back()

    def _give_back(self) -> None:
        with self._count:
            if not self._credits:
                return
            self._credits -= 1
        self.context.memory_budget.give_back(self._step)

    def _read(self, reader: Reader, part: Part) -> memoryview:
        """The bytes of a part, fewer where the file ends in it."""
        data, at = self.context.memory_budget.room(part.size or 0), 0
        for chunk in reader.chunks(part.stop):
            size = len(chunk)
            data[at : at + size] = chunk
            at += size
        return data[:at]
