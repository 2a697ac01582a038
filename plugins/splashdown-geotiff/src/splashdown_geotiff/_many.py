"""Many assets as one array: one file per date, or per date and band, to ``(t, band, y, x)``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from splashdown.errors import LoadError, OptionError
from splashdown.protocols import AssetHandle
from splashdown_geotiff._lazy import LazyPixels, lazy_array
from splashdown_geotiff._limits import check_output
from splashdown_geotiff._names import instant
from splashdown_geotiff._options import ArrayOptions, PartOptions, Pixels, split_options
from splashdown_geotiff._raster import GeoTIFF
from splashdown_geotiff._select import Extent, Selection, place_of
from splashdown_geotiff._values import output_type

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """One file, what is read of it, and where that goes."""

    raster: GeoTIFF
    selection: Selection
    time: np.datetime64

    @property
    def bands(self) -> tuple[str | int, ...]:
        return tuple(self.raster.bands[b] for b in self.selection.bands)

    def grid(self) -> dict[str, object]:
        """What has to be the same for pixels to lie on each other."""
        crs, nodata = self.raster.crs, self.raster.nodata
        return {
            "size": f"{self.selection.window.width} x {self.selection.window.height} pixels",
            "CRS": crs,
            "transform": self.selection.transform,
            "ground control": self.raster.control,
            "type": str(self.raster.dtype),
            "nodata": "nan" if nodata is not None and nodata != nodata else nodata,  # noqa: PLR0124
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    """Dates with their pieces, all on one grid; reads what lies between places of ``(t, band, y, x)``."""

    dates: Sequence[Sequence[_Piece]]
    pixels: Pixels
    jobs: int

    @property
    def first(self) -> _Piece:
        return self.dates[0][0]

    @property
    def names(self) -> list[str | int]:
        return [name for piece in self.dates[0] for name in piece.bands]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        size = self.first.selection.window
        return (len(self.dates), len(self.names), size.height, size.width)

    @property
    def dtype(self) -> np.dtype[Any]:
        return output_type(self.first.raster.dtype, masked=self.pixels.masked, scaled=self.pixels.scaled)

    def read(self, dates: Extent, bands: Extent, rows: Extent, columns: Extent) -> NDArray[Any]:
        """Read the files at the same time, each into its place."""
        shape = tuple(last - first for first, last in (dates, bands, rows, columns))
        check_output(math.prod(shape) * self.dtype.itemsize, self.pixels.max_bytes, f"{shape[0]} dates")
        values = np.empty(shape, self.dtype)
        work = list(self._places(values, dates, bands, rows, columns))

        def fill(place: tuple[_Piece, NDArray[Any], Selection]) -> None:
            piece, target, part = place
            piece.raster.fill(target, part, self.pixels)

        if len(work) == 1:
            fill(work[0])
        else:
            with _pool(self.jobs, len(work)) as pool:
                list(pool.map(fill, work))
        return values

    def _places(
        self, values: NDArray[Any], dates: Extent, bands: Extent, rows: Extent, columns: Extent
    ) -> Iterator[tuple[_Piece, NDArray[Any], Selection]]:
        """Each piece with the part of the array that it fills, and what it reads for that."""
        for number, group in enumerate(self.dates[slice(*dates)]):
            at = 0
            for piece in group:
                count = len(piece.selection.bands)
                first, last = max(bands[0] - at, 0), min(bands[1] - at, count)
                if first < last:
                    place = slice(at + first - bands[0], at + last - bands[0])
                    yield piece, values[number, place], piece.selection.part((first, last), rows, columns)
                at += count

    def values(self) -> Any:
        """All pixels, or with ``chunks`` a Dask array of them, of which nothing is read yet."""
        if self.pixels.chunks is None:
            return self.read(*((0, size) for size in self.shape))
        lazy = LazyPixels(self.read, ("t", "band", "y", "x"), self.shape, self.dtype)
        return lazy_array(lazy, self.pixels.chunks, self.first.raster.block)

    def array(self) -> xr.DataArray:
        """The pixels with their coordinates and attributes."""
        import xarray as xr

        values, first = self.values(), self.first
        own = values[0, : len(first.selection.bands)]
        one = first.raster.describe(own, first.selection, self.pixels)
        coords = {name: coord for name, coord in one.coords.items() if name not in {"band", "t"}}
        coords["band"], coords["t"] = self.names, [group[0].time for group in self.dates]
        found = xr.DataArray(values, dims=("t", "band", "y", "x"), coords=coords, attrs=one.attrs)
        found.encoding.update(one.encoding)
        found.name = None  # Dask's own name for its array would be taken else
        return found


def load_many(
    assets: Sequence[AssetHandle],
    *,
    engine: str,
    jobs: int,
    **options: Unpack[ArrayOptions],
) -> xr.DataArray:
    """See ``load_geotiffs``."""
    if not assets:
        raise OptionError("there is no GeoTIFF among these assets")
    if jobs < 1:
        raise OptionError(f"jobs={jobs}: at least one file is read at a time")
    part, pixels = split_options(options)
    bands = part.pop("bands", None)
    wanted = None if bands is None else [bands] if isinstance(bands, str | int) else list(bands)
    with _pool(jobs, len(assets)) as pool:
        rasters = list(pool.map(lambda handle: GeoTIFF(handle, engine=engine), assets))
    pieces = _pieces(rasters, wanted, part)
    _check_grids(pieces)
    return _Series(dates=_by_date(pieces), pixels=pixels, jobs=jobs).array()


def _pool(jobs: int, count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(jobs, count), thread_name_prefix="geotiffs")


def _pieces(rasters: Sequence[GeoTIFF], wanted: list[str | int] | None, part: PartOptions) -> list[_Piece]:
    """The part of each file that is read; one that holds none of the wanted bands is left out."""
    found = []
    for raster in rasters:
        own = None if wanted is None else [b for b in wanted if place_of(raster.bands, b) is not None]
        if own == []:
            continue
        time = instant(raster.asset)
        if time is None:
            raise LoadError(
                f"{raster.label} has no date, neither in its STAC metadata nor in its name: load it with load_geotiff"
            )
        found.append(_Piece(raster=raster, selection=raster.select(**part | PartOptions(bands=own)), time=time))
    if not found:
        known = sorted({str(name) for raster in rasters for name in raster.bands})
        raise OptionError(f"none of the assets has a band of {wanted}; there are {', '.join(known)}")
    return sorted(found, key=lambda piece: (piece.time, piece.raster.label))


def _check_grids(pieces: Sequence[_Piece]) -> None:
    first, grid = pieces[0], pieces[0].grid()
    for piece in pieces[1:]:
        for what, value in piece.grid().items():
            # The files of one job share the object of their CRS: comparing two takes a thousand times longer.
            if value is not grid[what] and value != grid[what]:
                raise LoadError(
                    f"the assets do not share a grid: {what} is {_shown(grid[what])} in {first.raster.label} and"
                    f" {_shown(value)} in {piece.raster.label}; select those that belong together, or load them one"
                    " by one"
                )


def _shown(value: object) -> str:
    return value.to_string() if isinstance(value, CRS) else str(value)


def _by_date(pieces: Sequence[_Piece]) -> list[list[_Piece]]:
    """Pieces of one date side by side; every date has to have the same bands, and each only once."""
    dates: dict[np.datetime64, list[_Piece]] = {}
    for piece in pieces:
        dates.setdefault(piece.time, []).append(piece)
    found = list(dates.values())
    expected = [band for piece in found[0] for band in piece.bands]
    for group in found:
        bands = [band for piece in group for band in piece.bands]
        labels = ", ".join(piece.raster.label for piece in group)
        if len(set(bands)) != len(bands):
            raise LoadError(f"several assets of {group[0].time} hold the same bands ({labels}): select one of them")
        if bands != expected:
            raise LoadError(f"the dates do not have the same bands: {expected} in {found[0][0].raster.label} and"
                            f" {bands} in {labels}")  # fmt: skip
    return found
