"""Units of GeoTIFF keys, and what becomes of a system from EPSG whose file counts in another unit.

A file may name a system by its code and override the unit (OGC 19-008r4, section 7.5.3): places on the ground stay
where they are, numbers do not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pyproj import CRS
from pyproj.database import get_units_map

USER_DEFINED = 32767
_PROJECTED_UNIT, _PROJECTED_SIZE = 3076, 3077
_AXIS_UNIT, _AXIS_SIZE = 2052, 2053
_ANGLE_UNIT, _ANGLE_SIZE, _AZIMUTH_UNIT = 2054, 2055, 2060
_HEIGHT_UNIT = 4099
_DEGREE = math.pi / 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit by its size in metres or radians."""

    name: str
    size: float
    angular: bool = False

    def json(self) -> dict[str, Any]:
        """As PROJJSON has it."""
        kind = "AngularUnit" if self.angular else "LinearUnit"
        return {"type": kind, "name": self.name, "conversion_factor": self.size}


METRE = Unit(name="metre", size=1.0)
DEGREE = Unit(name="degree", size=_DEGREE, angular=True)


def projected_unit(keys: Mapping[int, Any]) -> Unit | None:
    """The unit of projected coordinates; ``None`` where the file names none that is known."""
    return _linear(keys, _PROJECTED_UNIT, _PROJECTED_SIZE)


def axis_unit(keys: Mapping[int, Any]) -> Unit:
    """The unit of the ellipsoid's axes."""
    return _linear(keys, _AXIS_UNIT, _AXIS_SIZE) or METRE


def height_unit(keys: Mapping[int, Any]) -> Unit | None:
    """The unit of heights."""
    return _linear(keys, _HEIGHT_UNIT, None)


def angle_unit(keys: Mapping[int, Any]) -> Unit | None:
    """The unit of longitudes, latitudes and parameters; ``None`` where the file names none."""
    code = keys.get(_ANGLE_UNIT)
    if code == USER_DEFINED:
        size = keys.get(_ANGLE_SIZE, _DEGREE)
        # Writers round the size of a degree.
        return DEGREE if math.isclose(size, _DEGREE, rel_tol=1e-7) else _sized(size, angular=True)
    return _named("angular", code)


def azimuth_degrees(keys: Mapping[int, Any]) -> float:
    """Degrees in the unit of azimuths, which is the degree unless the file names another."""
    return (_named("angular", keys.get(_AZIMUTH_UNIT)) or DEGREE).size / _DEGREE


def degrees(keys: Mapping[int, Any]) -> float:
    """Degrees in the unit of angles."""
    return (angle_unit(keys) or DEGREE).size / _DEGREE


def with_unit(crs: CRS, unit: Unit | None) -> CRS:
    """The same system with its coordinates (not its parameters) in another unit."""
    if unit is None or all(math.isclose(a.unit_conversion_factor, unit.size, rel_tol=1e-9) for a in crs.axis_info):
        return crs
    found = crs.to_json_dict()
    # It is not the registered system any more.
    found.pop("id", None)
    for axis in found["coordinate_system"]["axis"]:
        axis["unit"] = unit.json()
    return CRS.from_json_dict(found)


def _linear(keys: Mapping[int, Any], unit: int, size: int | None) -> Unit | None:
    code = keys.get(unit)
    if code == USER_DEFINED:
        value = None if size is None else keys.get(size)
        return None if value is None else _sized(value, angular=False)
    return _named("linear", code)


def _sized(size: Any, *, angular: bool) -> Unit:
    if not isinstance(size, int | float) or not math.isfinite(size) or size <= 0:
        raise ValueError(f"a unit of size {size!r}")
    return Unit(name="unknown", size=float(size), angular=angular)


def _named(category: str, code: Any) -> Unit | None:
    return None if code is None else _units(category).get(code)


@cache
def _units(category: str) -> dict[int, Unit]:
    """EPSG's units by code. Forms of writing degrees (degree minute second) count as degrees, as in GDAL."""
    angular = category == "angular"
    registered = get_units_map("EPSG", category=category, allow_deprecated=True)
    found = {
        int(u.code): Unit(name=u.name, size=u.conv_factor, angular=angular) if u.conv_factor else DEGREE
        for u in registered.values()
    }
    if angular:
        found |= {9102: DEGREE, 9122: DEGREE, 9106: Unit(name="gon", size=math.pi / 200, angular=True)}
    return found
