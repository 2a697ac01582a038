"""One file's structure, put together: its levels and masks, where it lies, what its bands are.

Both engines produce it, so that everything after (selection, masks, arrays) is written once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from splashdown.redact import safely_shown
from splashdown_geotiff._control import Control
from splashdown_geotiff._georeference import Transform
from splashdown_geotiff._plan import Window

if TYPE_CHECKING:
    from pyproj import CRS


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Band:
    """One band. ``description`` is what the file calls it."""

    description: str | None = None
    scale: float = 1.0
    offset: float = 0.0
    tags: Mapping[str, str] = field(default_factory=dict)


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Header:
    """The header of a file, which is read before its pixels.

    ``levels`` holds width and height of the full resolution, then of each overview, finest first.
    ``mask`` says where its mask comes from, in GDAL's order (RFC 15): ``internal``, ``nodata-values``, ``nodata``,
    ``alpha``, or "".
    """

    levels: tuple[tuple[int, int], ...]
    dtype: np.dtype[np.generic]
    bands: tuple[Band, ...]
    transform: Transform | None
    crs: CRS | None
    nodata: float | None
    mask: str
    alpha: int | None  #: number of the alpha band, from 0
    tags: Mapping[str, str]
    #: One value for each band: a pixel that has all of them has no data. ``None`` is a value that no pixel can have.
    nodata_values: tuple[float | None, ...] = ()
    control: Control | None = None  #: what says where it lies, where that is not a transform
    block: tuple[int, int]  #: rows and columns of a tile or strip at full resolution
    colors: tuple[str, ...] = ()  #: what each band shows (``red``, ``alpha``, ...), with GDAL's names; empty if unknown
    palette: Mapping[int, tuple[int, int, int, int]] = field(default_factory=dict)  #: red to alpha by pixel value


class Engine(Protocol):
    """Reads pixels of one open file; several threads may use it."""

    header: Header

    def read_into(self, out: NDArray[np.generic], level: int, window: Window, bands: tuple[int, ...]) -> None:
        """Fill ``out`` (band, y, x) with a window of a level; values are cast to its type. Bands count from 0."""

    def read_mask(self, level: int, window: Window) -> NDArray[np.bool_]:
        """Where the internal mask says that there is no data (y, x)."""
