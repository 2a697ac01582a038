"""What runs on a worker for a large file that several of them move: it stores some parts of an open upload.

The version is pinned, and what is stored goes to the places in the file that the coordinator chose, so that a piece may
run twice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from splashdown._engine.dispatch import Dispatcher
from splashdown._engine.range_reader import RangeReader
from splashdown._engine.rate import RateLimit
from splashdown._engine.source import Source
from splashdown._foreign.calls import Closing
from splashdown._workers.crossing import Slice
from splashdown._workers.work import Shared, leased
from splashdown.errors import StoreError, error_text
from splashdown.model import Buffer, Part, RemoteInfo, StoredPart, Upload
from splashdown.protocols import Sink
from splashdown.redact import safely_shown

#: How often a worker asks whether the run was stopped.
_ASK_SECONDS = 0.25


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Piece:
    """Parts of one file that follow each other, for one call."""

    shared: Shared
    slice: Slice  #: of this file alone
    info: RemoteInfo  #: of the version of which all parts have to be
    upload: Upload
    parts: Sequence[Part]
    limited: bool  #: whether the host has a limit that ranges of one file count for


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PieceDone:
    """The parts that are stored; the coordinator moves the others itself."""

    stored: Sequence[StoredPart]
    moved: int = 0  #: bytes that came over the wire
    error: str = ""


def put(piece: Piece) -> PieceDone:
    """Store the parts of a piece."""
    stored: list[StoredPart] = []
    common = piece.shared.common
    (transfer,) = piece.slice.transfers
    rate = RateLimit(common.settings.limit_rate) if common.settings.limit_rate else None
    source = Source(
        transfer,
        leased(piece.shared, 1, limited=piece.limited),
        events=Dispatcher(()),
        stop=threading.Event(),
        rate=rate,
    )
    source.pinned = piece.info
    error = ""
    try:
        with Closing(common.access.sink(common.target, **common.sink_options)) as sink:
            _store(piece, source, sink, stored)
    except Exception as reason:  # an exception of a plugin need not pickle
        error = error_text(reason)
    return PieceDone(stored=stored, moved=source.moved, error=error)


def _store(piece: Piece, source: Source, sink: Sink, stored: list[StoredPart]) -> None:
    reader = RangeReader(source, piece.parts[0].start, piece.parts[-1].stop)
    try:
        for part in piece.parts:
            chunks = _until_stopped(reader.chunks(part.stop), source, piece.shared.common.stopped)
            tag = sink.put_part(piece.upload, part, chunks)
            if reader.pos != part.stop:
                raise StoreError(f"the sink took only a part of {part.size} bytes: its put_part() has to read all")
            stored.append(StoredPart(part=part, tag=tag))
    finally:
        reader.close()


def _until_stopped(chunks: Iterator[Buffer], source: Source, stopped: Callable[[], bool] | None) -> Iterator[Buffer]:
    asked_at = time.monotonic()
    for chunk in chunks:
        yield chunk
        if stopped is not None and time.monotonic() - asked_at > _ASK_SECONDS:
            asked_at = time.monotonic()
            if stopped():
                source.stop.set()
