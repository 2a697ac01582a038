"""What goes into a cube: which band of which raster, on which grid, and what belongs to one date."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox
from odc.geo.types import xy_
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from splashdown.errors import LoadError, OptionError, error_text
from splashdown.model import Asset
from splashdown.redact import safely_shown
from splashdown_geotiff._around import in_degrees
from splashdown_geotiff._names import instant
from splashdown_geotiff._options import CubeOptions
from splashdown_geotiff._raster import GeoTIFF

Box = tuple[float, float, float, float]
#: Points along each side of a box that goes to another CRS.
_SIDE = 21


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Piece:
    """One band of one raster."""

    raster: GeoTIFF
    band: int  #: from 1
    name: str
    time: np.datetime64
    grid: GeoBox  #: its pixels at full resolution


def may_hold(asset: Asset, wanted: Sequence[str] | None) -> bool:
    """Whether an asset may have one of the bands; one whose metadata name others is not even opened."""
    if wanted is None or asset.key in wanted:
        return True
    names = [name for band in _described(asset) for name in _aliases(band)]
    return not names or not set(names).isdisjoint(wanted)


def pieces_of(rasters: Iterable[GeoTIFF], wanted: Sequence[str] | None) -> list[Piece]:
    """The bands that are read, by date. Raises ``OptionError`` for one that no raster has."""
    found, known = [], dict[str, None]()
    for raster in rasters:
        for number, names in enumerate(_names(raster), 1):
            known[names[0]] = None
            name = names[0] if wanted is None else next((one for one in wanted if one in names), None)
            if name is not None:
                found.append(Piece(raster=raster, band=number, name=name, time=_time(raster), grid=_grid_of(raster)))
    missing = [one for one in wanted or () if one not in {piece.name for piece in found}]
    if missing or not found:
        raise OptionError(f"none of the assets has the band {', '.join(missing)}; there are {', '.join(known)}")
    return sorted(found, key=lambda piece: (piece.time, piece.raster.label))


def cube_grid(pieces: Sequence[Piece], options: CubeOptions) -> GeoBox:
    """The grid of the cube, as far as the options leave it open that of the rasters."""
    crs = _crs_of(pieces, options.crs)
    own = [piece.grid for piece in pieces if piece.raster.crs == crs]
    anchor: Any = "edge"
    resolution = options.resolution
    if resolution is None:
        if not own:
            raise OptionError(f"no raster is in {crs.to_string()}: say how large a pixel is with resolution=")
        finest = min(own, key=lambda grid: abs(grid.affine.a))
        resolution = abs(finest.affine.a)
        # The pixels of the cube are those of the finest raster, wherever its grid begins.
        anchor = xy_((finest.affine.c / resolution) % 1, (finest.affine.f / resolution) % 1)
    if not resolution > 0:
        raise OptionError(f"resolution={resolution}: it has to be more than 0")
    box = _box(options, crs) if options.bbox is not None else _whole(pieces, crs)
    return GeoBox.from_bbox(box, crs.to_wkt(), resolution=resolution, anchor=anchor)


def by_date(pieces: Sequence[Piece], groupby: str) -> list[list[Piece]]:
    """What lies over each other: of one time, or of one day at the place (by the sun)."""
    groups: dict[np.datetime64, list[Piece]] = {}
    for piece in pieces:
        time = piece.time
        if groupby == "solar_day":
            time = (time + np.timedelta64(round(_longitude(piece) * 240), "s")).astype("M8[D]")
        groups.setdefault(time, []).append(piece)
    return list(groups.values())


def _names(raster: GeoTIFF) -> Iterator[list[str]]:
    """The names of each band, the one to show first."""
    described, key, count = _described(raster.asset), raster.asset.key, len(raster.bands)
    for place, name in enumerate(raster.bands):
        own = _aliases(described[place]) if len(described) == count else []
        shown = [name] if isinstance(name, str) else [key if count == 1 else f"{key}.{name}"]
        yield [*shown, *own, *([key] if count == 1 else [f"{key}.{place + 1}"])]


def _described(asset: Asset) -> Sequence[Mapping[str, Any]]:
    for key in ("bands", "eo:bands"):
        bands = asset.metadata.get(key)
        if isinstance(bands, Sequence) and bands and all(isinstance(band, Mapping) for band in bands):
            return bands
    return ()


def _aliases(band: Mapping[str, Any]) -> list[str]:
    named = (band.get(key) for key in ("name", "common_name", "eo:common_name"))
    return [name for name in named if isinstance(name, str)]


def _time(raster: GeoTIFF) -> np.datetime64:
    time = instant(raster.asset)
    if time is None:
        raise LoadError(f"{raster.label} has no date, neither in its STAC metadata nor in its name")
    return time


def _grid_of(raster: GeoTIFF) -> GeoBox:
    if raster.transform is None or raster.crs is None:
        raise LoadError(f"{raster.label} has no place that a cube could use: it needs a CRS and a transform")
    return GeoBox(raster.shape[1:], Affine(*raster.transform), raster.crs.to_wkt())


def _crs_of(pieces: Sequence[Piece], given: object) -> CRS:
    if given is not None:
        return _crs(given, "crs")
    found = list(dict.fromkeys(piece.raster.crs for piece in pieces))
    if len(found) > 1:
        raise OptionError(
            f"the rasters are in several CRS ({', '.join(crs.to_string() for crs in found if crs)}): choose that of the"
            " cube with crs="
        )
    assert found[0] is not None  # else it would not have a grid
    return found[0]


def _crs(given: object, option: str) -> CRS:
    try:
        return CRS.from_user_input(given)
    except CRSError as error:
        raise OptionError(f"{option}={given!r} is not a CRS that PROJ knows ({error_text(error)})") from error


def _box(options: CubeOptions, crs: CRS) -> Box:
    try:
        west, south, east, north = (float(value) for value in options.bbox or ())
    except (TypeError, ValueError):
        raise OptionError(f"bbox={options.bbox!r}: pass west, south, east, north") from None
    given = None if options.bbox_crs is None else _crs(options.bbox_crs, "bbox_crs")
    across = -180 <= east < west <= 180 and in_degrees(given or crs)
    if across and in_degrees(crs):
        raise OptionError(
            f"bbox={options.bbox!r}: a cube in degrees cannot cross the antimeridian; choose a CRS of the place, for"
            ' example crs="EPSG:3832", and say bbox_crs="EPSG:4326"'
        )
    if not ((west < east or across) and south < north):
        raise OptionError(f"bbox={options.bbox!r}: west has to be smaller than east, and south than north")
    box = (west, south, east, north)
    return box if given is None else _moved(box, given, crs)


def _whole(pieces: Sequence[Piece], crs: CRS) -> Box:
    """The box around all rasters."""
    seen: dict[tuple[object, object], Box] = {}
    for piece in pieces:
        bounds, own = piece.raster.bounds, piece.raster.crs
        if bounds is not None and own is not None and (own, bounds) not in seen:
            seen[own, bounds] = bounds if own == crs else _moved(bounds, own, crs)
    sides = list(zip(*seen.values(), strict=True))
    return min(sides[0]), min(sides[1]), max(sides[2]), max(sides[3])


def _moved(box: Box, source: CRS, target: CRS) -> Box:
    try:
        moved = Transformer.from_crs(source, target, always_xy=True).transform_bounds(*box, _SIDE, errcheck=True)
    except ProjError as error:
        raise OptionError(f"the box {box} cannot be expressed in {target.to_string()} ({error_text(error)})") from error
    west, south, east, north = moved
    return west, south, east, north


def _longitude(piece: Piece) -> float:
    """The longitude of the middle of a raster, in degrees."""
    bounds, crs = piece.raster.bounds, piece.raster.crs
    assert bounds is not None  # it has a grid
    assert crs is not None
    west, _, east, _ = _moved(bounds, crs, CRS.from_epsg(4326))
    middle = (west + east) / 2 if west <= east else (west + east + 360) / 2
    return (middle + 180) % 360 - 180
