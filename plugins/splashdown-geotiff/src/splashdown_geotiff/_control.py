"""Where a raster lies that has no transform: ground control points, and rational polynomials of a satellite (RPC)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from splashdown.redact import safely_shown
from splashdown_geotiff._directory import Directory
from splashdown_geotiff._georeference import POINT_SHIFT, TIEPOINTS, Keys, is_point
from splashdown_geotiff._limits import TAG_BYTES

if TYPE_CHECKING:
    from pyproj import CRS

_RPC = 50844
#: Order of the numbers in the tag (RPCCoefficientTag), by their names in GDAL.
_SINGLE = (
    "ERR_BIAS", "ERR_RAND", "LINE_OFF", "SAMP_OFF", "LAT_OFF", "LONG_OFF", "HEIGHT_OFF", "LINE_SCALE", "SAMP_SCALE",
    "LAT_SCALE", "LONG_SCALE", "HEIGHT_SCALE",
)  # fmt: skip
_COEFFICIENTS = ("LINE_NUM_COEFF", "LINE_DEN_COEFF", "SAMP_NUM_COEFF", "SAMP_DEN_COEFF")


class ControlPoint(NamedTuple):
    """A place in the raster, in pixels from its upper left corner, and on the ground."""

    column: float
    row: float
    x: float
    y: float
    z: float


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Control:
    """Ground control points with their system, and RPCs by their names in GDAL; either may be missing."""

    points: tuple[ControlPoint, ...] = ()
    crs: CRS | None = None
    rpcs: Mapping[str, str] | None = None

    def describe(self) -> str:
        """Name the kinds of control that the file has."""
        points = f"{len(self.points)} ground control points" if self.points else ""
        return " and ".join(filter(None, (points, "RPCs" if self.rpcs else "")))

    def attributes(self, across: float, down: float, column: int, row: int) -> dict[str, Any]:
        """As rioxarray keeps points, for pixels that are so many times larger, from this pixel on."""
        found: dict[str, Any] = {}
        if self.points:
            features = [
                {
                    "type": "Feature",
                    "properties": {
                        "id": str(number),
                        "info": "",
                        "row": point.row / down - row,
                        "col": point.column / across - column,
                    },
                    "geometry": {"type": "Point", "coordinates": [point.x, point.y, point.z]},
                }
                for number, point in enumerate(self.points, 1)
            ]
            found["gcps"] = json.dumps({"type": "FeatureCollection", "features": features})
        if self.rpcs:
            found["rpcs"] = json.dumps(dict(self.rpcs))
        return found


def read_control(directory: Directory, keys: Keys, crs: CRS | None) -> Control | None:
    """The points and RPCs of a file without a transform; ``None`` where it has neither."""
    numbers = directory.numbers(TIEPOINTS, TAG_BYTES)
    shift = POINT_SHIFT if is_point(keys) else 0.0
    points = tuple(
        ControlPoint(column + shift, row + shift, x, y, z)
        for column, row, _, x, y, z in zip(*[iter(numbers)] * 6, strict=False)
    )
    rpcs = _rpcs(directory.numbers(_RPC, TAG_BYTES))
    return Control(points=points, crs=crs if points else None, rpcs=rpcs) if points or rpcs else None


def _rpcs(numbers: tuple[float, ...]) -> dict[str, str] | None:
    if len(numbers) != len(_SINGLE) + 20 * len(_COEFFICIENTS):
        return None
    found = {name: f"{number:.17g}" for name, number in zip(_SINGLE, numbers, strict=False)}
    for place, name in enumerate(_COEFFICIENTS):
        first = len(_SINGLE) + 20 * place
        found[name] = " ".join(f"{number:.17g}" for number in numbers[first : first + 20])
    return found
