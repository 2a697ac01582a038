"""Which bytes a window needs, and in which requests: pure arithmetic, no I/O.

A request never splits a segment, so that each can be decoded as soon as it lands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from splashdown.errors import LoadError
from splashdown_geotiff._layout import Index, Layout
from splashdown_geotiff._limits import SPARE_BYTES

#: Bytes that are not needed are cheaper than another round trip, up to here.
GAP = 64 * 1024
#: A request at least this large is worth a connection of its own; ``LARGEST`` bounds memory.
SMALLEST, LARGEST = 2 * 1024**2, 8 * 1024**2
#: What one read may keep busy.
CONNECTIONS = 8


class Window(NamedTuple):
    """A rectangle of pixels: first column, first row, width, height."""

    column: int
    row: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Segment:
    """One tile or strip that a window touches: where its bytes and its pixels lie."""

    start: int
    stop: int
    down: int  #: its number from the top
    across: int  #: and from the left
    band: int | None  #: the band it belongs to; ``None`` where it holds all of them


@dataclass(frozen=True, slots=True)
class Request:
    """A range of the file and the segments in it."""

    start: int
    stop: int
    segments: tuple[Segment, ...]


def segments_of(
    layout: Layout, index: Index, window: Window, bands: Sequence[int], size: int, label: str
) -> list[Segment]:
    """The segments that hold a window's pixels; ``start == stop`` for one that is not stored.

    ``bands`` count from 0. Raises ``LoadError`` for a segment that lies outside the file of ``size`` bytes, or is
    larger than any coding of its pixels could be.
    """
    found = []
    most = 2 * layout.rows * layout.row_bytes + SPARE_BYTES
    for band in bands if layout.planar else [None]:
        plane = 0 if band is None else band * layout.across * layout.down
        for down in range(window.row // layout.rows, (window.row + window.height - 1) // layout.rows + 1):
            for across in range(
                window.column // layout.columns, (window.column + window.width - 1) // layout.columns + 1
            ):
                number = plane + down * layout.across + across
                start, count = int(index.offsets[number]), int(index.counts[number])
                if start == 0 or count == 0:
                    start = count = 0
                elif start + count > size or count > most:
                    raise LoadError(
                        f"{label}: a tile or strip at bytes {start}:{start + count}, the file has {size}: damaged"
                    )
                found.append(Segment(start, start + count, down, across, band))
    return found


def merge(segments: Iterable[Segment]) -> list[Request]:
    """Requests for the stored segments: neighbours share one, long runs are spread over the connections.

    A new connection costs a round trip more than one that is open, so that none is opened for a small rest.
    """
    stored = sorted((s for s in segments if s.stop > s.start), key=lambda s: (s.start, s.stop))
    total = sum(s.stop - s.start for s in stored)
    enough = total // min(CONNECTIONS, max(1, total // SMALLEST))
    requests: list[Request] = []
    run: list[Segment] = []
    stop = 0
    for segment in stored:
        full = run and (stop - run[0].start >= enough or max(stop, segment.stop) - run[0].start > LARGEST)
        if run and (full or segment.start > stop + GAP):
            requests.append(Request(run[0].start, stop, tuple(run)))
            run, stop = [], 0
        run.append(segment)
        stop = max(stop, segment.stop)
    if run:
        requests.append(Request(run[0].start, stop, tuple(run)))
    return requests
