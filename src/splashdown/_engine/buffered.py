"""Moves parts into sinks that need a part whole before they can send it: object stores.

The run's memory budget is the bound. Parts are handed out in the file's order and only to a worker that has its memory
already. So the part that hashing waits for is always on its way, and no worker waits for memory for ever.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

from splashdown._engine.part_mover import OpenUpload, PartMover
from splashdown._engine.range_reader import RangeReader
from splashdown._engine.retry import StoppedError
from splashdown._engine.store_retry import retry_store_call
from splashdown.model import Buffer, Part


class _Connection:
    """A reader, and the right to read from it: one worker at a time."""

    def __init__(self, reader: RangeReader | None) -> None:
        self.reader = reader
        self.lock = threading.Lock()

    def close(self) -> None:
        if self.reader is not None:
            self.reader.close()


class BufferedMover(PartMover):
    """With ``connections`` each worker reads from one of its own, else all take turns at the first one.

    The sink is given a part as one chunk. ``largest`` is how large a part may be; ``more_workers`` are added at once,
    because sending a part takes as long as reading it.
    """

    def __init__(
        self, work: OpenUpload, parts: Iterable[Part], *, largest: int, connections: bool, more_workers: int
    ) -> None:
        super().__init__(work, parts)
        self._largest, self._connections, self._more_workers = largest, connections, more_workers
        self._shared = _Connection(None)
        self._in_memory: dict[int, memoryview] = {}  #: by where the part begins: not hashed yet, or not sent yet
        self._shares = 0  #: how often ``largest`` bytes are taken from the budget
        self._shares_lock = threading.Lock()

    def run(self, first: RangeReader | None) -> list[str]:
        """Move everything and return the tags in the parts' order."""
        self._shared.reader = None if self._connections else first
        self.add_workers(self._more_workers)
        try:
            return super().run(first if self._connections else None)
        finally:
            self._shared.close()
            self._in_memory.clear()
            while self._shares:
                self._give_back()

    def move_parts(self, reader: RangeReader | None) -> None:
        """Read a part, send it, and so on."""
        connection = _Connection(reader) if self._connections else self._shared
        try:
            while self._move_one(connection):
                pass
        finally:
            if self._connections:
                connection.close()

    def read_again(self, part: Part) -> Iterator[Buffer]:
        """The memory that still holds the part, and is free after that; a part of an earlier run from the source."""
        held = self._in_memory.get(part.start)
        yield self._compared(part) if held is None else held
        self._release(part)

    def _compared(self, part: Part) -> memoryview:
        """A part that an earlier run has put, as the source has it; it is put again where the sink has other bytes."""
        reader = RangeReader(self.source, part.start, part.stop)
        try:
            data = self._read(reader, part)
        finally:
            reader.close()
        stored, compare = self.stored(part), self.context.can.compare
        if len(data) != part.size or compare is None or not compare.holds(self.work.upload, stored, data):
            self.note(part, self._put(part, data))
        return data

    def _put(self, part: Part, data: memoryview) -> str:
        sink, upload = self.context.sink, self.work.upload
        return retry_store_call(self.context, self.source, lambda: sink.put_part(upload, part, (data,)))

    def _move_one(self, connection: _Connection) -> bool:
        # Parts of a file that failed may hold all the memory there is, until its workers have ended.
        if not self.context.memory_budget.take(self._largest, lambda: self.failed or self.context.stop.is_set()):
            raise StoppedError(f"{self.source.asset.label}: stopped")
        with self._shares_lock:
            self._shares += 1
        with connection.lock:
            part = self.next_part()
            if part is not None:
                part, data, claimed = self._fill(part, connection)
        # An empty file still has one part, or the sink would have nothing to commit.
        if part is None or (not data and part.number > 1):
            self._give_back()
            return False
        self._in_memory[part.start] = data
        self.part_stored(part, self._put(part, data), hashed=claimed)
        if claimed or not self.work.digests:
            self._release(part)
        return True

    def _fill(self, part: Part, connection: _Connection) -> tuple[Part, memoryview, bool]:
        connection.reader = reader = self.reader_at(part, connection.reader)
        claimed = self.hasher.claim(part)
        reader.on_chunk = self.work.digests.update if claimed else None
        data = self._read(reader, part)
        if len(data) < (part.size or 0):
            self.no_more_parts()
            part = Part(number=part.number, start=part.start, stop=part.start + len(data))
        if reader.at_end:
            reader.finish()
        return part, data, claimed

    def _release(self, part: Part) -> None:
        data = self._in_memory.pop(part.start, None)
        if data is not None:
            self.context.memory_budget.reuse(data)
            self._give_back()

    def _give_back(self) -> None:
        with self._shares_lock:
            # After a failure, run() gives everything back while a worker may still be at it.
            if not self._shares:
                return
            self._shares -= 1
        self.context.memory_budget.give_back(self._largest)

    def _read(self, reader: RangeReader, part: Part) -> memoryview:
        """The bytes of a part, fewer where the file ends in it."""
        data, at = self.context.memory_budget.buffer(part.size or 0), 0
        for chunk in reader.chunks(part.stop):
            size = len(chunk)
            data[at : at + size] = chunk
            at += size
        return data[:at]
