"""Rasters of any grids as one cube: each is put on the grid that the user names, by GDAL's warp as odc-geo calls it.

Where odc-stac and stackstac agree, so does this: pixels snap to multiples of the resolution, files of one date and band
are laid over each other with the first valid pixel on top, and overviews are used where they suffice.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from odc.geo.overlap import compute_reproject_roi
from odc.geo.warp import rio_reproject
from odc.geo.xr import xr_coords
from rasterio.enums import Resampling
from rasterio.errors import NotGeoreferencedWarning

from splashdown.errors import OptionError
from splashdown.protocols import AssetHandle
from splashdown.redact import safely_shown
from splashdown_geotiff._cube_grid import Piece, by_date, cube_grid, may_hold, pieces_of
from splashdown_geotiff._lazy import LazyPixels, lazy_array
from splashdown_geotiff._limits import check_output
from splashdown_geotiff._options import CubeOptions
from splashdown_geotiff._raster import GeoTIFF
from splashdown_geotiff._select import Extent
from splashdown_geotiff._values import output_type

if TYPE_CHECKING:
    import xarray as xr

#: Blocks of a lazy cube, unless the caller says otherwise.
_BLOCK = (1024, 1024)
#: Pixels around a part that the widest kernel (Lanczos) looks at.
_KERNEL = 4
_SMALLER = "narrow it (bbox=, bands=, resolution=), read lazily (chunks={}), or raise max_bytes"


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Layer:
    """One band of the cube: what lies over each other, by date, on its way to one grid."""

    grid: GeoBox
    dates: Sequence[Sequence[Piece]]
    dtype: np.dtype[Any]
    nodata: float | None  #: where there is no data; 0 stands there where no raster names a value
    options: CubeOptions

    @property
    def shape(self) -> tuple[int, int, int]:
        """Dates, rows and columns."""
        rows, columns = self.grid.shape
        return (len(self.dates), rows, columns)

    def read(self, dates: Extent, rows: Extent, columns: Extent) -> NDArray[Any]:
        """The pixels between these places, each first and one past the last."""
        grid = self.grid[slice(*rows), slice(*columns)]
        groups = self.dates[slice(*dates)]
        out = np.full((len(groups), *grid.shape), 0 if self.nodata is None else self.nodata, self.dtype)
        work = [(number, piece) for number, group in enumerate(groups) for piece in group]
        with (
            warnings.catch_warnings(),
            ThreadPoolExecutor(min(self.options.jobs, len(work) or 1), thread_name_prefix="cube") as pool,
        ):
            # About arrays in memory, which get their place from the grids: of a raster without one there is no piece.
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            warped = pool.map(lambda one: self._warped(one[1], grid), work)
            free = np.ones(out.shape, bool)
            for (number, _), found in zip(work, warped, strict=True):
                if found is not None:
                    values, valid = found
                    taken = valid & free[number]
                    np.copyto(out[number], values, where=taken)
                    free[number] &= ~taken
        return out

    def _warped(self, piece: Piece, grid: GeoBox) -> tuple[NDArray[Any], NDArray[np.bool_]] | None:
        """The pixels of a piece on a grid, and which of them are valid; ``None`` for one that lies beside it."""
        source, raster, exact = piece.grid, piece.raster, self.options.resampling == "nearest"
        way = compute_reproject_roi(source, grid, padding=None if exact else _KERNEL)
        rows, columns = way.roi_src
        height, width = rows.stop - rows.start, columns.stop - columns.start
        if height <= 0 or width <= 0:
            return None
        window = (columns.start, rows.start, width, height)
        level = _level(raster, way.read_shrink)
        if level is not None:
            window = _window_at(raster, level, window)
        selection = raster.select(bands=[piece.band], window=window, overview=level)
        assert selection.transform is not None  # the raster has one, or it would not have a grid
        stored = raster.read_numpy(
            bands=[piece.band], window=window, overview=level, masked=True, scaled=self.options.scaled
        )
        place = GeoBox(stored.shape[1:], Affine(*selection.transform), source.crs)
        pixels, valid = np.ma.getdata(stored)[0], ~np.ma.getmaskarray(stored)[0]
        return self._nearest(pixels, valid, place, grid) if exact else self._mixed(pixels, valid, place, grid)

    def _nearest(
        self, pixels: NDArray[Any], valid: NDArray[np.bool_], place: GeoBox, grid: GeoBox
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Values as they are stored, of any type, with a mask that is moved the same way."""
        values, shown = np.zeros(grid.shape, self.dtype), np.zeros(grid.shape, np.uint8)
        pixels = pixels.astype(self.dtype)
        if self.dtype.kind in "iu" and self.dtype.itemsize == 8:
            # GDAL moves numbers as floats of 64 bits, which hold integers of 53: each half is moved on its own.
            for source, target in zip(_halves(pixels), _halves(values), strict=True):
                moved = np.zeros(grid.shape, np.uint32)
                rio_reproject(np.ascontiguousarray(source), moved, place, grid, "nearest")
                target[...] = moved
        else:
            rio_reproject(pixels, values, place, grid, "nearest")
        rio_reproject(valid.astype(np.uint8), shown, place, grid, "nearest", src_nodata=0, dst_nodata=0)
        return values, shown.astype(bool)

    def _mixed(
        self, pixels: NDArray[Any], valid: NDArray[np.bool_], place: GeoBox, grid: GeoBox
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Values put together from several pixels, of which those without data do not count."""
        kind = output_type(self.dtype, masked=True, scaled=False)
        mixed = np.full(grid.shape, np.nan, kind)
        known = np.where(valid, pixels, np.nan).astype(kind)
        rio_reproject(known, mixed, place, grid, self.options.resampling, src_nodata=np.nan, dst_nodata=np.nan)
        good = ~np.isnan(mixed)
        if self.dtype.kind in "iu":
            mixed = np.rint(np.where(good, mixed, 0))
            return _as_integers(mixed, self.dtype), good
        return mixed.astype(self.dtype), good


def _halves(values: NDArray[Any]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Both halves of integers of 64 bits, as views."""
    parts = np.ascontiguousarray(values).view(np.uint32)
    return parts[..., ::2], parts[..., 1::2]


def _as_integers(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Whole numbers as integers, cut at what the type holds; the largest of 64 bits is not a float."""
    limits = np.iinfo(dtype)
    above, below = values >= float(limits.max), values <= float(limits.min)
    found = np.where(above | below, 0, values).astype(dtype)
    found[above], found[below] = limits.max, limits.min
    return found


def load_rasters(assets: Sequence[AssetHandle], options: CubeOptions) -> xr.Dataset:
    """See ``load_cube``."""
    import xarray as xr

    if options.resampling not in Resampling.__members__:
        raise OptionError(f"resampling={options.resampling!r}: there are {', '.join(Resampling.__members__)}")
    chosen = [handle for handle in assets if may_hold(handle.asset, options.bands)]
    with ThreadPoolExecutor(min(options.jobs, len(chosen) or 1), thread_name_prefix="cube") as pool:
        rasters = list(pool.map(lambda handle: GeoTIFF(handle, engine=options.engine), chosen))
    pieces = pieces_of(rasters, options.bands)
    grid = cube_grid(pieces, options)
    dates = by_date(pieces, options.groupby)
    names = options.bands or tuple(dict.fromkeys(piece.name for piece in pieces))
    layers = {name: _layer(grid, [[one for one in date if one.name == name] for date in dates], options)
              for name in names}  # fmt: skip
    variables = {name: (("time", "y", "x"), *_values(layer, options, len(names))) for name, layer in layers.items()}
    times = [date[0].time for date in dates]
    cube = xr.Dataset(variables, coords={**xr_coords(grid, always_yx=True), "time": times})
    for name in names:
        cube[name].encoding["grid_mapping"] = "spatial_ref"
    return cube


def _layer(grid: GeoBox, dates: Sequence[Sequence[Piece]], options: CubeOptions) -> Layer:
    """One band: its type holds the values of all its rasters."""
    rasters = [piece.raster for date in dates for piece in date]
    stored = np.result_type(*(raster.dtype for raster in rasters))
    wide = {str(raster.dtype) for raster in rasters if raster.dtype.kind in "iu" and raster.dtype.itemsize == 8}
    if wide and stored.kind == "f" and not (options.masked or options.scaled):
        raise OptionError(
            f"no type holds the pixels of {' and '.join(sorted({str(raster.dtype) for raster in rasters}))} exactly:"
            " select rasters of one type, or pass masked=True to take float64"
        )
    dtype = output_type(stored, masked=options.masked, scaled=options.scaled)
    marks = (raster.nodata for raster in rasters if raster.nodata is not None and not options.masked)
    nodata = None if options.scaled else next(marks, None)
    if nodata is None and dtype.kind in "fc":
        nodata = math.nan
    return Layer(grid=grid, dates=dates, dtype=dtype, nodata=nodata, options=options)


def _values(layer: Layer, options: CubeOptions, count: int) -> tuple[Any, Mapping[str, Any]]:
    """The pixels of a band, now or lazily, and its attributes."""
    attributes = {} if layer.nodata is None or math.isnan(layer.nodata) else {"_FillValue": layer.nodata}
    if options.chunks is not None:
        lazy = LazyPixels(layer.read, ("time", "y", "x"), layer.shape, layer.dtype)
        chunks = {"time": 1, **options.chunks} if isinstance(options.chunks, Mapping) else options.chunks
        return lazy_array(lazy, chunks, _BLOCK), attributes
    size = math.prod(layer.shape) * layer.dtype.itemsize * count
    check_output(size, options.max_bytes, f"a cube of {' x '.join(map(str, layer.shape))} pixels", _SMALLER)
    return layer.read(*((0, size) for size in layer.shape)), attributes


def _level(raster: GeoTIFF, shrink: int) -> int | None:
    """The coarsest overview that has a pixel for each of the cube; ``None`` for full resolution."""
    full = raster.shape[2]
    fitting = [place for place, (width, _) in enumerate(raster.overviews) if full / width <= shrink + 0.5]
    return fitting[-1] if fitting else None


def _window_at(raster: GeoTIFF, level: int, window: Sequence[int]) -> tuple[int, int, int, int]:
    """The pixels of an overview that cover a window of full resolution."""
    (width, height), (_, full_height, full_width) = raster.overviews[level], raster.shape
    column, last_column = _cover(window[0], window[2], width, full_width)
    row, last_row = _cover(window[1], window[3], height, full_height)
    return column, row, last_column - column, last_row - row


def _cover(first: int, count: int, size: int, full: int) -> Extent:
    return first * size // full, min(size, -(-(first + count) * size // full))
