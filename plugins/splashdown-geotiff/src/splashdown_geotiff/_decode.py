"""From the stored bytes of one segment to its pixels: decompress, undo the predictor, spread packed bits.

No codec may write more than the segment's size, which ``_layout`` has checked: a bomb ends in an error.
"""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from splashdown.errors import LoadError, error_text
from splashdown_geotiff._layout import Compression, Layout

Bytes = memoryview | bytes

#: Its type stubs know neither memory views nor arrays as buffers, which it takes all the same.
codecs: Any = imagecodecs


class Decoder:
    """Decodes the segments of one image; may be called from several threads at once."""

    def __init__(self, layout: Layout, label: str) -> None:
        self.layout = layout
        self.label = label
        self._scratch = threading.local()
        self._pixels = _IMAGE_CODECS.get(layout.compression, _decode_raw)

    def __call__(self, data: Bytes, rows: int) -> NDArray[Any]:
        """Pixels ``(rows, columns, samples)``, valid until this thread's next call.

        Raises ``LoadError`` when the bytes are not what the header says.
        """
        try:
            pixels = self._pixels(self, data, rows)
        except LoadError:
            raise
        except Exception as error:
            raise LoadError(
                f"{self.label}: a tile or strip cannot be decoded ({error_text(error)}): damaged"
            ) from error
        # Codecs of whole images say themselves how large they are.
        if pixels.shape != (expected := _shape(self.layout, rows)):
            raise LoadError(
                f"{self.label}: a tile or strip of {_times(pixels.shape)} pixels"
                f" in a place for {_times(expected)}: damaged"
            )
        return pixels

    def scratch(self, name: str, size: int) -> NDArray[np.uint8]:
        """A buffer of this thread's: fresh memory for each tile costs a third of the time in page faults."""
        held: NDArray[np.uint8] | None = getattr(self._scratch, name, None)
        if held is None or len(held) < size:
            held = np.empty(size, np.uint8)
            setattr(self._scratch, name, held)
        return held[:size]


def _decode_raw(decoder: Decoder, data: Bytes, rows: int) -> NDArray[Any]:
    layout = decoder.layout
    if layout.reversed_bits:
        data = codecs.bitorder_decode(bytes(data))
    size = rows * layout.row_bytes
    raw = _decompress(decoder, data, size)
    if len(raw) < size:
        raise LoadError(f"{decoder.label}: a tile or strip holds {len(raw)} bytes instead of {size}: damaged")
    predictor = 1 if layout.compression == Compression.NONE else layout.predictor
    if predictor == 3:
        return _undo_float_predictor(decoder, raw, rows)
    if layout.bits in {8, 16, 32, 64, 128}:
        return _undo_difference(layout, raw, rows) if predictor == 2 else _as_pixels(layout, raw, rows)
    return _spread(layout, raw, rows)


def _decompress(decoder: Decoder, data: Bytes, size: int) -> NDArray[np.uint8]:
    compression = decoder.layout.compression
    if compression == Compression.NONE:
        return np.frombuffer(data, np.uint8)[:size]
    out = decoder.scratch("raw", size)
    if compression in {Compression.DEFLATE, Compression.DEFLATE_OLD}:
        try:
            return _filled(out, codecs.deflate_decode(data, out=out))
        except codecs.DeflateError:
            return _decompress_padded(decoder, data, size)
    return _filled(out, _CODECS[compression](data, out=out))


def _decompress_padded(decoder: Decoder, data: Bytes, size: int) -> NDArray[np.uint8]:
    """The last strip with as many rows as the others, as some writers pad it; more than that is refused."""
    most = decoder.layout.rows * decoder.layout.row_bytes
    whole = zlib.decompressobj().decompress(data, most + 1)
    if len(whole) > most:
        raise LoadError(f"{decoder.label}: a tile or strip unpacks to more than its {most} bytes: refused")
    return np.frombuffer(whole, np.uint8)[:size].copy()


def _filled(out: NDArray[np.uint8], decoded: object) -> NDArray[np.uint8]:
    """The part of ``out`` that a codec has written."""
    written = len(decoded) if isinstance(decoded, bytes | bytearray | memoryview | np.ndarray) else 0
    return out[:written]


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _shape(layout: Layout, rows: int) -> tuple[int, int, int]:
    return (rows, layout.columns, layout.segment_samples)


