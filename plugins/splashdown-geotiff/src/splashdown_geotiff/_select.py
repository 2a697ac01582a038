"""From what a user asks (bands, box, window, level) to levels, pixels and band numbers. No pixel is read here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

from splashdown.errors import LoadError, OptionError, did_you_mean
from splashdown_geotiff._georeference import Transform
from splashdown_geotiff._header import Header
from splashdown_geotiff._plan import Window


class BesideError(LoadError):
    """A box that does not touch the raster."""


Bands = str | int | Iterable[str | int]
Box = Sequence[float]
#: First and one past last.
Extent = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What will be read. ``bands`` count from 0; ``window`` is in pixels of ``level``, ``transform`` the window's."""

    level: int
    window: Window
    bands: tuple[int, ...]
    transform: Transform | None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Bands, rows and columns."""
        return (len(self.bands), self.window.height, self.window.width)

    def part(self, bands: Extent, rows: Extent, columns: Extent) -> Selection:
        """What lies between these places of the selection, each first and one past last. It has no transform."""
        (row, last_row), (column, last_column) = rows, columns
        window = Window(self.window.column + column, self.window.row + row, last_column - column, last_row - row)
        return Selection(level=self.level, window=window, bands=self.bands[slice(*bands)], transform=None)


def select(
    header: Header,
    names: Sequence[str | int],
    *,
    bands: Bands | None = None,
    bbox: Box | None = None,
    bbox_crs: object = None,
    window: Sequence[int] | None = None,
    overview: int | None = None,
    resolution: float | None = None,
) -> Selection:
    """Settle a read. Raises ``OptionError`` for what makes no sense and ``LoadError`` for a box beside the raster."""
    if bbox is not None and window is not None:
        raise OptionError("bbox= and window= exclude each other: pass one")
    if bbox_crs is not None and bbox is None:
        raise OptionError("bbox_crs= says what the numbers of bbox= mean: pass that, too")
    if overview is not None and resolution is not None:
        raise OptionError("overview= and resolution= exclude each other: pass one")
    level = _level(header, overview, resolution)
    width, height = header.levels[level]
    transform = level_transform(header, level)
    if window is not None:
        chosen = _checked(window, width, height)
    elif bbox is not None:
        chosen = _window_of(header, transform, bbox, bbox_crs, width, height)
    else:
        chosen = Window(0, 0, width, height)
    return Selection(
        level=level,
        window=chosen,
        bands=_numbers(names, bands),
        transform=None if transform is None else transform.moved(chosen.column, chosen.row),
    )


def level_transform(header: Header, level: int) -> Transform | None:
    """The transform of an overview: the same area in fewer pixels."""
    if header.transform is None:
        return None
    (full_width, full_height), (width, height) = header.levels[0], header.levels[level]
    return header.transform.scaled(full_width / width, full_height / height)


def _level(header: Header, overview: int | None, resolution: float | None) -> int:
    overviews = len(header.levels) - 1
    if overview is not None:
        if not 0 <= overview < overviews:
            raise OptionError(f"overview={overview}: this file has {overviews} overviews, counted from 0 (the finest)")
        return overview + 1
    if resolution is None:
        return 0
    if header.transform is None:
        raise OptionError("resolution=: this file does not say how large its pixels are; pass overview=")
    if not resolution > 0:
        raise OptionError(f"resolution={resolution}: it is a size of pixels, in the units of the raster's CRS")
    fine = [level for level in range(len(header.levels)) if _pixel_size(header, level) <= resolution * (1 + 1e-6)]
    return max(fine, default=0)


def _pixel_size(header: Header, level: int) -> float:
    transform = level_transform(header, level)
    assert transform is not None
    return max(math.hypot(transform.a, transform.d), math.hypot(transform.b, transform.e))


def _checked(window: Sequence[int], width: int, height: int) -> Window:
    try:
        column, row, across, down = (int(v) for v in window)
    except (TypeError, ValueError):
        raise OptionError(f"window={window!r}: pass (column, row, width, height) in pixels") from None
    if column < 0 or row < 0 or across < 1 or down < 1 or column + across > width or row + down > height:
        raise OptionError(f"window={tuple(window)} is not within the raster of {width} x {height} pixels")
    return Window(column, row, across, down)


def _window_of(
    header: Header, transform: Transform | None, bbox: Box, bbox_crs: object, width: int, height: int
) -> Window:
    """All pixels that a box touches."""
    if transform is None:
        raise OptionError("bbox=: this file does not say where it lies; pass window=")
    box = _in_raster_crs(header, _four(bbox), bbox_crs)
    west, south, east, north = _beside_the_antimeridian(header, transform, box, (width, height))
    corners = [transform.inverse(x, y) for x in (west, east) for y in (south, north)]
    columns, rows = zip(*corners, strict=True)
    if not all(map(math.isfinite, (*columns, *rows))):
        raise LoadError(f"bbox={tuple(bbox)} is too far from the raster to be counted in its pixels")
    # A box that ends on a pixel's edge does not touch the next pixel; coordinates are rarely that exact.
    first_column, last_column = math.floor(min(columns) + 1e-6), math.ceil(max(columns) - 1e-6)
    first_row, last_row = math.floor(min(rows) + 1e-6), math.ceil(max(rows) - 1e-6)
    left, top = max(first_column, 0), max(first_row, 0)
    right, bottom = min(max(last_column, first_column + 1), width), min(max(last_row, first_row + 1), height)
    if left >= right or top >= bottom:
        raise BesideError(_beside(header, transform.bounds(width, height), bbox, bbox_crs))
    return Window(left, top, right - left, bottom - top)


def _beside(header: Header, bounds: tuple[float, float, float, float], bbox: Box, bbox_crs: object) -> str:
    """The error for a box beside the raster: where that lies, in the coordinates of the box."""
    if bbox_crs is not None and header.crs is not None:
        back = Transformer.from_crs(header.crs, CRS.from_user_input(bbox_crs), always_xy=True)
        bounds, where = back.transform_bounds(*bounds), str(bbox_crs)
    else:
        where = "its own CRS" if header.crs is None else header.crs.to_string()
    text = f"bbox={tuple(bbox)} does not touch the raster, which spans {tuple(round(v, 6) for v in bounds)} in {where}"
    degrees = all(abs(v) <= limit for v, limit in zip(bbox, (180, 90, 180, 90), strict=True))
    if bbox_crs is None and degrees and header.crs is not None and not header.crs.is_geographic:
        text += '; for a box in degrees pass bbox_crs="EPSG:4326"'
    return text


def _four(bbox: Box) -> tuple[float, float, float, float]:
    try:
        west, south, east, north = (float(v) for v in bbox)
    except (TypeError, ValueError):
        raise OptionError(f"bbox={bbox!r}: pass (west, south, east, north)") from None
    around = -180 <= east < west <= 180  # across the antimeridian, as GeoJSON writes it
    if not (math.isfinite(west + south + east + north) and (west <= east or around) and south <= north):
        raise OptionError(f"bbox={tuple(bbox)}: west has to be below east and south below north")
    return west, south, east, north


def _beside_the_antimeridian(
    header: Header, transform: Transform, box: tuple[float, float, float, float], size: tuple[int, int]
) -> tuple[float, float, float, float]:
    """A box of degrees by the longitudes of the raster, which may be those from 0 to 360.

    Raises ``OptionError`` for one whose halves lie at both ends of the raster.
    """
    west, south, east, north = box
    if not _in_degrees(header.crs):
        if west > east:
            raise OptionError(f"bbox={box}: west has to be below east in the raster's CRS; pass bbox_crs=")
        return box
    whole = east + 360 if west > east else east
    left, _, right, _ = transform.bounds(*size)
    turns = [turn for turn in (0, 360, -360) if west + turn < right and whole + turn > left]
    if west > east and len(turns) > 1:
        raise OptionError(
            f"bbox={box}: it lies at both ends of the raster, on both sides of the antimeridian; read its halves,"
            f" {(west, south, 180.0, north)} and {(-180.0, south, east, north)}, and join them"
        )
    turn = turns[0] if turns else 0
    return west + turn, south, whole + turn, north


def _in_degrees(crs: CRS | None) -> bool:
    return crs is not None and crs.is_geographic and all(a.unit_name == "degree" for a in crs.axis_info[:2])


def _in_raster_crs(
    header: Header, bbox: tuple[float, float, float, float], bbox_crs: object
) -> tuple[float, float, float, float]:
    if bbox_crs is None:
        return bbox
    try:
        given = CRS.from_user_input(bbox_crs)
    except ProjError as error:
        raise OptionError(f"bbox_crs={bbox_crs!r} is not a coordinate reference system ({error})") from error
    if header.crs is None:
        raise OptionError("bbox_crs=: this file does not name its own CRS; pass the box in its coordinates")
    if given == header.crs or (bbox[0] > bbox[2] and _in_degrees(given) and _in_degrees(header.crs)):
        return bbox
    try:
        found: Any = Transformer.from_crs(given, header.crs, always_xy=True).transform_bounds(*bbox)
    except ProjError as error:
        raise LoadError(f"bbox={bbox} cannot be expressed in the raster's CRS ({header.crs.name})") from error
    if not all(math.isfinite(v) for v in found):
        raise LoadError(f"bbox={bbox} cannot be expressed in the raster's CRS ({header.crs.name})")
    return (float(found[0]), float(found[1]), float(found[2]), float(found[3]))


def _numbers(names: Sequence[str | int], bands: Bands | None) -> tuple[int, ...]:
    if bands is None:
        return tuple(range(len(names)))
    wanted = [bands] if isinstance(bands, str | int) else list(bands)
    found = [_number(names, band) for band in wanted]
    if not found or len(set(found)) != len(found):
        raise OptionError(f"bands={wanted!r}: name each wanted band once")
    return tuple(found)


def place_of(names: Sequence[str | int], band: str | int) -> int | None:
    """Where a band stands, from 0; ``None`` for one that is not there. A number may be written as text."""
    if isinstance(band, str) and band in names:
        return list(names).index(band)
    number = int(band) if isinstance(band, int) or (band.isascii() and band.isdigit()) else 0
    return number - 1 if 1 <= number <= len(names) else None


def _number(names: Sequence[str | int], band: str | int) -> int:
    """A band by name, or by its number from 1."""
    if isinstance(band, str) and list(names).count(band) > 1:
        raise OptionError(f"band {band!r} is there more than once; name it by its number, from 1")
    place = place_of(names, band)
    if place is not None:
        return place
    advice = did_you_mean(str(band), map(str, names)) or f"; there are {', '.join(map(str, names))}"
    raise OptionError(f"no band {band!r}{advice}")
