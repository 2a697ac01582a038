"""Where the pixels lie: the affine transform and the GeoTIFF keys (OGC 19-008r4)."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import NamedTuple

from splashdown_geotiff._directory import Directory
from splashdown_geotiff._limits import TAG_BYTES

TIEPOINTS = 33922
_SCALE, _MATRIX = 33550, 34264
_KEYS, _DOUBLES, _ASCII = 34735, 34736, 34737
_RASTER_TYPE, _PIXEL_IS_POINT = 1025, 2
#: From the centre of a pixel to its corner.
POINT_SHIFT = 0.5

Keys = Mapping[int, "int | float | str | tuple[float, ...]"]


class Transform(NamedTuple):
    """``x = a * column + b * row + c``, ``y = d * column + e * row + f``; as STAC's ``proj:transform`` orders it."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    @property
    def rectilinear(self) -> bool:
        """Whether rows and columns run along the axes."""
        return self.b == 0 and self.d == 0

    @property
    def usable(self) -> bool:
        """Whether it can be turned around, in floating point too."""
        determinant = self.a * self.e - self.b * self.d
        return all(map(math.isfinite, self)) and math.isfinite(determinant) and determinant != 0

    def at(self, column: float, row: float) -> tuple[float, float]:
        """Coordinates of a place in the raster; whole numbers are corners of pixels."""
        return (self.a * column + self.b * row + self.c, self.d * column + self.e * row + self.f)

    def inverse(self, x: float, y: float) -> tuple[float, float]:
        """Column and row of a place on the ground."""
        determinant = self.a * self.e - self.b * self.d
        dx, dy = x - self.c, y - self.f
        return ((self.e * dx - self.b * dy) / determinant, (self.a * dy - self.d * dx) / determinant)

    def moved(self, column: float, row: float) -> Transform:
        """The same grid with another first pixel."""
        x, y = self.at(column, row)
        return self._replace(c=x, f=y)

    def scaled(self, across: float, down: float) -> Transform:
        """The same area in pixels that are so many times larger."""
        return Transform(self.a * across, self.b * down, self.c, self.d * across, self.e * down, self.f)

    def bounds(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Left, bottom, right, top of an area of pixels."""
        corners = [self.at(c, r) for c in (0, width) for r in (0, height)]
        xs, ys = zip(*corners, strict=True)
        return (min(xs), min(ys), max(xs), max(ys))


def read_transform(directory: Directory, keys: Keys, label: str) -> Transform | None:
    """The transform of the pixels' corners; ``None`` where the file has none (or only ground control points)."""
    scale, ties, matrix = (directory.numbers(tag, TAG_BYTES) for tag in (_SCALE, TIEPOINTS, _MATRIX))
    if len(scale) >= 2 and len(ties) >= 6:
        column, row, _, x, y = ties[:5]
        down = _downwards(scale[1], label)
        found = Transform(scale[0], 0.0, x - column * scale[0], 0.0, -down, y + row * down)
    elif len(matrix) >= 8:
        found = Transform(matrix[0], matrix[1], matrix[3], matrix[4], matrix[5], matrix[7])
    else:
        return None
    if not found.usable:
        return None
    return found.moved(-POINT_SHIFT, -POINT_SHIFT) if is_point(keys) else found


def _downwards(scale: float, label: str) -> float:
    """The height of a pixel. Who writes a negative one means a raster from north to south, and GDAL reads it so."""
    if scale < 0:
        warnings.warn(
            f"{label}: the height of its pixels is negative ({scale:g}), by which its first row would be the southern"
            " one (OGC 19-008r4, ModelPixelScaleTag); it is read from north to south, as GDAL reads it",
            stacklevel=5,
        )
    return abs(scale)


def is_point(keys: Keys) -> bool:
    """Whether places in the file are those of the pixels' centres."""
    return keys.get(_RASTER_TYPE) == _PIXEL_IS_POINT


def read_keys(directory: Directory) -> Keys:
    """The GeoTIFF keys by number (OGC 19-008r4, section 7.1.2); what is malformed is left out."""
    index = directory.whole(_KEYS, TAG_BYTES)
    if index is None or len(index) < 4:
        return {}
    doubles = directory.numbers(_DOUBLES, TAG_BYTES)
    ascii_text = directory.text(_ASCII, TAG_BYTES)
    found: dict[int, int | float | str | tuple[float, ...]] = {}
    for entry in range(4, min(len(index), 4 + 4 * int(index[3])) - 3, 4):
        key, place, count, value = (int(v) for v in index[entry : entry + 4])
        if place == 0:
            found[key] = value
        elif place == _DOUBLES and count:
            numbers = tuple(float(v) for v in doubles[value : value + count])
            if numbers:
                found[key] = numbers[0] if len(numbers) == 1 else numbers
        elif place == _ASCII:
            found[key] = ascii_text[value : value + count].rstrip("|\0")
    return found