def _as_pixels(layout: Layout, raw: NDArray[np.uint8], rows: int) -> NDArray[Any]:
    shape = _shape(layout, rows)
    if layout.sample_format == 5:
        part = np.dtype(f"{layout.order}i{layout.bits // 16}")
        return raw.view(part).astype(f"f{layout.dtype.itemsize // 2}").view(layout.dtype).reshape(shape)
    if layout.sample_format == 3 and layout.bits == 16:
        return raw.view(f"{layout.order}f2").reshape(shape)
    return raw.view(layout.dtype.newbyteorder(layout.order)).reshape(shape)


def _undo_difference(layout: Layout, raw: NDArray[np.uint8], rows: int) -> NDArray[Any]:
    """Predictor 2 works on the words, whatever they mean (TIFF 6.0, section 14)."""
    words = raw.view(f"{layout.order}u{layout.bits // 8}").reshape(_shape(layout, rows))
    native = words.astype(words.dtype.newbyteorder("="), copy=False)
    codecs.delta_decode(native, axis=1, out=native)
    if layout.sample_format == 3 and layout.bits == 16:
        return native.view(np.float16)
    return native.view(layout.dtype)


def _undo_float_predictor(decoder: Decoder, raw: NDArray[np.uint8], rows: int) -> NDArray[Any]:
    """Predictor 3 (Adobe's TIFF Technical Note 3): each row holds its numbers' first bytes, then the second, ...

    The bytes are put back to where they belong band by band, so that the pixels come out band-sequential and
    need no second pass over memory.
    """
    layout = decoder.layout
    samples, columns, size = layout.segment_samples, layout.columns, layout.bits // 8
    planes = raw.reshape(rows, size * columns, samples)
    codecs.delta_decode(planes, axis=1, out=planes)
    by_byte = planes.reshape(rows, size, columns, samples)
    # 24-bit floats are the upper three bytes of a number that is spread below.
    width = 4 if size == 3 else size
    whole = decoder.scratch("whole", samples * rows * columns * width).reshape(samples, rows, columns, width)
    if size == 3:
        whole[...] = 0
    for sample in range(samples):
        for byte in range(size):
            whole[sample, :, :, size - 1 - byte] = by_byte[:, byte, :, sample]
    if size == 3:
        return np.moveaxis(_spread_float24(whole.view("<u4")[..., 0]), 0, -1)
    return np.moveaxis(whole.view(f"<f{size}")[..., 0], 0, -1)


def _spread(layout: Layout, raw: NDArray[np.uint8], rows: int) -> NDArray[Any]:
    """Integers of odd sizes, packed bit by bit, and 24-bit floats."""
    if layout.sample_format == 3:
        three = raw.reshape(-1, 3)
        order = (0, 1, 2) if layout.order == "<" else (2, 1, 0)
        words = np.zeros((len(three), 4), np.uint8)
        for target, source in enumerate(order):
            words[:, target] = three[:, source]
        return _spread_float24(words.view("<u4")[:, 0]).reshape(_shape(layout, rows))
    run = layout.columns * layout.segment_samples
    spread: NDArray[Any] = codecs.packints_decode(raw.tobytes(), layout.dtype, layout.bits, runlen=run)
    return spread.reshape(_shape(layout, rows))


def _spread_float24(words: NDArray[np.uint32]) -> NDArray[np.float32]:
    """1 sign, 7 exponent (bias 63) and 16 fraction bits to IEEE single precision."""
    sign, exponent, fraction = words >> 23, (words >> 16) & 0x7F, words & 0xFFFF
    value = np.ldexp(1 + fraction / 65536.0, exponent.astype(np.int64) - 63)
    value = np.where(exponent == 0, np.ldexp(fraction / 65536.0, -62), value)
    value = np.where(exponent == 127, np.where(fraction == 0, np.inf, np.nan), value)
    return np.where(sign == 1, -value, value).astype(np.float32)


def _decode_jpeg(decoder: Decoder, data: Bytes, rows: int) -> NDArray[Any]:
    layout = decoder.layout
    height, width, samples = _jpeg_shape(bytes(data))
    if width > layout.columns or height > layout.rows or samples > layout.segment_samples:
        raise LoadError(f"{decoder.label}: a JPEG of {width} x {height} x {samples} in a smaller tile: refused")
    stored, wanted = _jpeg_colors(layout, samples)
    pixels = codecs.jpeg_decode(
        bytes(data),
        tables=layout.jpeg_tables,
        colorspace=stored,
        outcolorspace=wanted,
        bitspersample=layout.bits,
    )
    return _fit(layout, pixels.reshape(height, width, -1), rows)


def _jpeg_colors(layout: Layout, samples: int) -> tuple[int, int]:
    """The colours that a JPEG stores, and those that are wanted. TIFF says it; left alone, the decoder would guess.

    YCbCr is how JPEG stores RGB, and GDAL hands it out as RGB too. Everything else stays as it is stored.
    """
    if samples == 3 and layout.photometric == 6:
        return _YCBCR, _RGB
    unchanged = _SPACES.get(samples, 0)
    return unchanged, unchanged


