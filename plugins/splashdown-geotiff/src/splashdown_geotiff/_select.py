"""From what a user asks (bands, box, window, level) to levels, pixels and band numbers. No pixel is read here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

from splashdown.errors import LoadError, OptionError, did_you_mean
from splashdown_geotiff._around import CIRCLE, in_degrees, is_around
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
    west, south, east, north = _by_longitudes(header, transform, box, (width, height))
    corners = [transform.inverse(x, y) for x in (west, east) for y in (south, north)]
    columns, rows = zip(*corners, strict=True)
    if not all(map(math.isfinite, (*columns, *rows))):
        raise LoadError(f"bbox={tuple(bbox)} is too far from the raster to be counted in its pixels")
    # A box that ends on a pixel's edge does not touch the next pixel; coordinates are rarely that exact.
    first_column, last_column = math.floor(min(columns) + 1e-6), math.ceil(max(columns) - 1e-6)
    first_row, last_row = math.floor(min(rows) + 1e-6), math.ceil(max(rows) - 1e-6)
    most = width
    if is_around(header):
        turned = first_column // width * width
        first_column, last_column = first_column - turned, last_column - turned
        most = max(width, min(last_column, first_column + width))
    left, top = max(first_column, 0), max(first_row, 0)
    right, bottom = min(max(last_column, first_column + 1), most), min(max(last_row, first_row + 1), height)
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


def _by_longitudes(
    header: Header, transform: Transform, box: tuple[float, float, float, float], size: tuple[int, int]
) -> tuple[float, float, float, float]:
    """A box of degrees by the longitudes of the raster, which may be those from 0 to 360.

    On a raster that goes once around the earth it may end beyond the last column. Raises ``OptionError`` for one whose
    halves lie at both ends of another raster.
    """
    west, south, east, north = box
    if not in_degrees(header.crs):
        if west > east:
            raise OptionError(f"bbox={box}: west has to be below east in the raster's CRS; pass bbox_crs=")
        return box
    whole = east + CIRCLE if west > east else east
    left, _, right, _ = transform.bounds(*size)
    if is_around(header):
        if whole - west >= CIRCLE:  # all of it, in its own order
            return left, south, right, north
        first = left + (west - left) % CIRCLE
        return first, south, first + whole - west, north
    turns = [turn for turn in (0, CIRCLE, -CIRCLE) if west + turn < right and whole + turn > left]
    if west > east and len(turns) > 1:
        raise _both_ends(box)
    turn = turns[0] if turns else 0
    return west + turn, south, whole + turn, north


def _both_ends(box: tuple[float, float, float, float]) -> OptionError:
    west, south, east, north = box
    return OptionError(
        f"bbox={box}: it lies at both ends of the raster, on both sides of the antimeridian; read its halves,"
        f" {(west, south, 180.0, north)} and {(-180.0, south, east, north)}, and join them"
    )


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
    if given == header.crs or (bbox[0] > bbox[2] and in_degrees(given) and in_degrees(header.crs)):
        return bbox
    try:
        transformer = Transformer.from_crs(given, header.crs, always_xy=True)
        found: Any = transformer.transform_bounds(*bbox)
        halves: Any = _halves(bbox, transformer) if bbox[0] > bbox[2] and in_degrees(given) else None
    except ProjError as error:
        raise LoadError(f"bbox={bbox} cannot be expressed in the raster's CRS ({header.crs.name})") from error
    if not all(math.isfinite(v) for v in found):
        raise LoadError(f"bbox={bbox} cannot be expressed in the raster's CRS ({header.crs.name})")
    if halves and halves[1][2] < halves[0][0] and header.transform is not None:
        # One of a map of the world: the box around both halves would be the whole map.
        left, _, right, _ = header.transform.bounds(*header.levels[0])
        touched = [half for half in halves if half[0] < right and half[2] > left]
        if len(touched) == 2:
            raise _both_ends(bbox)
        found = touched[0] if touched else found
    return (float(found[0]), float(found[1]), float(found[2]), float(found[3]))


def _halves(bbox: tuple[float, float, float, float], transformer: Transformer) -> list[Any]:
    """The parts of a box on both sides of the antimeridian, in another CRS."""
    west, south, east, north = bbox
    return [transformer.transform_bounds(w, south, e, north) for w, e in ((west, 180.0), (-180.0, east))]


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
