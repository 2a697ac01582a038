"""Reads a window: requests over several connections, decoding on all cores as they land, memory bounded."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from numpy.typing import NDArray

from splashdown.errors import LoadError
from splashdown_geotiff._decode import Bytes, Decoder
from splashdown_geotiff._head import Head
from splashdown_geotiff._layout import Index, Layout
from splashdown_geotiff._plan import Request, Segment, Window, merge, segments_of

#: Decoded bytes in one task: below this, handing it to another thread costs more than it gains.
_TASK_BYTES = 1024**2


class WindowReader:
    """Fills one output array with one window of one image."""

    def __init__(self, head: Head, layout: Layout, index: Index, window: Window, bands: Sequence[int]) -> None:
        self._head = head
        self._layout = layout
        self._index = index
        self._window = window
        self._bands = tuple(bands)
        self._rank = {band: place for place, band in enumerate(self._bands)}
        self._decoder = Decoder(layout, head.label)

    def read_into(self, out: NDArray[Any], fill: float) -> None:
        """Fill ``out`` (band, y, x), casting to its type; ``fill`` goes where nothing is stored.

        Raises ``LoadError`` for damaged segments, and whatever the transport raises.
        """
        found = segments_of(self._layout, self._index, self._window, self._bands, self._head.size, self._head.label)
        local: list[tuple[Segment, memoryview]] = []
        remote: list[Segment] = []
        for segment in found:
            if segment.start == segment.stop:
                self._place_fill(out, segment, fill)
            elif (data := self._head.cached(segment.start, segment.stop)) is not None:
                local.append((segment, data))
            else:
                remote.append(segment)
        work = self._fetch(local, merge(remote))
        if len(found) * self._layout.rows * self._layout.row_bytes <= _TASK_BYTES:
            for batch in work:
                self._decode(out, batch)
        else:
            self._decode_all(out, work)

    def _fetch(
        self, local: Iterable[tuple[Segment, memoryview]], requests: Sequence[Request]
    ) -> Iterator[list[tuple[Segment, Bytes]]]:
        """Batches of segments with their bytes, as they arrive."""
        yield from self._batches(local)
        for number, data in self._answers(requests):
            request = requests[number]
            if len(data) != request.stop - request.start:
                raise LoadError(
                    f"{self._head.label}: asked for {request.stop - request.start} bytes and got {len(data)}"
                )
            yield from self._batches(
                (s, data[s.start - request.start : s.stop - request.start]) for s in request.segments
            )

    def _answers(self, requests: Sequence[Request]) -> Iterator[tuple[int, memoryview]]:
        ranges = [(r.start, r.stop) for r in requests]
        if len(ranges) == 1:
            yield 0, self._head.handle.read_range(*ranges[0])
        elif ranges:
            yield from self._head.handle.read_ranges(ranges)

    def _batches(self, segments: Iterable[tuple[Segment, Bytes]]) -> Iterator[list[tuple[Segment, Bytes]]]:
        each = self._layout.rows * self._layout.row_bytes
        batch: list[tuple[Segment, Bytes]] = []
        for item in segments:
            batch.append(item)
            if len(batch) * each >= _TASK_BYTES:
                yield batch
                batch = []
        if batch:
            yield batch

    def _decode_all(self, out: NDArray[Any], work: Iterator[list[tuple[Segment, Bytes]]]) -> None:
        """Decode on every core. At most four tasks per core wait, which is what bounds the memory."""
        cores = usable_cores()
        room = threading.BoundedSemaphore(4 * cores)
        pending: list[Future[None]] = []
        with ThreadPoolExecutor(cores, thread_name_prefix="geotiff") as pool:
            try:
                for batch in work:
                    room.acquire()
                    future = pool.submit(self._decode, out, batch)
                    future.add_done_callback(lambda _: room.release())
                    pending.append(future)
                    # A failure must not wait until a large file has come in whole.
                    if pending[0].done():
                        pending.pop(0).result()
                for future in pending:
                    future.result()
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _decode(self, out: NDArray[Any], batch: Iterable[tuple[Segment, Bytes]]) -> None:
        for segment, data in batch:
            self._place(out, segment, self._decoder(data, self._layout.segment_rows(segment.down)))

    def _place(self, out: NDArray[Any], segment: Segment, pixels: NDArray[Any]) -> None:
        """Copy what the window wants of a segment ``(rows, columns, samples)`` to where it belongs."""
        target, source = self._overlap(segment)
        if segment.band is not None:
            out[self._rank[segment.band]][target] = pixels[..., 0][source]
        else:
            for place, band in enumerate(self._bands):
                out[place][target] = pixels[..., band][source]

    def _place_fill(self, out: NDArray[Any], segment: Segment, fill: float) -> None:
        target, _ = self._overlap(segment)
        if segment.band is not None:
            out[self._rank[segment.band]][target] = fill
        else:
            out[(slice(None), *target)] = fill

    def _overlap(self, segment: Segment) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        window, layout = self._window, self._layout
        top, left = segment.down * layout.rows, segment.across * layout.columns
        first_row, first_column = max(top, window.row), max(left, window.column)
        last_row = min(top + layout.rows, window.row + window.height)
        last_column = min(left + layout.columns, window.column + window.width)
        target = (
            slice(first_row - window.row, last_row - window.row),
            slice(first_column - window.column, last_column - window.column),
        )
        source = (slice(first_row - top, last_row - top), slice(first_column - left, last_column - left))
        return target, source


def usable_cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1
