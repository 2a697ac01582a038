"""What becomes of the stored numbers: which type they get, what is masked, and how they are scaled."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splashdown_geotiff._header import Engine, Header
from splashdown_geotiff._select import Selection


def output_type(dtype: np.dtype[Any], *, masked: bool, scaled: bool) -> np.dtype[Any]:
    """The type that holds NaN or scaled values: ``float32`` up to 16-bit integers, which it holds exactly."""
    if dtype.kind in "fc" or not (masked or scaled):
        return dtype
    return np.dtype("f4") if dtype.itemsize <= 2 else np.dtype("f8")


def missing(engine: Engine, selection: Selection, stored: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Where there is no data, in the shape of ``stored`` (band, y, x) or of one band; ``None`` where all is valid.

    Follows GDAL (RFC 15): the internal mask if there is one, else nodata, else the alpha band.
    """
    header = engine.header
    if header.mask == "internal":
        return engine.read_mask(selection.level, selection.window)[np.newaxis]
    if header.mask == "nodata":
        return equals_nodata(header, stored)
    if header.mask == "alpha" and header.alpha is not None:
        return _transparent(engine, selection, header.alpha)
    return None


def equals_nodata(header: Header, stored: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Where values are the file's nodata; ``None`` where its type cannot even hold that."""
    nodata, dtype = header.nodata, header.dtype
    if nodata is None:
        return None
    if nodata != nodata:  # noqa: PLR0124 - NaN
        return np.isnan(stored) if stored.dtype.kind in "fc" else None
    if dtype.kind in "iu":
        limits = np.iinfo(dtype.name)
        if not math.isfinite(nodata) or nodata != int(nodata) or not limits.min <= nodata <= limits.max:
            return None
        return _equal(stored, dtype.type(int(nodata)))
    # The tag is text: what was written as a float32 has to become one again before it is compared.
    real = np.dtype(f"f{dtype.itemsize // (2 if dtype.kind == 'c' else 1)}")
    with np.errstate(over="ignore"):
        return _equal(stored, real.type(nodata))


def _equal(stored: NDArray[Any], value: np.generic) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = stored == value
    return found


def scale(values: NDArray[Any], header: Header, bands: tuple[int, ...]) -> None:
    """Apply each band's scale and offset, in place."""
    for place, number in enumerate(bands):
        band = header.bands[number]
        if (band.scale, band.offset) != (1.0, 0.0):
            values[place] *= band.scale
            values[place] += band.offset


def _transparent(engine: Engine, selection: Selection, alpha: int) -> NDArray[np.bool_]:
    window = selection.window
    band = np.empty((1, window.height, window.width), engine.header.dtype)
    engine.read_into(band, selection.level, window, (alpha,))
    hidden = band == 0
    # The alpha band itself is data everywhere.
    return np.stack([np.zeros_like(hidden[0]) if b == alpha else hidden[0] for b in selection.bands])
