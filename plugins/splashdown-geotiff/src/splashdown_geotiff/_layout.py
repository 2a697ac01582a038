"""How one image of a file is cut and coded: sizes, data type, segments (tiles or strips), codec.

Everything here comes from one directory and is checked against the limits; ``_decode`` decodes.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from splashdown.errors import LoadError
from splashdown_geotiff._directory import Directory
from splashdown_geotiff._head import Head
from splashdown_geotiff._limits import PIECES, SEGMENT_BYTES, SPARE_BYTES, TAG_BYTES

#: Uncompressed strips are read in pieces of about this many bytes: only the rows that are wanted.
_PIECE_BYTES = 256 * 1024


class Compression(IntEnum):
    """TIFF's ``Compression`` values that are decoded here."""

    NONE = 1
    LZW = 5
    JPEG = 7
    DEFLATE = 8
    PACKBITS = 32773
    JPEG2000 = 34712
    DEFLATE_OLD = 32946
    LERC = 34887
    LZMA = 34925
    ZSTD = 50000
    WEBP = 50001
    JPEG_XL = 50002
    JPEG_XL_DNG = 52546


class UnsupportedError(LoadError):
    """A valid TIFF that is coded in a way only GDAL reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One image. Sizes are pixels; ``rows`` x ``columns`` is one segment (tile or strip)."""

    width: int
    height: int
    samples: int
    planar: bool  #: bands one after the other, each with segments of its own
    tiled: bool
    rows: int
    columns: int
    bits: int
    sample_format: int
    dtype: np.dtype[np.generic]  #: of the decoded pixels, native byte order
    order: Literal["<", ">"]
    compression: int
    predictor: int
    photometric: int
    reversed_bits: bool
    extra: tuple[int, ...]  #: TIFF ``ExtraSamples``
    jpeg_tables: bytes | None
    lerc_codec: int

    @property
    def across(self) -> int:
        """Segments side by side."""
        return -(-self.width // self.columns)

    @property
    def down(self) -> int:
        """Segments on top of each other."""
        return -(-self.height // self.rows)

    @property
    def segment_samples(self) -> int:
        """Samples of one pixel within a segment."""
        return 1 if self.planar else self.samples

    @property
    def segments(self) -> int:
        """How many segments the image has."""
        return self.across * self.down * (self.samples if self.planar else 1)

    @property
    def row_bytes(self) -> int:
        """Bytes of one decoded row of a segment, before packed bits are spread; rows begin on a byte."""
        return -(-self.columns * self.segment_samples * self.bits // 8)

    def segment_rows(self, row: int) -> int:
        """Rows that the segment of this (vertical) number holds: the last strip may have fewer."""
        return self.rows if self.tiled else min(self.rows, self.height - row * self.rows)


@dataclass(frozen=True, slots=True)
class Index:
    """Where the segments lie: offset and size in bytes, both 0 for one that is not stored."""

    offsets: NDArray[np.uint64]
    counts: NDArray[np.uint64]


def read_layout(directory: Directory, label: str) -> Layout:
    """The layout of one image. Raises ``LoadError`` for nonsense and ``UnsupportedError`` for what GDAL must do."""
    width, height = directory.number(256, 0), directory.number(257, 0)
    samples = directory.number(277, 1)
    tiled = 322 in directory
    columns = directory.number(322, 0) if tiled else width
    rows = directory.number(323, 0) if tiled else min(directory.number(278, height), height)
    if min(width, height, samples, rows, columns) < 1 or samples > 65535:
        raise LoadError(f"{label}: an image of {width} x {height} x {samples} in pieces of {columns} x {rows}: damaged")
    bits, sample_format = _uniform(directory, 258, label), _uniform(directory, 339, label)
    lerc = directory.whole(50674, TAG_BYTES)
    extra = directory.whole(338, TAG_BYTES)
    layout = Layout(
        width=width,
        height=height,
        samples=samples,
        planar=directory.number(284, 1) == 2 and samples > 1,
        tiled=tiled,
        rows=rows,
        columns=columns,
        bits=bits,
        sample_format=sample_format,
        dtype=_pixel_type(bits, sample_format, label),
        order=directory.form.order,
        compression=directory.number(259, 1),
        predictor=directory.number(317, 1),
        photometric=directory.number(262, 1),
        reversed_bits=directory.number(266, 1) == 2,
        extra=() if extra is None else tuple(extra.tolist()),
        jpeg_tables=directory.raw(347, SEGMENT_BYTES // 16),
        lerc_codec=int(lerc[1]) if lerc is not None and len(lerc) > 1 else 0,
    )
    return _check(_cut_plain_strips(layout), label)


def read_index(directory: Directory, layout: Layout, head: Head) -> Index:
    """Where the segments of an image lie. Raises ``LoadError`` when the file cannot hold them there."""
    tags = (324, 325) if 324 in directory else (273, 279)
    offsets, counts = directory.whole(tags[0]), directory.whole(tags[1])
    if offsets is None:
        raise LoadError(f"{head.label}: an image without an index of its tiles or strips: damaged")
    stored_rows = min(directory.number(278, layout.height), layout.height) if not layout.tiled else layout.rows
    planes = layout.samples if layout.planar else 1
    expected = layout.across * -(-layout.height // stored_rows) * planes
    if len(offsets) < expected or (counts is not None and len(counts) < expected):
        raise LoadError(f"{head.label}: {expected} tiles or strips, but only {len(offsets)} are indexed: damaged")
    index = _with_sizes(offsets[:expected], counts, layout, stored_rows, head)
    if stored_rows == layout.rows:
        return index
    if layout.down * planes > PIECES:
        raise LoadError(f"{head.label}: strips of {stored_rows} rows make more than {PIECES:,} pieces: damaged")
    return _cut_index(index, layout, stored_rows)


def _with_sizes(
    offsets: NDArray[Any], counts: NDArray[Any] | None, layout: Layout, stored_rows: int, head: Head
) -> Index:
    """The index with the sizes that writers have left out, or have put as 0 although there is an offset.

    Uncompressed, they follow from the layout. Compressed, a tile or strip ends at the latest where the next one begins;
    codecs that know where their data end do the rest, with others the file is refused.
    """
    starts = offsets.astype("u8")
    given = np.zeros_like(starts) if counts is None else counts[: len(starts)].astype("u8")
    unknown = (given == 0) & (starts > 0)
    if not unknown.any():
        return Index(starts, given)
    if layout.compression not in _ENDS_ITSELF:
        raise LoadError(f"{head.label}: compressed tiles or strips without their sizes: damaged")
    warnings.warn(
        f"{head.label}: {int(unknown.sum())} of its tiles or strips come without their sizes, which were computed",
        stacklevel=2,
    )
    whole = np.uint64(layout.row_bytes * stored_rows)
    ordered = np.append(np.unique(starts), np.uint64(head.size))
    room = (
        np.maximum(ordered[np.searchsorted(ordered, starts, side="right").clip(max=len(ordered) - 1)], starts) - starts
    )
    most = whole if layout.compression == Compression.NONE else whole * np.uint64(2) + np.uint64(SPARE_BYTES)
    # The last strip may have fewer rows than the others.
    return Index(starts, np.where(unknown, np.minimum(room, most), given))


#: Codings whose decoders stop at the end of their data, whatever follows.
_ENDS_ITSELF = {
    Compression.NONE,
    Compression.LZW,
    Compression.JPEG,
    Compression.DEFLATE,
    Compression.DEFLATE_OLD,
}


def _uniform(directory: Directory, tag: int, label: str) -> int:
    """The value that all bands share; 1 where the tag is absent (TIFF 6.0, BitsPerSample and SampleFormat)."""
    values = directory.whole(tag, TAG_BYTES)
    if values is None or not len(values):
        return 1
    if (values != values[0]).any():
        raise UnsupportedError(f"{label}: bands of different data types in one image")
    return int(values[0])


def _pixel_type(bits: int, sample_format: int, label: str) -> np.dtype[np.generic]:
    """The type of decoded pixels: the smallest that holds them. Half floats widen, since little else takes them."""
    name = ""
    if sample_format in {1, 4} and (bits <= 32 or bits == 64):
        name = next(f"u{size}" for size in (1, 2, 4, 8) if bits <= size * 8)
    elif sample_format == 2 and bits in {8, 16, 32, 64}:
        name = f"i{bits // 8}"
    elif sample_format == 3 and bits in {16, 24, 32, 64}:
        name = "f8" if bits == 64 else "f4"
    elif sample_format in {5, 6} and bits in {32, 64, 128}:
        name = "c16" if bits == 128 or (bits, sample_format) == (64, 5) else "c8"
    if not name or (bits, sample_format) in {(32, 6), (128, 5)}:
        raise UnsupportedError(f"{label}: {bits} bits of sample format {sample_format}")
    return np.dtype(name)


def _cut_plain_strips(layout: Layout) -> Layout:
    """Uncompressed strips can be cut anywhere between rows: a window then reads its own rows only."""
    if layout.tiled or layout.compression != Compression.NONE or layout.row_bytes * layout.rows <= _PIECE_BYTES:
        return layout
    rows = max(1, _PIECE_BYTES // layout.row_bytes)
    # The new height has to divide the old one, or a piece would span two strips.
    while layout.rows % rows and layout.rows < layout.height:
        rows -= 1
    return replace(layout, rows=rows)


def _cut_index(index: Index, layout: Layout, stored_rows: int) -> Index:
    """The index of the pieces that ``_cut_plain_strips`` makes."""
    down = layout.down
    planes = layout.samples if layout.planar else 1
    first_row = np.arange(down, dtype="u8") * np.uint64(layout.rows)
    strips = -(-layout.height // stored_rows)
    strip = (first_row // np.uint64(stored_rows)).astype(np.intp)
    skip = (first_row % np.uint64(stored_rows)) * np.uint64(layout.row_bytes)
    size = np.minimum(np.uint64(layout.rows), np.uint64(layout.height) - first_row) * np.uint64(layout.row_bytes)
    offsets, counts = [], []
    for plane in range(planes):
        at, held = index.offsets[plane * strips + strip], index.counts[plane * strips + strip]
        stored = held > 0
        offsets.append(np.where(stored, at + skip, 0))
        counts.append(np.where(stored, size, 0))
    return Index(np.concatenate(offsets).astype("u8"), np.concatenate(counts).astype("u8"))


def _check(layout: Layout, label: str) -> Layout:
    if layout.compression not in list(Compression):
        raise UnsupportedError(f"{label}: TIFF compression {layout.compression}")
    if layout.photometric == 6 and layout.compression != Compression.JPEG:
        raise UnsupportedError(f"{label}: YCbCr colours without JPEG")
    _check_predictor(layout, label)
    spread = layout.dtype.itemsize * layout.columns * layout.segment_samples
    size = max(layout.row_bytes, spread) * layout.rows
    if size > SEGMENT_BYTES:
        raise LoadError(
            f"{label}: one of its tiles or strips takes {size:,} bytes, more than {SEGMENT_BYTES:,}: refused;"
            " download the file and convert it to smaller tiles"
        )
    return layout


def _check_predictor(layout: Layout, label: str) -> None:
    """A predictor has to go with the pixels; codecs of whole images and plain pixels ignore it."""
    if layout.predictor == 1 or layout.compression in _WITHOUT_PREDICTOR:
        return
    words = layout.bits in {8, 16, 32, 64} and layout.sample_format != 5
    fits = {2: words, 3: layout.sample_format == 3}
    if not fits.get(layout.predictor, False):
        raise UnsupportedError(f"{label}: predictor {layout.predictor} for {layout.bits} bits")


_WITHOUT_PREDICTOR = {
    Compression.NONE,
    Compression.JPEG,
    Compression.WEBP,
    Compression.LERC,
    Compression.JPEG2000,
    Compression.JPEG_XL,
    Compression.JPEG_XL_DNG,
}