#: Colour spaces of libjpeg; those that are not converted into each other, by their bands.
_RGB, _YCBCR = 2, 3
_SPACES = {1: 1, 3: _RGB, 4: 4}


def _jpeg_shape(data: bytes) -> tuple[int, int, int]:
    """Height, width and components in a JPEG's frame header (ITU T.81, B.2.2), before anything is decoded."""
    at = 2
    while at + 9 < len(data):
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at] != 0xFF:
            break
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width, components = struct.unpack(">HHB", data[at + 5 : at + 10])
            return height, width, components
        at += 1 if marker == 0xFF else 2 + length
    raise LoadError("a JPEG tile without a frame header: damaged")


def _decode_webp(decoder: Decoder, data: Bytes, rows: int) -> NDArray[Any]:
    layout = decoder.layout
    shape = _shape(layout, layout.rows if layout.tiled else rows)
    # With an output of the right shape given, an image of another size is refused before it is decoded.
    out = np.empty(shape, np.uint8)
    codecs.webp_decode(data, hasalpha=layout.samples == 4, out=out)
    return out


def _decode_whole(decoder: Decoder, data: Bytes, rows: int, *, codec: str) -> NDArray[Any]:
    """JPEG XL and JPEG 2000. With an output given, an image of another size is refused before it is decoded."""
    shape = _shape(decoder.layout, rows)
    out = np.empty(shape if shape[2] > 1 else shape[:2], decoder.layout.dtype)
    getattr(codecs, codec)(bytes(data), out=out)
    return out.reshape(shape)


def _decode_lerc(decoder: Decoder, data: Bytes, rows: int) -> NDArray[Any]:
    layout = decoder.layout
    shape = _shape(layout, rows)
    most = rows * layout.row_bytes * 2 + 65536
    if layout.lerc_codec == 1:
        data = zlib.decompressobj().decompress(data, most)
    elif layout.lerc_codec == 2:
        buffer = decoder.scratch("raw", most)
        data = _filled(buffer, codecs.zstd_decode(data, out=buffer)).tobytes()
    pixels: NDArray[Any]
    try:
        out = np.empty(shape if shape[2] > 1 else shape[:2], layout.dtype)
        pixels, valid = codecs.lerc_decode(data, masks=True, out=out)
    except ValueError:
        # Bands of which each has a mask of its own come one after the other. Other shapes are refused before
        # it is decoded.
        apart = np.empty((shape[2], *shape[:2]), layout.dtype)
        pixels, valid = (np.moveaxis(part, 0, -1) for part in codecs.lerc_decode(data, masks=True, out=apart))
    if layout.dtype.kind == "f" and valid is not None and not np.all(valid):
        # GDAL writes NaN as "not valid" (libtiff, tif_lerc).
        pixels[~np.broadcast_to(_as_mask(valid, pixels), pixels.shape)] = np.nan
    return pixels.reshape(shape)


def _as_mask(valid: NDArray[Any], pixels: NDArray[Any]) -> NDArray[np.bool_]:
    flags = valid.astype(bool)
    return flags[..., np.newaxis] if flags.ndim < pixels.ndim else flags


def _fit(layout: Layout, pixels: NDArray[Any], rows: int) -> NDArray[Any]:
    """An image that is smaller than its tile (some writers cut at the border) fills it from the top left."""
    height, width = min(pixels.shape[0], rows), pixels.shape[1]
    if (height, width) == (rows, layout.columns):
        return pixels[:rows]
    whole = np.zeros(_shape(layout, rows), pixels.dtype)
    whole[:height, :width] = pixels[:height]
    return whole


_CODECS: dict[int, Callable[..., object]] = {
    Compression.LZW: codecs.lzw_decode,
    Compression.PACKBITS: codecs.packbits_decode,
    Compression.LZMA: codecs.lzma_decode,
    Compression.ZSTD: codecs.zstd_decode,
}

_IMAGE_CODECS: dict[int, Callable[[Decoder, Bytes, int], NDArray[Any]]] = {
    Compression.JPEG: _decode_jpeg,
    Compression.WEBP: _decode_webp,
    Compression.LERC: _decode_lerc,
    Compression.JPEG2000: partial(_decode_whole, codec="jpeg2k_decode"),
    Compression.JPEG_XL: partial(_decode_whole, codec="jpegxl_decode"),
    Compression.JPEG_XL_DNG: partial(_decode_whole, codec="jpegxl_decode"),
}
