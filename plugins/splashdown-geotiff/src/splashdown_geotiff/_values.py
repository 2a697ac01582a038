"""What becomes of the stored numbers: which type they get, what is masked, and how they are scaled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from splashdown_geotiff._header import Engine, Header
from splashdown_geotiff._nodata import equals_nodata
from splashdown_geotiff._select import Selection


def output_type(dtype: np.dtype[Any], *, masked: bool, scaled: bool) -> np.dtype[Any]:
    """The type that holds NaN or scaled values: ``float32`` up to 16-bit integers, which it holds exactly."""
    if dtype.kind in "fc" or not (masked or scaled):
        return dtype
    return np.dtype("f4") if dtype.itemsize <= 2 else np.dtype("f8")


def missing(engine: Engine, selection: Selection, stored: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Where there is no data, in the shape of ``stored`` (band, y, x) or of one band; ``None`` where all is valid.

    Follows GDAL (RFC 15): the internal mask if there is one, else one nodata value for each band, else nodata,
    else the alpha band.
    """
    header = engine.header
    if header.mask == "internal":
        return engine.read_mask(selection.level, selection.window)[np.newaxis]
    if header.mask == "nodata-values":
        return _without_values(engine, selection, stored)
    if header.mask == "nodata":
        return None if header.nodata is None else equals_nodata(header.nodata, stored)
    if header.mask == "alpha" and header.alpha is not None:
        return _transparent(engine, selection, header.alpha)
    return None


def scale(values: NDArray[Any], header: Header, bands: tuple[int, ...]) -> None:
    """Apply each band's scale and offset, in place."""
    for place, number in enumerate(bands):
        band = header.bands[number]
        if (band.scale, band.offset) != (1.0, 0.0):
            values[place] *= band.scale
            values[place] += band.offset


def _without_values(engine: Engine, selection: Selection, stored: NDArray[Any]) -> NDArray[np.bool_]:
    """Where every band has its nodata value, also those that were not selected."""
    window, values = selection.window, engine.header.nodata_values
    hidden = np.full((1, window.height, window.width), None not in values)
    if None in values:
        return hidden
    have = {band: stored[place] for place, band in enumerate(selection.bands)}
    others = tuple(band for band in range(len(values)) if band not in have)
    if others:
        more = np.empty((len(others), window.height, window.width), engine.header.dtype)
        engine.read_into(more, selection.level, window, others)
        have.update(zip(others, more, strict=True))
    for band, value in enumerate(values):
        if value is not None:
            hidden[0] &= equals_nodata(value, have[band].astype(engine.header.dtype, copy=False))
    return hidden


def _transparent(engine: Engine, selection: Selection, alpha: int) -> NDArray[np.bool_]:
    window = selection.window
    band = np.empty((1, window.height, window.width), engine.header.dtype)
    engine.read_into(band, selection.level, window, (alpha,))
    hidden = band == 0
    # The alpha band itself is data everywhere.
    return np.stack([np.zeros_like(hidden[0]) if b == alpha else hidden[0] for b in selection.bands])
