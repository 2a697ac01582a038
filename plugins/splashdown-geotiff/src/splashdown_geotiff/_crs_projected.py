"""Projected systems of GeoTIFF keys: by code, by the code of a projection, or put together from its parameters.

OGC 19-008r4, sections 7.4 to 7.6, and Annex C for the projections.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pyproj import CRS
from pyproj.crs import CoordinateOperation, ProjectedCRS  # type: ignore[attr-defined]  # documented there
from pyproj.exceptions import CRSError, ProjError

from splashdown_geotiff._crs_geographic import code_of, geographic, names_datum, registered
from splashdown_geotiff._crs_units import (
    METRE,
    USER_DEFINED,
    angle_unit,
    azimuth_degrees,
    degrees,
    projected_unit,
    with_unit,
)

_GEOGRAPHIC, _PROJECTED, _PROJECTION, _METHOD, _UNIT = 2048, 3072, 3074, 3075, 3076
_CITATION, _PROJECTED_CITATION = 1026, 3073

#: PROJ's parameter from the first key that is there.
_PARAMETERS: dict[str, tuple[int, ...]] = {
    "lat_1": (3078,),
    "lat_2": (3079,),
    "lon_0": (3080, 3084, 3088, 3095),
    "lat_0": (3081, 3085, 3089),
    "x_0": (3082, 3086, 3090),
    "y_0": (3083, 3087, 3091),
    "k_0": (3092, 3093),
    "alpha": (3094,),
    "gamma": (3096,),
}
_COMMON = ("lon_0", "x_0", "y_0")
_MERCATOR, _LAMBERT_ONE, _POLAR, _SOUTH = 7, 9, 15, 27
#: EPSG's method of the system of web maps.
_PSEUDO_MERCATOR = "1024"
#: GeoTIFF's CT_* codes: PROJ's name of the method, and the parameters it takes besides the common ones.
_METHODS: dict[int, tuple[str, tuple[str, ...]]] = {
    1: ("tmerc", ("lat_0", "k_0")),
    3: ("omerc", ("lat_0", "k_0", "alpha", "gamma")),
    4: ("labrd", ("lat_0", "k_0", "alpha")),
    5: ("somerc", ("lat_0", "k_0")),
    7: ("merc", ("k_0", "lat_1")),
    8: ("lcc", ("lat_0", "lat_1", "lat_2")),
    9: ("lcc", ("lat_0", "k_0")),
    10: ("laea", ("lat_0",)),
    11: ("aea", ("lat_0", "lat_1", "lat_2")),
    12: ("aeqd", ("lat_0",)),
    13: ("eqdc", ("lat_0", "lat_1", "lat_2")),
    14: ("stere", ("lat_0", "k_0")),
    15: ("stere", ("lat_0", "k_0")),
    16: ("sterea", ("lat_0", "k_0")),
    17: ("eqc", ("lat_0", "lat_1")),
    18: ("cass", ("lat_0",)),
    19: ("gnom", ("lat_0",)),
    20: ("mill", ()),
    21: ("ortho", ("lat_0",)),
    22: ("poly", ("lat_0",)),
    23: ("robin", ()),
    24: ("sinu", ()),
    25: ("vandg", ()),
    26: ("nzmg", ("lat_0",)),
    27: ("tmerc", ("lat_0", "k_0")),
    28: ("cea", ("lat_1",)),
    9815: ("omerc", ("lat_0", "k_0", "alpha", "gamma")),
}
_EAST_NORTH = (("Easting", "E", "east"), ("Northing", "N", "north"))
_WEST_SOUTH = (("Westing", "Y", "west"), ("Southing", "X", "south"))
#: Names of the one system that treats WGS 84 as a sphere. Files of GDAL before 1.8 have nothing else that says so.
_WEB_MERCATOR = (
    "google maps global mercator",
    "google mercator",
    "900913",
    "pseudo-mercator",
    "web mercator",
    "web_mercator",
)


class UnsureError(ValueError):
    """Keys that contradict each other; ``native`` is the system of those that are believed here."""

    def __init__(self, native: CRS, reason: str) -> None:
        super().__init__(reason)
        self.native = native


def projected(keys: Mapping[int, Any]) -> CRS:
    """The projected system, in the file's unit. Raises what pyproj raises for keys that make none."""
    code = code_of(keys, _PROJECTED)
    if code is not None:
        return _by_code(code, keys)
    if _is_web_mercator(keys):
        return CRS.from_epsg(3857)
    unit = projected_unit(keys)
    if unit is None:
        if keys.get(_UNIT, 0) != 0:
            raise ValueError(f"unit of length {keys[_UNIT]}")
        unit = METRE
    projection = code_of(keys, _PROJECTION)
    if projection is not None:
        conversion = CoordinateOperation.from_epsg(projection)
    else:
        found = CRS.from_dict(_conversion(keys, unit.size)).coordinate_operation
        if found is None:
            raise ValueError("a projection without a conversion")
        conversion = found
    south = projection is None and keys.get(_METHOD) == _SOUTH
    names = _WEST_SOUTH if south else _EAST_NORTH
    axes = [{"name": n, "abbreviation": a, "direction": d, "unit": unit.json()} for n, a, d in names]
    return ProjectedCRS(
        conversion=conversion,
        name=str(keys.get(_PROJECTED_CITATION) or keys.get(_CITATION) or "unknown").split("|")[0],
        cartesian_cs={"type": "CoordinateSystem", "subtype": "Cartesian", "axis": axes},
        geodetic_crs=geographic(keys),
    )


def _by_code(code: int, keys: Mapping[int, Any]) -> CRS:
    own = registered(code)
    found = with_unit(_on_datum(own, keys), projected_unit(keys)) if own.is_projected else own
    _check_parameters(found, keys)
    if keys.get(_UNIT, 0) not in {0, USER_DEFINED} and projected_unit(keys) is None:
        raise UnsureError(found, f"unit of length {keys[_UNIT]}")
    return found


