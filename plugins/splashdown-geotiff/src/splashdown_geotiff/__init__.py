"""GeoTIFF for Splashdown: from an asset to xarray or numpy, reading only what is needed.

Registers the loaders ``geotiff``, ``cube``, ``numpy``, ``geotiff-handle``, ``jp2`` and ``png``, and the filter ``crs``.
Heavy packages are imported when they are used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from splashdown.formats import JPEG2000, PNG, TIFF
from splashdown.hookspecs import hookimpl
from splashdown.protocols import AssetHandle
from splashdown.specs import FilterSpec, LoaderOptions, LoaderSpec
from splashdown_geotiff._crs_filter import ByCrs
from splashdown_geotiff._loaders import load_cube, load_geotiff, load_geotiffs, load_numpy, load_png, open_geotiff
from splashdown_geotiff._options import OpenOptions, RasterOptions

if TYPE_CHECKING:
    from splashdown.clipping import Area, Clip
    from splashdown_geotiff._raster import GeoTIFF

__all__ = ["GeoTIFF", "load_cube", "load_geotiff", "load_geotiffs", "load_numpy", "load_png", "open_geotiff"]


def __getattr__(name: str) -> Any:
    if name == "GeoTIFF":
        from splashdown_geotiff._raster import GeoTIFF

        return GeoTIFF
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@hookimpl
def splashdown_loaders() -> Iterable[LoaderSpec]:
    """``geotiff``, ``jp2`` and ``png`` for their media types; ``numpy`` and ``geotiff-handle`` when they are named."""
    yield LoaderSpec(
        name="geotiff",
        load=load_geotiff,
        load_many=load_geotiffs,
        media_types=("image/tiff", "image/vnd.stac.geotiff", "image/geotiff"),
        extensions=(".tif", ".tiff", ".geotiff"),
        magic=TIFF.first_bytes,
        summarise=_summarise("summarise"),
        clip=_part_of_raster,
        options=RasterOptions,
        summary="a GeoTIFF as an xarray.DataArray (band, y, x)",
    )
    yield LoaderSpec(
        name="numpy",
        load=load_numpy,
        summarise=_summarise("summarise"),
        options=RasterOptions,
        summary="the pixels of a GeoTIFF as a numpy array",
    )
    yield LoaderSpec(
        name="geotiff-handle",
        load=open_geotiff,
        summarise=_summarise("summarise_open"),
        options=OpenOptions,
        summary="an open GeoTIFF for many reads",
    )
    yield LoaderSpec(
        name="cube",
        load=load_cube,
        load_many=load_cube,
        summary="rasters of any grids on one, as an xarray.Dataset (time, y, x)",
    )
    yield LoaderSpec(
        name="jp2",
        load=load_geotiff,
        load_many=load_geotiffs,
        media_types=("image/jp2",),
        extensions=(".jp2",),
        magic=JPEG2000.first_bytes[:1],
        summarise=_summarise("summarise"),
        clip=_part_of_raster,
        options=RasterOptions,
        summary="a JP2 file as an xarray.DataArray (band, y, x)",
    )
    yield LoaderSpec(
        name="png",
        load=load_png,
        media_types=("image/png",),
        extensions=(".png",),
        magic=PNG.first_bytes,
        summarise=_summarise("summarise_image"),
        options=LoaderOptions,
        summary="a PNG image as a numpy array",
    )


def _part_of_raster(asset: AssetHandle, area: Area) -> Clip | None:
    """The part of a raster that lies in an area, imported when it is wanted."""
    from splashdown_geotiff._clip import clip_raster

    return clip_raster(asset, area)


def _summarise(name: str) -> Any:
    """One of ``_summary``'s functions, imported when it is called."""

    def facts(asset: AssetHandle, **options: Any) -> Mapping[str, object]:
        from splashdown_geotiff import _summary

        found: Mapping[str, object] = getattr(_summary, name)(asset, **options)
        return found

    return facts


@hookimpl
def splashdown_filters() -> Iterable[FilterSpec]:
    """``crs``, by the metadata alone."""
    yield FilterSpec(name="crs", create=ByCrs, summary="rasters in a coordinate reference system, such as EPSG:32631")
