"""The options that ``splashdown load`` has for rasters; what they mean is ``_loaders``'."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from splashdown.specs import LoaderOptions


def _option(help: str, metavar: str = "") -> Any:
    return field(default=None, metadata={"help": help, "metavar": metavar})


@dataclass(frozen=True, kw_only=True)
class OpenOptions:
    """How a file is opened."""

    engine: Literal["auto", "native", "gdal"] | None = _option("What reads it: auto, native or gdal.", "NAME")


@dataclass(frozen=True, kw_only=True)
class RasterOptions(LoaderOptions, OpenOptions):
    """What is read of a raster."""

    bands: tuple[str, ...] | None = _option("Only these bands, by name or number from 1.", "B04,B08")
    bbox: tuple[float, ...] | None = _option("Only this box, in the raster's CRS or in --bbox-crs.", "W,S,E,N")
    bbox_crs: str | None = _option("The CRS of --bbox, e.g. EPSG:4326 for degrees.", "CRS")
    window: tuple[int, ...] | None = _option("Only these pixels: column, row, width, height.", "C,R,W,H")
    overview: int | None = _option("The overview with this number; 0 is the finest.", "N")
    resolution: float | None = _option("The coarsest level with pixels of at most this size.", "SIZE")
    scaled: bool = field(default=False, metadata={"help": "Apply scale and offset of each band."})
