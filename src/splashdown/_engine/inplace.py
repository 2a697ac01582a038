"""Moves parts into sinks that write chunks where they belong as they come: files, memory."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from splashdown._engine.part_mover import OpenUpload, PartMover
from splashdown._engine.range_reader import RangeReader
from splashdown.errors import StoreError
from splashdown.model import Buffer, Part

#: How long the first connection is watched before it is judged slow, in seconds.
_WATCH_SECONDS = 0.1
#: A connection is the reason for being slow only when so much of the time went into waiting for it. Where the machine
#: itself is busy, with other files perhaps, more connections would make it busier.
_WAITING = 0.7


class InPlaceMover(PartMover):
    """``more_workers`` are added when the first connection turns out to be slow."""

    def __init__(self, work: OpenUpload, parts: Iterable[Part], *, more_workers: int = 0) -> None:
        super().__init__(work, parts)
        self._more_workers = more_workers

    def move_parts(self, reader: RangeReader | None) -> None:
        """Let the sink pull each part straight from the connection."""
        try:
            while (part := self.next_part()) is not None:
                reader = self.reader_at(part, reader)
                self._store(part, reader)
        finally:
            if reader is not None:
                reader.close()

    def read_again(self, part: Part) -> Iterator[Buffer]:
        """Read from the sink."""
        sink = self.context.can.read_back
        assert sink is not None
        with sink.read_back(self.work.upload, part.start, part.stop) as chunks:
            yield from chunks

    def _store(self, part: Part, reader: RangeReader) -> None:
        claimed = self.hasher.claim(part)
        reader.on_chunk = self.work.digests.update if claimed else None
        chunks = self._watched(reader, part.stop) if self._more_workers else reader.chunks(part.stop)
        # A sink checks that a part of known size comes whole; of a file of unknown size the last part may be shorter.
        announced = part if self.work.sized else Part(number=part.number, start=part.start, stop=None)
        tag = self.context.sink.put_part(self.work.upload, announced, chunks)
        if not self.work.sized:
            part = Part(number=part.number, start=part.start, stop=reader.pos)
            if reader.no_more_bytes():
                self.no_more_parts()
        elif reader.pos != part.stop:
            raise StoreError(
                f"the sink took only {reader.pos - part.start} of {part.size} bytes of part {part.number} of"
                f" {self.work.upload.key!r}: its put_part() has to read all chunks"
            )
        elif reader.at_end:
            reader.finish()
        self.part_stored(part, tag, hashed=claimed)

    def _watched(self, reader: RangeReader, stop: int | None) -> Iterator[Buffer]:
        """The chunks of a part; adds the other workers as soon as this connection turns out to be slow."""
        begun, at, waited = time.monotonic(), reader.pos, reader.waited
        for chunk in reader.chunks(stop):
            yield chunk
            elapsed = time.monotonic() - begun
            if self._more_workers and elapsed >= _WATCH_SECONDS:
                # Judged once: on a fast line several connections cost more than they gain.
                more, self._more_workers = self._more_workers, 0
                slow = (reader.pos - at) / elapsed < self.context.settings.range_speed
                if slow and reader.waited - waited >= _WAITING * elapsed:
                    self.add_workers(more)
