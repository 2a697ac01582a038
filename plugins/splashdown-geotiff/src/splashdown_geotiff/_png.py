"""PNG images: thumbnails and quick looks of results."""

from __future__ import annotations

import struct
from typing import Any

import imagecodecs
from numpy.typing import NDArray

from splashdown.errors import LoadError, error_text
from splashdown.protocols import AssetHandle
from splashdown_geotiff._limits import check_output

SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: No picture that compresses to less than this much smaller; what is left is checked by its declared size.
_FILE_BYTES = 1024**3


def read_png(asset: AssetHandle, max_bytes: int | None) -> NDArray[Any]:
    """The pixels as (y, x) or (y, x, channel). Raises ``LoadError`` for a file that is not a PNG or is over the cap."""
    label = asset.asset.label
    content = asset.bytes(_FILE_BYTES)
    # The header chunk comes first (PNG specification, 11.2.1): size, depth and colour type.
    if content.startswith(SIGNATURE) and (content[12:16] != b"IHDR" or len(content) < 33):
        raise LoadError(f"{label} begins like a PNG and goes on otherwise: it is damaged or incomplete")
    if not content.startswith(SIGNATURE):
        raise LoadError(f"{label} is not a PNG: it begins with {content[:8].hex(' ') or 'nothing'}")
    width, height, depth = struct.unpack(">IIB", content[16:25])
    check_output(width * height * (2 if depth == 16 else 1) * 4, max_bytes, label, "raise max_bytes")
    try:
        pixels: NDArray[Any] = imagecodecs.png_decode(content)
    except Exception as error:
        raise LoadError(f"{label}: the image cannot be decoded ({error_text(error)}): damaged") from error
    return pixels
