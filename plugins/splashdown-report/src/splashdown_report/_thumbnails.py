"""Small pictures of files: of rasters their overviews, through ``splashdown-geotiff`` where it is installed."""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from splashdown.errors import NoProviderError, SplashdownError
from splashdown.picture import Picture
from splashdown.sources import bare_href
from splashdown_report._stored import Described

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: The longer side, in pixels.
SIDE = 56
#: All of them together, as the page has them: a page with 1,000 files stays below 2 MB.
MOST_BYTES = 900_000
#: A picture that is a file of its own is taken as it is, up to here.
_MOST_OWN = 12_000
#: Pixels that are read of a raster at most, of an overview or of the whole.
_MOST_PIXELS = 1024 * 1024
_JOBS = 8


def thumbnails(files: Iterable[tuple[int, Described]]) -> Iterator[tuple[int, str]]:
    """A data URI for each file of which a small picture can be had, until they are :data:`MOST_BYTES` together."""
    left = MOST_BYTES
    with ThreadPoolExecutor(_JOBS, thread_name_prefix="splashdown-report") as pool:
        for number, uri in pool.map(lambda each: (each[0], _thumbnail(each[1])), files):
            if uri and len(uri) <= left:
                left -= len(uri)
                yield number, uri


def _thumbnail(file: Described) -> str:
    """The data URI; empty for a file of another kind, a broken one, and where no plugin reads it."""
    kind = (file.asset.media_type or "").partition(";")[0].lower()
    name = bare_href(file.asset.href.lower())
    try:
        if kind in {"image/png", "image/jpeg"} or name.endswith((".png", ".jpg", ".jpeg")):
            picture = file.load("picture", max_bytes=_MOST_OWN)
            return _uri(bytes(picture), picture.media_type) if isinstance(picture, Picture) else ""
        if "tiff" in kind or name.endswith((".tif", ".tiff")):
            return _of_raster(file.load("geotiff-handle"))
    except (NoProviderError, SplashdownError, OSError):
        pass  # a page without a picture says more than no page
    return ""


def _of_raster(raster: Any) -> str:
    """The overview that is just large enough, stretched between its darkest and its brightest pixels."""
    import numpy as np

    bands, height, width = raster.shape
    sizes: dict[int | None, tuple[int, int]] = {None: (width, height), **dict(enumerate(raster.overviews))}
    fine = [place for place, size in sizes.items() if max(size) >= SIDE]
    place = fine[-1] if fine else None
    if sizes[place][0] * sizes[place][1] > _MOST_PIXELS:
        return ""
    chosen = [1, 2, 3] if bands in {3, 4} else [1]
    options = {} if place is None else {"overview": place}
    pixels = raster.read_numpy(bands=chosen, masked=True, **options)
    step = max(1, -(-max(pixels.shape[1:]) // SIDE))
    small = np.ma.filled(pixels[:, ::step, ::step].astype("float32"), np.nan)
    return _uri(_png(_stretched(small)), "image/png")


def _stretched(pixels: NDArray[Any]) -> NDArray[Any]:
    """Bytes (y, x, grey and alpha or RGBA); sixteen levels are enough for so small a picture and compress well."""
    import numpy as np

    known = np.isfinite(pixels)
    low, high = np.percentile(pixels[known], (2, 98)) if known.any() else (0.0, 1.0)
    scaled = np.clip((np.nan_to_num(pixels) - low) / max(high - low, 1e-9), 0, 1)
    levels = (np.round(scaled * 15) * 17).astype("uint8")
    alpha = np.where(known.all(axis=0), 255, 0).astype("uint8")
    return np.moveaxis(np.concatenate([levels, alpha[None]]), 0, -1)


def _png(pixels: NDArray[Any]) -> bytes:
    """A PNG file (W3C PNG, section 11): grey with alpha, or RGBA, eight bits."""
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 4 if channels == 2 else 6, 0, 0, 0)
    lines = b"".join(b"\0" + row.tobytes() for row in pixels)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    body = b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + body


def _uri(data: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{b64encode(data).decode()}"
