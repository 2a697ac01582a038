"""Geographic systems of GeoTIFF keys: by code, or put together from datum, ellipsoid and prime meridian."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pyproj import CRS
from pyproj.crs import Datum, Ellipsoid, GeographicCRS, PrimeMeridian  # type: ignore[attr-defined]  # documented there
from pyproj.crs.coordinate_operation import ToWGS84Transformation
from pyproj.crs.crs import BoundCRS
from pyproj.crs.datum import CustomDatum, CustomEllipsoid, CustomPrimeMeridian
from pyproj.exceptions import CRSError

from splashdown_geotiff._crs_units import DEGREE, USER_DEFINED, angle_unit, axis_unit, degrees, with_unit

_CITATION, _GEOGRAPHIC, _DATUM, _MERIDIAN, _ELLIPSOID = 2049, 2048, 2050, 2051, 2056
_MAJOR, _MINOR, _FLATTENING, _MERIDIAN_LONGITUDE, _TO_WGS84 = 2057, 2058, 2059, 2061, 2062
#: GDAL knows the commonest codes by heart, and with them ignores the unit: their files are in degrees.
_ALWAYS_DEGREES = frozenset({4326, 4258})


def code_of(keys: Mapping[int, Any], key: int) -> int | None:
    """The registered code under a key; ``None`` where it is absent, undefined or user-defined."""
    value = keys.get(key)
    return value if isinstance(value, int) and value not in {0, USER_DEFINED} else None


def registered(code: int) -> CRS:
    """The system of a code: EPSG's, else Esri's, whose older codes fit into a key. Raises ``CRSError``.

    One that the register has withdrawn gives way to its only successor, as in GDAL: EPSG:3785 is read as EPSG:3857.
    """
    try:
        found = CRS.from_epsg(code)
        successors = found.get_non_deprecated() if found.is_deprecated else []
        return successors[0] if len(successors) == 1 else found
    except CRSError as error:
        try:
            return CRS.from_authority("ESRI", code)
        except CRSError:
            raise error from None


def geographic(keys: Mapping[int, Any]) -> CRS:
    """The geographic system, with the file's unit. Raises ``CRSError`` or ``KeyError`` where keys are missing."""
    code = code_of(keys, _GEOGRAPHIC)
    if code is not None:
        try:
            found = registered(code)
        except CRSError:
            if not {_DATUM, _ELLIPSOID, _MAJOR} & keys.keys():
                raise
        else:
            return found if code in _ALWAYS_DEGREES else with_unit(found, angle_unit(keys))
    return _shifted(_built(keys), keys)


def names_datum(keys: Mapping[int, Any]) -> bool:
    """Whether keys beside the code of a projected system say on which datum it is; numbers alone do not."""
    return bool({_GEOGRAPHIC, _DATUM, _ELLIPSOID} & keys.keys())


def _built(keys: Mapping[int, Any]) -> CRS:
    unit = (angle_unit(keys) or DEGREE).json()
    names = (("Latitude", "lat", "north"), ("Longitude", "lon", "east"))
    axes = [{"name": n, "abbreviation": a, "direction": d, "unit": unit} for n, a, d in names]
    return GeographicCRS(
        name=_name(keys.get(_CITATION)),
        datum=_datum(keys),
        ellipsoidal_cs={"type": "CoordinateSystem", "subtype": "ellipsoidal", "axis": axes},
    )


def _name(citation: object) -> str:
    first = str(citation or "unknown").split("|")[0]
    return first.partition("GCS Name = ")[2] or first


def _datum(keys: Mapping[int, Any]) -> Any:
    meridian, ellipsoid = _meridian(keys), _ellipsoid(keys)
    known = _known_datum(code_of(keys, _DATUM))
    if known is None:
        if ellipsoid is None:
            raise ValueError("neither a known datum nor an ellipsoid")
        return CustomDatum(ellipsoid=ellipsoid, prime_meridian=meridian or "Greenwich")
    # An ensemble of datums has its ellipsoid, and Greenwich, but not as properties.
    figure = known.ellipsoid or Ellipsoid.from_json_dict({"type": "Ellipsoid", **known.to_json_dict()["ellipsoid"]})
    own = known.prime_meridian or PrimeMeridian.from_epsg(8901)
    if (meridian is None or _alike(own, meridian)) and (ellipsoid is None or _same_figure(figure, ellipsoid)):
        return known
    return CustomDatum(name=known.name, ellipsoid=ellipsoid or figure, prime_meridian=meridian or own)


def _known_datum(code: int | None) -> Any:
    try:
        return None if code is None else Datum.from_epsg(code)
    except CRSError:
        return None  # a code that is newer than PROJ's database


def _alike(one: Any, other: Any) -> bool:
    def in_degrees(meridian: Any) -> float:
        return float(meridian.longitude * meridian.unit_conversion_factor)

    return math.isclose(in_degrees(one), in_degrees(other), abs_tol=1e-9)


def _same_figure(one: Any, other: Any) -> bool:
    return math.isclose(one.semi_major_metre, other.semi_major_metre, rel_tol=1e-9) and math.isclose(
        one.semi_minor_metre, other.semi_minor_metre, rel_tol=1e-9
    )


def _meridian(keys: Mapping[int, Any]) -> Any:
    code = code_of(keys, _MERIDIAN)
    if code is not None:
        return PrimeMeridian.from_epsg(code)
    longitude = keys.get(_MERIDIAN_LONGITUDE)
    return None if longitude is None else CustomPrimeMeridian(longitude=longitude * degrees(keys))


def _ellipsoid(keys: Mapping[int, Any]) -> Any:
    """Its own numbers go before its code, as in GDAL; ``None`` where the file says neither."""
    if _MAJOR not in keys:
        code = code_of(keys, _ELLIPSOID)
        return None if code is None else Ellipsoid.from_epsg(code)
    metres = axis_unit(keys).size
    major, minor, flattening = keys[_MAJOR] * metres, keys.get(_MINOR), keys.get(_FLATTENING)
    if flattening:
        return CustomEllipsoid(semi_major_axis=major, inverse_flattening=flattening)
    if flattening is None and minor is not None and not math.isclose(minor * metres, major, rel_tol=1e-12):
        return CustomEllipsoid(semi_major_axis=major, semi_minor_axis=minor * metres)
    return CustomEllipsoid(radius=major)


def _shifted(crs: CRS, keys: Mapping[int, Any]) -> CRS:
    """Bound to WGS 84 by the file's own parameters."""
    shift = keys.get(_TO_WGS84)
    if not isinstance(shift, tuple) or len(shift) not in {3, 7} or not any(shift):
        return crs
    values = (*shift, 0.0, 0.0, 0.0, 0.0)[:7]
    return BoundCRS(
        source_crs=crs,
        target_crs=CRS.from_epsg(4326),
        transformation=ToWGS84Transformation(crs, *values),
    )
