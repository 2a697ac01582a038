"""The loaders that this package registers, with their arguments.

Importing this must stay cheap, since every look at the list of plugins does: numpy, xarray and the codecs come
with the first call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Unpack
from urllib.parse import urlsplit

from splashdown.errors import LoadError, OptionError
from splashdown.formats import JPEG2000, TIFF
from splashdown.model import Asset
from splashdown.protocols import AssetHandle
from splashdown_geotiff._options import ArrayOptions, CubeOptions, PixelOptions

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from splashdown_geotiff._lazy import Chunks
    from splashdown_geotiff._raster import GeoTIFF
    from splashdown_geotiff._select import Box

#: Files read at a time. They wait for the network, not for a core.
JOBS = 8


def load_geotiff(asset: AssetHandle, *, engine: str = "auto", **options: Unpack[ArrayOptions]) -> xr.DataArray:
    """Read a GeoTIFF, or a part of it, as an ``xarray.DataArray`` with the dimensions ``(band, y, x)``.

    ``bands`` are names or numbers from 1. ``bbox`` is (west, south, east, north) in the raster's CRS, or in
    ``bbox_crs``; every pixel that it touches is read. ``window`` is (column, row, width, height) in pixels.
    ``overview`` is the place of an overview (0 is the finest), ``resolution`` takes the coarsest level whose
    pixels are not larger than that; nothing is ever resampled. ``masked`` turns pixels without data into NaN,
    ``scaled`` applies the bands' scales and offsets. ``chunks`` makes it lazy (Dask; ``{}`` for blocks of whole
    tiles). ``max_bytes`` caps what is returned, or one block of it.

    Raises ``OptionError`` for arguments that make no sense for this file, and ``LoadError`` for a file that
    cannot be read, a box beside it, or a result over the cap.
    """
    return open_geotiff(asset, engine=engine).read(**options)


def load_numpy(asset: AssetHandle, *, engine: str = "auto", **options: Unpack[PixelOptions]) -> NDArray[Any]:
    """Read a GeoTIFF's pixels as a numpy array (band, y, x); the arguments are those of ``load_geotiff``.

    With ``masked=True`` it is a ``numpy.ma.MaskedArray``, which keeps the type that the file has.
    """
    return open_geotiff(asset, engine=engine).read_numpy(**options)


def open_geotiff(asset: AssetHandle, *, engine: str = "auto") -> GeoTIFF:
    """Open a GeoTIFF: its header is read once and kept, with the connections, for many reads."""
    from splashdown_geotiff._raster import GeoTIFF

    return GeoTIFF(asset, engine=engine)


def load_png(asset: AssetHandle, *, max_bytes: int | None = None) -> NDArray[Any]:
    """A PNG image as a numpy array (y, x) or (y, x, channel); ``LoadError`` when it is larger than ``max_bytes``."""
    from splashdown_geotiff._png import read_png

    return read_png(asset, max_bytes)


def load_geotiffs(
    assets: Sequence[AssetHandle], *, engine: str = "auto", jobs: int = JOBS, **options: Unpack[ArrayOptions]
) -> xr.DataArray:
    """Read many assets at once into ``(t, band, y, x)``; the arguments are those of ``load_geotiff``.

    Files of one date are put together along ``band``. All have to share a grid: otherwise ``LoadError`` says
    which two differ and in what. ``jobs`` is how many are read at a time. With ``chunks`` the headers are read now,
    and pixels when they are computed; ``{}`` takes blocks of whole tiles and one date, or of up to eight dates
    where the files are small. ``max_bytes`` caps what is returned, or one block of it.
    """
    from splashdown_geotiff._many import load_many

    return load_many(assets, engine=engine, jobs=jobs, **options)


def load_cube(
    assets: AssetHandle | Sequence[AssetHandle],
    *,
    bands: str | Sequence[str] | None = None,
    crs: object = None,
    resolution: float | None = None,
    bbox: Box | None = None,
    bbox_crs: object = None,
    groupby: Literal["time", "solar_day"] = "time",
    resampling: str = "nearest",
    masked: bool = False,
    scaled: bool = False,
    chunks: Chunks | None = None,
    jobs: int = JOBS,
    max_bytes: int | None = None,
    engine: str = "auto",
) -> xr.Dataset:
    """Put rasters of any grids on one: a variable (time, y, x) for each band. Needs the extra ``cube``.

    ``bands`` are names of bands, common names or keys of assets with one band. ``crs`` is that of the cube, and
    ``resolution`` the size of its pixels; both may be left out where the rasters agree on them. ``bbox`` is in ``crs``,
    or in ``bbox_crs``; without it the cube covers all rasters. Rasters of one time, or with ``solar_day`` of one day at
    their place, are laid over each other in the order of time, the first valid pixel on top. ``resampling`` is one of
    GDAL's. ``masked``, ``scaled``, ``chunks``, ``jobs`` and ``max_bytes`` are those of ``load_geotiffs``.

    Raises ``OptionError`` for a band or a grid that cannot be, and ``LoadError`` for a raster without a place or date.
    """
    given = assets if isinstance(assets, Sequence) else [assets]
    handles = [handle for handle in given if _is_raster(handle.asset)]
    names = (bands,) if isinstance(bands, str) else None if bands is None else tuple(bands)
    if not handles or names == ():
        raise OptionError("there is no GeoTIFF among these assets" if names != () else "bands=(): name at least one")
    options = CubeOptions(
        bands=names, crs=crs, resolution=resolution, bbox=bbox, bbox_crs=bbox_crs, groupby=groupby,
        resampling=resampling, masked=masked, scaled=scaled, chunks=chunks, jobs=jobs, max_bytes=max_bytes,
        engine=engine,
    )  # fmt: skip
    try:
        from splashdown_geotiff._cube import load_rasters
    except ImportError as error:
        raise LoadError("a cube needs odc-geo and rasterio: pip install 'splashdown-geotiff[cube]'") from error
    return load_rasters(handles, options)


def _is_raster(asset: Asset) -> bool:
    """Whether an asset is a raster by its media type, or by the extension of its href or key."""
    kind = (asset.media_type or "").partition(";")[0].strip().lower()
    names = (urlsplit(asset.href).path.lower(), asset.key.lower())
    return any(
        kind in known.media_types or any(name.endswith(known.extensions) for name in names)
        for known in (TIFF, JPEG2000)
    )
