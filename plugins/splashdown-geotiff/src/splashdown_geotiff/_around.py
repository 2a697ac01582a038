"""Rasters that go once around the earth: a window may begin at one end and go on at the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from splashdown_geotiff._header import Engine, Header
from splashdown_geotiff._plan import Window

CIRCLE = 360.0
#: Pixels by which a raster may be wider or narrower than the circle: its numbers are rounded.
_ROUNDED = 1e-3


def in_degrees(crs: CRS | None) -> bool:
    """Whether coordinates are longitudes and latitudes in degrees."""
    return crs is not None and crs.is_geographic and all(a.unit_name == "degree" for a in crs.axis_info[:2])


def is_around(header: Header) -> bool:
    """Whether the last column lies beside the first one."""
    transform = header.transform
    if transform is None or not transform.rectilinear or transform.a <= 0 or not in_degrees(header.crs):
        return False
    return abs(header.levels[0][0] - CIRCLE / transform.a) < _ROUNDED


class AroundEngine:
    """An engine whose windows may go on over the last column, with the first one."""

    def __init__(self, engine: Engine) -> None:
        self.header = engine.header
        self._engine = engine

    def read_into(self, out: NDArray[Any], level: int, window: Window, bands: tuple[int, ...]) -> None:
        """Fill ``out`` with a window, by one read or two."""
        at = 0
        for part in self._parts(level, window):
            self._engine.read_into(out[:, :, at : at + part.width], level, part, bands)
            at += part.width

    def read_mask(self, level: int, window: Window) -> NDArray[np.bool_]:
        """The internal mask of a window."""
        return np.concatenate([self._engine.read_mask(level, part) for part in self._parts(level, window)], axis=1)

    def _parts(self, level: int, window: Window) -> list[Window]:
        around = self.header.levels[level][0]
        first = window.column % around
        here = min(window.width, around - first)
        parts = [window._replace(column=first, width=here)]
        if here < window.width:
            parts.append(window._replace(column=0, width=window.width - here))
        return parts
