"""Lanes for sinks that write chunks where they belong as they come: files, memory."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from splashdown._engine.lanes import Lanes, Work
from splashdown._engine.source import Reader
from splashdown.errors import StoreError
from splashdown.model import Buffer, Part

#: How long the first connection is watched before it is judged slow, in seconds.
_WATCH_SECONDS = 0.1
#: A connection is the reason for being slow only when so much of the time went into waiting for it. Where the machine
#: itself is busy, with other files perhaps, more connections would make it busier.
_WAITING = 0.7


class InPlace(Lanes):
    """``wide`` is how many more lanes a first connection gets that turns out to be slow."""

    def __init__(self, work: Work, parts: Iterable[Part], *, wide: int = 0) -> None:
        super().__init__(work, parts)
        self._wide = wide

    def move(self, reader: Reader | None) -> None:
        """Let the sink pull each part straight from the connection."""
        try:
            while (part := self.take()) is not None:
                reader = self.reader_at(part, reader)
                self._store(part, reader)
        finally:
            if reader is not None:
                reader.close()

    def again(self, part: Part) -> Iterator[Buffer]:
        """Read from the sink."""
        sink = self.context.can.read_back
        assert sink is not None
        with sink.read_back(self.work.upload, part.start, part.stop) as chunks:
            yield from chunks

    def _store(self, part: Part, reader: Reader) -> None:
        claimed = self.hasher.claim(part)
        reader.update = self.work.digests.update if claimed else None
        chunks = self._watched(reader, part.stop) if self._wide else reader.chunks(part.stop)
        told = part if self.work.sized else Part(number=part.number, start=part.start, stop=None)
        tag = self.context.sink.put_part(self.work.upload, told, chunks)
        if not self.work.sized:
            part = Part(number=part.number, start=part.start, stop=reader.pos)
            if reader.ended():
                self.no_more()
        elif reader.pos != part.stop:
            raise StoreError(f"the sink took only a piece of part {part.number} of {self.work.upload.key!r}")
        elif reader.at_end:
            reader.finish()
        self.done(part, tag, hashed=claimed)

    def _watched(self, reader: Reader, stop: int | None) -> Iterator[Buffer]:
        """Opens the other lanes as soon as this one turns out to be slow."""
        begun, at, waited = time.monotonic(), reader.pos, reader.waited
        for chunk in reader.chunks(stop):
            yield chunk
            elapsed = time.monotonic() - begun
            if self._wide and elapsed >= _WATCH_SECONDS:
                wide, self._wide = self._wide, 0
                slow = (reader.pos - at) / elapsed < self.context.settings.range_speed
                if slow and reader.waited - waited >= _WAITING * elapsed:
                    self.widen(wide)
