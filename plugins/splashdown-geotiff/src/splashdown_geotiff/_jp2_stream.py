"""The code stream of JPEG 2000 (ISO/IEC 15444-1, annex A): how an image is cut into tiles, and each tile on its own.

Decoders take whole images. A tile becomes one when the main header is written for it alone: its rectangle of the
reference grid as the image, on the same grid. Fewer levels of the wavelets make it a smaller image, where the packets
of the finer levels come last.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from splashdown.errors import LoadError
from splashdown_geotiff._limits import SEGMENT_BYTES

START, TILE_PART, DATA, END = b"\xff\x4f", b"\xff\x90", b"\xff\x93", b"\xff\xd9"
_SIZE, _CODING, _QUANTISATION, _LENGTHS = b"\xff\x51", b"\xff\x52", b"\xff\x5c", b"\xff\x55"
#: Parameters of single components, changes of the order of packets, packed headers.
_BY_COMPONENT, _ORDER, _PACKED = {b"\xff\x53", b"\xff\x5d"}, b"\xff\x5f", b"\xff\x60"
#: Lengths of packets: they no longer fit, and are needed by none.
_DROPPED = {_LENGTHS, b"\xff\x57"}
#: What a tile may have in its own header without being another kind of tile: lengths of packets, comments.
_HARMLESS = {b"\xff\x58", b"\xff\x64"}
#: Orders of packets in which finer levels come last: by layer (of one layer), by level, by level and place.
_BY_LAYER, _BY_LEVEL = 0, {1, 2}
_TILES = 65535
#: Most bytes of a main header: lengths of 65,535 tile-parts fit.
HEADER = 1024**2


class Rectangle(NamedTuple):
    """A rectangle of the reference grid: left, top, right, bottom."""

    left: int
    top: int
    right: int
    bottom: int

    def reduced(self, level: int) -> Rectangle:
        """The same after so many halvings."""
        return Rectangle(*((value + (1 << level) - 1) >> level for value in self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """The main header of one code stream."""

    image: Rectangle
    tile: tuple[int, int]  #: width and height
    origin: tuple[int, int]  #: of the first tile
    components: int
    bits: int
    signed: bool
    levels: int  #: how often it can be halved by leaving packets out
    wavelets: int  #: how many levels of wavelets there are
    segments: tuple[tuple[bytes, bytes], ...]  #: markers with their contents, in order
    lengths: tuple[tuple[int, int], ...]  #: tile and bytes of each tile-part, if the header lists them
    size: int  #: bytes of the header

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """The smallest type that holds the pixels."""
        return np.dtype(f"{'i' if self.signed else 'u'}{1 if self.bits <= 8 else 2 if self.bits <= 16 else 4}")

    @property
    def across(self) -> int:
        """Tiles side by side."""
        return -(-(self.image.right - self.origin[0]) // self.tile[0])

    @property
    def tiles(self) -> int:
        """How many tiles there are."""
        return self.across * -(-(self.image.bottom - self.origin[1]) // self.tile[1])

    def extent(self, tile: int) -> Rectangle:
        """The place of a tile."""
        left = self.origin[0] + tile % self.across * self.tile[0]
        top = self.origin[1] + tile // self.across * self.tile[1]
        right, bottom = left + self.tile[0], top + self.tile[1]
        return Rectangle(
            max(left, self.image.left),
            max(top, self.image.top),
            min(right, self.image.right),
            min(bottom, self.image.bottom),
        )

    def alone(self, tile: int, parts: bytes, level: int, label: str) -> bytes:
        """A code stream of one tile, halved so often. ``parts`` are its tile-parts, one after the other."""
        extent = self.extent(tile).reduced(level)
        width, height = extent.right - extent.left, extent.bottom - extent.top
        size = struct.pack(">8I", extent.right, extent.bottom, *extent[:2], width, height, *extent[:2])
        header = b"".join(
            _segment(marker, self._changed(marker, body, size, level))
            for marker, body in self.segments
            if marker not in _DROPPED
        )
        return START + header + _renumbered(parts, tile, label, strict=level > 0) + END

    def _changed(self, marker: bytes, body: bytes, size: bytes, level: int) -> bytes:
        if marker == _SIZE:
            return body[:2] + size + body[34:]
        if marker == _CODING and level:
            return _fewer_levels(body, level)
        if marker == _QUANTISATION and level:
            width = {0: 1, 2: 2}.get(body[0] & 31)  # of one step; derived ones are one for all levels
            return body if width is None else body[: 1 + width * (3 * (self.wavelets - level) + 1)]
        return body


def read_stream(data: bytes, label: str) -> Stream:
    """The main header at the start of ``data``. Raises ``LoadError`` for what is damaged or cannot be read."""
    if not data.startswith(START + _SIZE):
        raise LoadError(f"{label}: its JPEG 2000 code stream does not begin with its size: damaged")
    at, segments = 2, []
    while (marker := data[at : at + 2]) != TILE_PART:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if len(data) < at + 2 + length or length < 2 or marker[:1] != b"\xff":
            raise LoadError(f"{label}: the header of its JPEG 2000 code stream is damaged or incomplete")
        segments.append((marker, data[at + 4 : at + 2 + length]))
        at += 2 + length
    found = dict(segments)
    if _CODING not in found or len(found[_CODING]) < 10 or _QUANTISATION not in found or _PACKED in found:
        raise LoadError(f"{label}: a JPEG 2000 code stream without its parameters, or with packed headers")
    right, bottom, left, top, *tile = struct.unpack(">8I", found[_SIZE][2:34])
    components = int.from_bytes(found[_SIZE][34:36], "big")
    depths = found[_SIZE][36 : 36 + 3 * components]
    if len(depths) < 3 or len({depths[place : place + 3] for place in range(0, len(depths), 3)}) > 1:
        raise LoadError(f"{label}: JPEG 2000 with bands of different types or sizes")
    if depths[1:3] != b"\1\1" or depths[0] & 127 > 31:
        raise LoadError(f"{label}: JPEG 2000 with subsampled bands, or with more than 32 bits")
    stream = Stream(
        image=Rectangle(left, top, right, bottom),
        tile=(tile[0], tile[1]),
        origin=(tile[2], tile[3]),
        components=components,
        bits=(depths[0] & 127) + 1,
        signed=bool(depths[0] & 128),
        levels=_halvings(found),
        wavelets=found[_CODING][5],
        segments=tuple(segments),
        lengths=_lengths([body for marker, body in segments if marker == _LENGTHS]),
        size=at,
    )
    return _checked(stream, label)


def _checked(stream: Stream, label: str) -> Stream:
    image, tile, origin = stream.image, stream.tile, stream.origin
    if not (origin[0] <= image.left < image.right and origin[1] <= image.top < image.bottom and min(tile) > 0):
        raise LoadError(f"{label}: a JPEG 2000 image of {image} in tiles of {tile}: damaged")
    if stream.tiles > _TILES:
        raise LoadError(f"{label}: {stream.tiles:,} tiles of JPEG 2000: damaged")
    width, height = min(tile[0], image.right - image.left), min(tile[1], image.bottom - image.top)
    size = width * height * stream.components * stream.dtype.itemsize
    if size > SEGMENT_BYTES:
        raise LoadError(f"{label}: one of its tiles takes {size:,} bytes, more than {SEGMENT_BYTES:,}: refused")
    return stream


def _halvings(found: dict[bytes, bytes]) -> int:
    coding = found[_CODING]
    order, layers, wavelets = coding[1], int.from_bytes(coding[2:4], "big"), coding[5]
    last = order in _BY_LEVEL or (order == _BY_LAYER and layers == 1)
    return min(wavelets, 32) if last and _ORDER not in found and not _BY_COMPONENT & set(found) else 0


def _lengths(bodies: list[bytes]) -> tuple[tuple[int, int], ...]:
    """The tile-parts that the header lists (TLM); none if their list is malformed."""
    found: list[tuple[int, int]] = []
    for body in sorted(bodies, key=lambda body: body[:1]):
        if len(body) < 2:
            return ()
        wide, number = 4 if body[1] & 64 else 2, body[1] >> 4 & 3
        if number == 3 or (len(body) - 2) % (wide + number):
            return ()
        for at in range(2, len(body), wide + number):
            tile = int.from_bytes(body[at : at + number], "big") if number else len(found)
            found.append((tile, int.from_bytes(body[at + number : at + number + wide], "big")))
    return tuple(found)


def _segment(marker: bytes, body: bytes) -> bytes:
    return marker + struct.pack(">H", len(body) + 2) + body


def _fewer_levels(body: bytes, level: int) -> bytes:
    wavelets = body[5] - level
    cut = body[: 11 + wavelets] if body[0] & 1 else body  # sizes of precincts, one for each level
    return cut[:5] + bytes([wavelets]) + cut[6:]


def tile_parts(data: bytes, start: int, label: str) -> list[tuple[int, int, int]]:
    """Tile, first and one past the last byte of each tile-part of a whole code stream."""
    found = []
    while data[start : start + 2] == TILE_PART and len(data) >= start + 12:
        tile, length = struct.unpack(">HI", data[start + 4 : start + 10])
        stop = start + length if length else len(data) - (2 if data.endswith(END) else 0)
        if not start + 12 <= stop <= len(data):
            raise LoadError(f"{label}: a tile of JPEG 2000 at bytes {start}:{stop} of {len(data)}: damaged")
        found.append((tile, start, stop))
        start = stop
    return found


def _renumbered(parts: bytes, tile: int, label: str, *, strict: bool) -> bytes:
    """The tile-parts of one tile as those of the first one."""
    out = bytearray(parts)
    for number, start, stop in tile_parts(parts, 0, label):
        if number != tile:
            raise LoadError(f"{label}: expected tile {tile} of JPEG 2000, found {number}: damaged")
        out[start + 4 : start + 6] = b"\0\0"
        if strict and not _plain(parts[start + 12 : stop]):
            raise LoadError(f"{label}: tiles of JPEG 2000 with parameters of their own have no overviews")
    return bytes(out)


def _plain(part: bytes) -> bool:
    """Whether the header of a tile-part changes nothing."""
    at = 0
    while (marker := part[at : at + 2]) != DATA:
        if marker not in _HARMLESS:
            return False
        at += 2 + int.from_bytes(part[at + 2 : at + 4], "big")
    return True
