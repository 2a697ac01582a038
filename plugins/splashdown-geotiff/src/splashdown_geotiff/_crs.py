"""The coordinate reference system that GeoTIFF keys describe, as a ``pyproj.CRS``.

EPSG codes where the file has them; otherwise the system is put together from its parameters (OGC 19-008r4,
sections 7.4 to 7.6, and Annex C for the projections).
"""

from __future__ import annotations

import math
import warnings
from functools import lru_cache
from typing import Any

from pyproj import CRS
from pyproj.crs import CompoundCRS, CoordinateOperation, Datum, Ellipsoid, GeographicCRS, ProjectedCRS  # type: ignore[attr-defined]  # documented there
from pyproj.crs.coordinate_system import Cartesian2DCS, Ellipsoidal2DCS
from pyproj.crs.datum import CustomDatum, CustomEllipsoid, CustomPrimeMeridian
from pyproj.crs.enums import Cartesian2DCSAxis, Ellipsoidal2DCSAxis
from pyproj.exceptions import CRSError

from splashdown_geotiff._georeference import Keys

_USER_DEFINED = 32767
_MODEL, _GEOGRAPHIC, _DATUM, _MERIDIAN, _ELLIPSOID = 1024, 2048, 2050, 2051, 2056
_ANGLE_UNIT, _MAJOR, _MINOR, _FLATTENING, _MERIDIAN_LONGITUDE = 2054, 2057, 2058, 2059, 2061
_PROJECTED, _PROJECTION, _METHOD, _LENGTH_UNIT, _LENGTH_SIZE, _VERTICAL = 3072, 3074, 3075, 3076, 3077, 4096

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
}
_COMMON = ("lon_0", "x_0", "y_0")
#: GeoTIFF's CT_* codes: PROJ's name of the method, and the parameters it takes besides the common ones.
_METHODS: dict[int, tuple[str, tuple[str, ...]]] = {
    1: ("tmerc", ("lat_0", "k_0")),
    7: ("merc", ("k_0", "lat_1")),
    8: ("lcc", ("lat_0", "lat_1", "lat_2")),
    9: ("lcc", ("lat_0", "k_0")),
    10: ("laea", ("lat_0",)),
    11: ("aea", ("lat_0", "lat_1", "lat_2")),
    12: ("aeqd", ("lat_0",)),
    14: ("stere", ("lat_0", "k_0")),
    15: ("stere", ("lat_0", "k_0")),
    16: ("sterea", ("lat_0", "k_0")),
    17: ("eqc", ("lat_0", "lat_1")),
    18: ("cass", ("lat_0",)),
    20: ("mill", ()),
    21: ("ortho", ("lat_0",)),
    22: ("poly", ("lat_0",)),
    23: ("robin", ()),
    24: ("sinu", ()),
    25: ("vandg", ()),
    28: ("cea", ("lat_1",)),
}
_METRES = {9001: 1.0, 9002: 0.3048, 9003: 1200 / 3937, 9036: 1000.0}
_AXES = {
    9001: Cartesian2DCSAxis.EASTING_NORTHING,
    9002: Cartesian2DCSAxis.EASTING_NORTHING_FT,
    9003: Cartesian2DCSAxis.EASTING_NORTHING_US_FT,
}
_DEGREES = {9101: 180 / math.pi, 9102: 1.0, 9105: 0.9, 9106: 0.9}


