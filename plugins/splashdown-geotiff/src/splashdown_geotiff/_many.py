"""Many assets as one array: one file per date, or per date and band, to ``(t, band, y, x)``."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pyproj import CRS

from splashdown.errors import LoadError, OptionError
from splashdown.protocols import AssetHandle
from splashdown_geotiff._limits import check_output
from splashdown_geotiff._names import instant
from splashdown_geotiff._raster import GeoTIFF
from splashdown_geotiff._select import Bands, Selection
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
            "type": str(self.raster.dtype),
            "nodata": "nan" if nodata is not None and nodata != nodata else nodata,  # noqa: PLR0124
        }


def load_many(
    assets: Sequence[AssetHandle],
    *,
    bands: Bands | None,
    masked: bool,
    scaled: bool,
    engine: str,
    max_bytes: int | None,
    jobs: int,
    **place: Any,
) -> xr.DataArray:
    """See ``load_geotiffs``; ``place`` holds what picks level and pixels."""
    if not assets:
        raise OptionError("there is no GeoTIFF among these assets")
    wanted = None if bands is None else [bands] if isinstance(bands, str | int) else list(bands)
    with ThreadPoolExecutor(max(1, min(jobs, len(assets))), thread_name_prefix="geotiffs") as pool:
        rasters = list(pool.map(lambda handle: GeoTIFF(handle, engine=engine), assets))
        pieces = _pieces(rasters, wanted, place)
        _check_grids(pieces)
        dates = _by_date(pieces)
        first = pieces[0]
        dtype = output_type(first.raster.dtype, masked=masked, scaled=scaled)
        names = [name for piece in dates[0] for name in piece.bands]
        size = first.selection.window
        shape = (len(dates), len(names), size.height, size.width)
        check_output(int(np.prod(shape, dtype=object)) * dtype.itemsize, max_bytes, f"{len(assets)} assets")
        values = np.empty(shape, dtype)
        list(pool.map(lambda job: job[0].raster.fill(job[1], job[0].selection, masked=masked, scaled=scaled),
                      _places(dates, values)))  # fmt: skip
    return _assemble(values, dates, names, masked=masked, scaled=scaled)


def _pieces(rasters: Sequence[GeoTIFF], wanted: list[str | int] | None, options: dict[str, Any]) -> list[_Piece]:
    """What is read of each file; one that holds none of the wanted bands is left out."""
    found = []
    for raster in rasters:
        own = None if wanted is None else [b for b in wanted if b in raster.bands or _is_number(b, raster)]
        if own == []:
            continue
        time = instant(raster.asset)
        if time is None:
            raise LoadError(
                f"{raster.label} has no date, neither in its STAC metadata nor in its name: load it with load_geotiff"
            )
        found.append(_Piece(raster=raster, selection=raster.select(bands=own, **options), time=time))
    if not found:
        known = sorted({str(name) for raster in rasters for name in raster.bands})
        raise OptionError(f"none of the assets has a band of {wanted}; there are {', '.join(known)}")
    return sorted(found, key=lambda piece: (piece.time, piece.raster.label))


def _is_number(band: str | int, raster: GeoTIFF) -> bool:
    return isinstance(band, int) and 1 <= band <= len(raster.bands)


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


def _places(dates: Sequence[Sequence[_Piece]], values: np.ndarray[Any, Any]) -> list[tuple[_Piece, Any]]:
    """Each piece with the part of the array that it fills."""
    found = []
    for number, group in enumerate(dates):
        at = 0
        for piece in group:
            found.append((piece, values[number, at : at + len(piece.selection.bands)]))
            at += len(piece.selection.bands)
    return found


def _assemble(
    values: np.ndarray[Any, Any],
    dates: Sequence[Sequence[_Piece]],
    names: Sequence[str | int],
    *,
    masked: bool,
    scaled: bool,
) -> xr.DataArray:
    import xarray as xr

    first = dates[0][0]
    one = first.raster.describe(values[0, : len(first.selection.bands)], first.selection, masked=masked, scaled=scaled)
    coords = {name: coord for name, coord in one.coords.items() if name not in {"band", "t"}}
    coords["band"], coords["t"] = list(names), [group[0].time for group in dates]
    found = xr.DataArray(values, dims=("t", "band", "y", "x"), coords=coords, attrs=one.attrs)
    found.encoding.update(one.encoding)
    return found
