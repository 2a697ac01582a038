"""JP2 files as an engine: tiles over ranges where the code stream lists them, else the whole file, read once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from splashdown.errors import LoadError, error_text
from splashdown.protocols import AssetHandle
from splashdown_geotiff._head import Head
from splashdown_geotiff._header import Band, Header
from splashdown_geotiff._jp2_boxes import read_boxes
from splashdown_geotiff._jp2_stream import HEADER, TILE_PART, Rectangle, Stream, read_stream, tile_parts
from splashdown_geotiff._plan import Window
from splashdown_geotiff._read import usable_cores

#: A file that has to be read whole.
_WHOLE = 2 * 1024**3
#: Pixels on the shorter side of the last overview, as in GDAL.
_SMALLEST = 128

Part = tuple[int, int]


class Jp2Engine:
    """An ``Engine`` over one JP2 file."""

    def __init__(self, handle: AssetHandle) -> None:
        self._handle = handle
        self._head = Head(handle)
        self._label = self._head.label
        (self._start, self._stop), place = read_boxes(self._head)
        self._stream = self._read_stream()
        self._parts: dict[int, list[Part]] | None = None
        self._whole: bytes | None = None
        self._lock = threading.Lock()
        stream = self._stream
        width, height = min(stream.tile[0], self._size(0)[0]), min(stream.tile[1], self._size(0)[1])
        self.header = Header(
            levels=tuple(self._size(level) for level in self._levels()),
            dtype=stream.dtype,
            bands=tuple(Band() for _ in range(stream.components)),
            transform=place.transform,
            crs=place.crs,
            nodata=None,
            mask="",
            alpha=None,
            tags={},
            block=(height, width),
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle how it was made: another process reads the header again."""
        return Jp2Engine, (self._handle,)

    def read_into(self, out: NDArray[Any], level: int, window: Window, bands: tuple[int, ...]) -> None:
        """Fill ``out`` with a window of a level."""
        image = self._stream.image.reduced(level)
        left, top = image.left + window.column, image.top + window.row
        wanted = Rectangle(left, top, left + window.width, top + window.height)
        extents = {tile: self._stream.extent(tile).reduced(level) for tile in range(self._stream.tiles)}
        common = {tile: part for tile, extent in extents.items() if (part := _overlap(extent, wanted))}

        def place(item: tuple[int, bytes]) -> None:
            tile, parts = item
            pixels = self._decode(tile, parts, level)
            source, target = _slices(common[tile], extents[tile]), _slices(common[tile], wanted)
            for number, band in enumerate(bands):
                out[number][target] = pixels[..., band][source]

        cores = usable_cores()
        with ThreadPoolExecutor(min(cores, len(common)), thread_name_prefix="jp2") as pool:
            _work(pool, place, self._fetch(list(common)), 4 * cores)

    def read_mask(self, level: int, window: Window) -> NDArray[np.bool_]:  # noqa: ARG002 - as the protocol has it
        """JP2 has no masks."""
        raise LoadError(f"{self._label}: a JP2 file has no mask")

    def _read_stream(self) -> Stream:
        """The main header, of which there is more than the first read has where it lists very many tiles."""
        available = self._stop - self._start
        for size in (16 * 1024, HEADER):
            data = bytes(self._head.read(self._start, min(size, available)))
            if TILE_PART in data or size >= available:
                break
        return read_stream(data, self._label)

    def _levels(self) -> Iterator[int]:
        """The full resolution, and each halving that is worth an overview."""
        yield 0
        for level in range(1, self._stream.levels + 1):
            if min(self._size(level)) < _SMALLEST:
                return
            yield level

    def _size(self, level: int) -> tuple[int, int]:
        image = self._stream.image.reduced(level)
        return image.right - image.left, image.bottom - image.top

    def _fetch(self, tiles: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        """Tiles with their tile-parts, as they arrive."""
        index = self._index()
        missing = [tile for tile in tiles if tile not in index]
        if missing:
            raise LoadError(f"{self._label}: tile {missing[0]} of JPEG 2000 is not stored: damaged or incomplete")
        if self._whole is not None:
            for tile in tiles:
                yield tile, b"".join(self._whole[start:stop] for start, stop in index[tile])
            return
        ranges = [(tile, part) for tile in tiles for part in index[tile]]
        got: dict[int, dict[int, bytes]] = {}
        for number, data in self._head.handle.read_ranges([part for _, part in ranges]):
            tile, (start, stop) = ranges[number]
            if len(data) != stop - start:
                raise LoadError(f"{self._label}: asked for {stop - start} bytes and got {len(data)}")
            have = got.setdefault(tile, {})
            have[start] = bytes(data)
            if len(have) == len(index[tile]):
                yield tile, b"".join(have[first] for first, _ in index[tile])
                del got[tile]

    def _index(self) -> dict[int, list[Part]]:
        """Where the tile-parts of each tile lie in the file."""
        with self._lock:
            if self._parts is None:
                self._parts = self._listed() or self._walked()
            return self._parts

    def _listed(self) -> dict[int, list[Part]]:
        at, found = self._start + self._stream.size, dict[int, list[Part]]()
        for tile, length in self._stream.lengths:
            found.setdefault(tile, []).append((at, at + length))
            at += length
        fits = at <= self._stop and set(found) == set(range(self._stream.tiles))
        return found if fits else {}

    def _walked(self) -> dict[int, list[Part]]:
        """Without a list each tile-part says where the next one begins: one request for each would be slower."""
        self._whole = self._head.handle.bytes(_WHOLE)
        stream = self._whole[self._start : self._stop]
        found: dict[int, list[Part]] = {}
        for tile, start, stop in tile_parts(stream, self._stream.size, self._label):
            found.setdefault(tile, []).append((self._start + start, self._start + stop))
        return found

    def _decode(self, tile: int, parts: bytes, level: int) -> NDArray[Any]:
        stream, extent = self._stream, self._stream.extent(tile).reduced(level)
        shape = (extent.bottom - extent.top, extent.right - extent.left, stream.components)
        # With an output given, an image of another size is refused before it is decoded.
        out = np.empty(shape if shape[2] > 1 else shape[:2], stream.dtype)
        data = stream.alone(tile, parts, level, self._label)
        try:
            imagecodecs.jpeg2k_decode(data, out=out)
        except Exception as error:
            raise LoadError(f"{self._label}: a tile cannot be decoded ({error_text(error)}): damaged") from error
        return out.reshape(shape)


def _overlap(one: Rectangle, other: Rectangle) -> Rectangle | None:
    left, top = max(one.left, other.left), max(one.top, other.top)
    right, bottom = min(one.right, other.right), min(one.bottom, other.bottom)
    return Rectangle(left, top, right, bottom) if left < right and top < bottom else None


def _slices(part: Rectangle, whole: Rectangle) -> tuple[slice, slice]:
    rows = slice(part.top - whole.top, part.bottom - whole.top)
    return rows, slice(part.left - whole.left, part.right - whole.left)


def _work(
    pool: ThreadPoolExecutor,
    function: Callable[[tuple[int, bytes]], None],
    items: Iterator[tuple[int, bytes]],
    most: int,
) -> None:
    """Call a function for each item, with so many items waiting at most, which bounds the memory."""
    pending: list[Future[None]] = []
    try:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) >= most:
                pending.pop(0).result()
        for future in pending:
            future.result()
    except BaseException:
        pool.shutdown(wait=True, cancel_futures=True)
        raise