def read_crs(keys: Keys, label: str) -> CRS | None:
    """The system of the pixels' coordinates, ``None`` where the file names none.

    One that cannot be expressed gives a warning and ``None``: the pixels are still of use.
    """
    if not keys:
        return None
    try:
        return _known(tuple(sorted(keys.items())))
    except (CRSError, KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        warnings.warn(f"{label}: its coordinate system cannot be read ({type(error).__name__}: {error})", stacklevel=2)
        return None


@lru_cache(maxsize=64)
def _known(items: tuple[tuple[int, Any], ...]) -> CRS | None:
    # Files of one job share their keys, and looking one system up takes longer than reading a small file. The object
    # may be shared by threads: pyproj keeps PROJ's side of it per thread.
    found = _build(dict(items))
    return CRS.from_wkt(found.to_wkt()) if found is not None else None


def _build(keys: dict[int, Any]) -> CRS | None:
    for citation in (keys.get(1026), keys.get(3073)):
        if isinstance(citation, str) and citation.startswith("ESRI PE String = "):
            return CRS.from_wkt(citation.partition(" = ")[2])
    model = keys.get(_MODEL, 1 if _PROJECTED in keys else 2 if _GEOGRAPHIC in keys else 0)
    if model == 1:
        return _with_height(_projected(keys), keys)
    if model in {2, 3} and (_GEOGRAPHIC in keys or _MAJOR in keys):
        return _with_height(_geographic(keys), keys)
    return None


def _projected(keys: dict[int, Any]) -> CRS:
    code = keys.get(_PROJECTED, _USER_DEFINED)
    if code not in {0, _USER_DEFINED}:
        return CRS.from_epsg(code)
    unit = keys.get(_LENGTH_UNIT, 9001)
    metres = keys[_LENGTH_SIZE] if unit == _USER_DEFINED else _METRES[unit]
    projection = keys.get(_PROJECTION, _USER_DEFINED)
    if projection not in {0, _USER_DEFINED}:
        conversion = CoordinateOperation.from_epsg(projection)
    else:
        found = CRS.from_dict(_conversion(keys, metres)).coordinate_operation
        if found is None:
            raise ValueError("a projection without a conversion")
        conversion = found
    return ProjectedCRS(
        conversion=conversion,
        name=str(keys.get(3073) or keys.get(1026) or "unknown").split("|")[0],
        cartesian_cs=Cartesian2DCS(axis=_AXES[unit]) if unit in _AXES else _custom_axes(metres),
        geodetic_crs=_geographic(keys),
    )


def _conversion(keys: dict[int, Any], metres: float) -> dict[str, Any]:
    """PROJ's form of the projection; its false origins are in metres, the file's in its own unit."""
    method, own = _METHODS[keys[_METHOD]]
    degrees = _DEGREES[keys.get(_ANGLE_UNIT, 9102)]
    found: dict[str, Any] = {"proj": method}
    for name in (*_COMMON, *own):
        key = next((k for k in _PARAMETERS[name] if k in keys), None)
        if key is not None:
            factor = metres if name in {"x_0", "y_0"} else 1.0 if name == "k_0" else degrees
            found[name] = float(keys[key]) * factor
    if method in {"merc", "eqc", "cea"} and "lat_1" in found:
        found["lat_ts"] = found.pop("lat_1")
    if keys[_METHOD] == 9:
        found["lat_1"] = found.get("lat_0", 0.0)
    if keys[_METHOD] == 15 and abs(found.get("lat_0", 90.0)) != 90:
        # The polar form keeps its standard parallel where the others have their origin.
        found["lat_ts"] = found["lat_0"]
        found["lat_0"] = math.copysign(90.0, found["lat_ts"])
    return found


def _custom_axes(metres: float) -> dict[str, Any]:
    unit = {"type": "LinearUnit", "name": "unknown", "conversion_factor": metres}
    names = (("Easting", "E", "east"), ("Northing", "N", "north"))
    axes = [{"name": n, "abbreviation": a, "direction": d, "unit": unit} for n, a, d in names]
    return {"type": "CoordinateSystem", "subtype": "Cartesian", "axis": axes}


def _geographic(keys: dict[int, Any]) -> CRS:
    code = keys.get(_GEOGRAPHIC, _USER_DEFINED)
    if code not in {0, _USER_DEFINED}:
        return CRS.from_epsg(code)
    datum = keys.get(_DATUM, _USER_DEFINED)
    meridian = CustomPrimeMeridian(longitude=keys.get(_MERIDIAN_LONGITUDE, 0.0))
    return GeographicCRS(
        name=str(keys.get(2049) or "unknown").split("|")[0],
        datum=Datum.from_epsg(datum)
        if datum not in {0, _USER_DEFINED}
        else CustomDatum(ellipsoid=_ellipsoid(keys), prime_meridian=meridian),
        ellipsoidal_cs=Ellipsoidal2DCS(axis=Ellipsoidal2DCSAxis.LATITUDE_LONGITUDE),
    )


def _ellipsoid(keys: dict[int, Any]) -> Any:
    code = keys.get(_ELLIPSOID, _USER_DEFINED)
    if code not in {0, _USER_DEFINED}:
        return Ellipsoid.from_epsg(code)
    flattening = keys.get(_FLATTENING)
    if flattening is None and _MINOR not in keys:
        flattening = 298.257223563
    return CustomEllipsoid(
        semi_major_axis=keys[_MAJOR],
        inverse_flattening=flattening,
        semi_minor_axis=None if flattening is not None else keys[_MINOR],
    )


def _with_height(horizontal: CRS, keys: dict[int, Any]) -> CRS:
    """With its vertical system, where the file names one by code."""
    code = keys.get(_VERTICAL, _USER_DEFINED)
    if code in {0, _USER_DEFINED}:
        return horizontal
    try:
        return CompoundCRS(name="unknown", components=[horizontal, CRS.from_epsg(code)])
    except CRSError:
        return horizontal  # 5xxx codes of GeoTIFF 1.0 are not EPSG codes of systems