def _on_datum(crs: CRS, keys: Mapping[int, Any]) -> CRS:
    """With the file's own geographic system, where it names another than that of the code."""
    named = code_of(keys, _GEOGRAPHIC)
    if crs.geodetic_crs is None or not names_datum(keys):
        return crs
    if named is not None and named == crs.geodetic_crs.to_epsg():
        return crs
    try:
        base = geographic({k: v for k, v in keys.items() if k != 2062})
    except (CRSError, KeyError, ValueError):
        return crs
    if _same_place(base, crs.geodetic_crs):
        return crs
    found = crs.to_json_dict()
    found.pop("id", None)
    found["base_crs"] = base.to_json_dict()
    return CRS.from_json_dict(found)


def _same_place(one: CRS, other: CRS) -> bool:
    """Whether two geographic systems have one datum: the same figure and meridian, and no names that differ."""
    if one.to_epsg() is not None and one.to_epsg() == other.to_epsg():
        return True
    names = {crs.datum.name if crs.datum is not None else crs.name for crs in (one, other)}
    a, b = _figure(one), _figure(other)
    alike = all(math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-9) for x, y in zip(a, b, strict=True))
    return alike and len(names - {"undefined", "unknown"}) < 2


def _figure(crs: CRS) -> tuple[float, float, float]:
    """Both axes of the ellipsoid in metres, and the prime meridian in radians."""
    ellipsoid, meridian = crs.ellipsoid, crs.prime_meridian
    if ellipsoid is None or meridian is None:
        return (0.0, 0.0, 0.0)
    turned = float(meridian.longitude) * float(meridian.unit_conversion_factor)
    return (ellipsoid.semi_major_metre, ellipsoid.semi_minor_metre, turned)


def _check_parameters(crs: CRS, keys: Mapping[int, Any]) -> None:
    """Raise ``UnsureError`` for parameters beside a code that are not the code's."""
    if keys.get(_METHOD, USER_DEFINED) in {0, USER_DEFINED} or code_of(keys, _PROJECTION) is not None:
        return
    try:
        described = CRS.from_dict(_conversion(keys, (projected_unit(keys) or METRE).size)).coordinate_operation
    except (ProjError, TypeError, ValueError):
        return
    own = crs.coordinate_operation
    if own is not None and described is not None and not _same_projection(own, described):
        raise UnsureError(crs, f"its parameters are not those of {crs.name}")


def _same_projection(one: CoordinateOperation, other: CoordinateOperation) -> bool:
    if one.method_code == _PSEUDO_MERCATOR:
        return True  # GeoTIFF has no method for it, and writers choose one
    if one.method_code != other.method_code:
        return False
    a, b = ({p.code: float(p.value) * p.unit_conversion_factor for p in each.params} for each in (one, other))
    return all(math.isclose(a[k], b[k], rel_tol=1e-7, abs_tol=1e-6) for k in a.keys() & b.keys())


def _is_web_mercator(keys: Mapping[int, Any]) -> bool:
    if code_of(keys, _PROJECTION) is not None or keys.get(_METHOD, _MERCATOR) != _MERCATOR:
        return False
    names = [str(keys.get(key, "")).lower().replace("wgs 84 / ", "") for key in (_CITATION, _PROJECTED_CITATION)]
    return any(known in name for name in names for known in _WEB_MERCATOR)


def _conversion(keys: Mapping[int, Any], metres: float) -> dict[str, Any]:
    """PROJ's form of the projection; its false origins are in metres, the file's in its own unit."""
    code = keys.get(_METHOD, 0)
    if code not in _METHODS:
        raise ValueError(f"projection method {code}")
    method, own = _METHODS[code]
    azimuth = azimuth_degrees(keys)
    factors = {"x_0": metres, "y_0": metres, "k_0": 1.0, "alpha": azimuth, "gamma": azimuth}
    angle = _parameter_degrees(keys)
    found: dict[str, Any] = {"proj": method}
    for name in (*_COMMON, *own):
        key = next((k for k in _PARAMETERS[name] if k in keys), None)
        if key is not None:
            found[name] = float(keys[key]) * factors.get(name, angle)
    _adapt(code, found)
    return found


def _parameter_degrees(keys: Mapping[int, Any]) -> float:
    """Degrees in the unit of parameters: the file's, else that of its geographic system."""
    code = code_of(keys, _GEOGRAPHIC)
    if angle_unit(keys) is not None or code is None:
        return degrees(keys)
    return math.degrees(registered(code).axis_info[0].unit_conversion_factor)


def _adapt(code: int, found: dict[str, Any]) -> None:
    """Names and meanings that differ between GeoTIFF and PROJ."""
    method = found["proj"]
    if method in {"merc", "eqc", "cea"} and "lat_1" in found:
        found["lat_ts"] = found.pop("lat_1")
    if method == "omerc":
        found["lonc"] = found.pop("lon_0", 0.0)
        found.setdefault("gamma", 90.0)  # libgeotiff's, for files that leave the angle out
        if code == 3:
            found["no_uoff"] = True
    if method == "labrd":
        found["azi"] = found.pop("alpha", 0.0)
    if code == _SOUTH:
        found["axis"] = "wsu"
    if code == _LAMBERT_ONE:
        found["lat_1"] = found.get("lat_0", 0.0)
    if code == _POLAR and abs(found.get("lat_0", 90.0)) != 90:
        # The polar form keeps its standard parallel where the others have their origin.
        found["lat_ts"] = found["lat_0"]
        found["lat_0"] = math.copysign(90.0, found["lat_ts"])
