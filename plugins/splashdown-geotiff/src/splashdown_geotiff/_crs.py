"""The coordinate reference system that GeoTIFF keys describe, as a ``pyproj.CRS`` (OGC 19-008r4).

``_crs_projected`` and ``_crs_geographic`` read codes and parameters. Where that fails or keys contradict each other,
GDAL's reading counts, if rasterio is installed.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pyproj import CRS
from pyproj.crs import CompoundCRS
from pyproj.exceptions import CRSError, ProjError

from splashdown_geotiff._crs_gdal import gdal_crs
from splashdown_geotiff._crs_geographic import code_of, geographic
from splashdown_geotiff._crs_projected import UnsureError, projected
from splashdown_geotiff._crs_units import METRE, USER_DEFINED, height_unit, projected_unit, with_unit
from splashdown_geotiff._georeference import Keys

_MODEL, _CITATION, _GEOGRAPHIC, _MAJOR, _DATUM = 1024, 1026, 2048, 2057, 2050
_PROJECTED, _PROJECTED_CITATION, _GEOGRAPHIC_CITATION, _VERTICAL = 3072, 3073, 2049, 4096
_IS_PROJECTED, _IS_GEOGRAPHIC, _IS_GEOCENTRIC = 1, 2, 3
#: GeoTIFF 1.0's code of heights above the ellipsoid of WGS 84.
_ABOVE_WGS84 = 5030
_ESRI = "ESRI PE String = "


def read_crs(keys: Keys, label: str) -> CRS | None:
    """The system of the pixels' coordinates, ``None`` where the file names none.

    One that cannot be expressed gives a warning and ``None``: the pixels are still of use.
    """
    if not keys:
        return None
    found, doubt = _known(tuple(sorted(keys.items())))
    if doubt:
        warnings.warn(f"{label}: {doubt}", stacklevel=2)
    return found


@lru_cache(maxsize=64)
def _known(items: tuple[tuple[int, Any], ...]) -> tuple[CRS | None, str]:
    """The system, and what is doubtful about it.

    Files of one job share their keys, and looking one system up takes longer than reading a small file. The object
    may be shared by threads: pyproj keeps PROJ's side of it per thread.
    """
    keys = dict(items)
    native, reason = None, ""
    try:
        found = _build(keys)
    except UnsureError as error:
        native, reason = error.native, str(error)
    except (ProjError, KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        reason = f"{type(error).__name__}: {error}"
    else:
        return CRS.from_wkt(found.to_wkt()) if found is not None else None, ""
    asked = gdal_crs(keys)
    if native is not None:
        found = native if asked is None or asked.is_engineering else asked
        return found, f"its coordinate system is not certain ({reason}); taken: {found.name}, in {_unit_of(found)}"
    if asked is None or asked.is_engineering:
        return None, f"its coordinate system cannot be read ({reason})"
    if "unretrievable" in asked.to_wkt():
        return asked, "its datum is not known: WGS 84 is taken, as GDAL does"
    return asked, ""


def _unit_of(crs: CRS) -> str:
    return crs.axis_info[0].unit_name if crs.axis_info else "an unknown unit"


def _build(keys: Mapping[int, Any]) -> CRS | None:
    for key in (_CITATION, _PROJECTED_CITATION, _GEOGRAPHIC_CITATION):
        citation = keys.get(key)
        if isinstance(citation, str) and _ESRI in citation:
            return CRS.from_wkt(citation.partition(_ESRI)[2])
    model = _model(keys)
    if model == _IS_PROJECTED:
        return _with_height(projected(keys), keys)
    if model in {_IS_GEOGRAPHIC, _IS_GEOCENTRIC} and {_GEOGRAPHIC, _DATUM, _MAJOR} & keys.keys():
        found = _with_height(geographic(keys), keys)
        return _geocentric(found) if model == _IS_GEOCENTRIC else found
    return _local(keys) if model in {0, USER_DEFINED} else None


def _model(keys: Mapping[int, Any]) -> int:
    """Which kind of system it is. Some writers leave that out, or call it user-defined, beside a projected code."""
    model = keys.get(_MODEL, 0)
    if model in {0, USER_DEFINED} and code_of(keys, _PROJECTED) is not None:
        return _IS_PROJECTED
    if _MODEL in keys:
        return int(model)
    return _IS_PROJECTED if _PROJECTED in keys else _IS_GEOGRAPHIC if _GEOGRAPHIC in keys else 0


def _geocentric(crs: CRS) -> CRS:
    if crs.is_geocentric:
        return crs
    raise ValueError("a geocentric system that is not registered")


def _local(keys: Mapping[int, Any]) -> CRS | None:
    """A system that is not tied to the Earth: a name and a unit."""
    citation = keys.get(_CITATION) or keys.get(_PROJECTED_CITATION)
    if not isinstance(citation, str) or not citation:
        if keys.get(_MODEL, 0) == 0:
            return None
        raise ValueError("a user-defined system without a name or parameters")
    unit = (projected_unit(keys) or METRE).json()
    axes = [
        {"name": name, "abbreviation": "", "direction": direction, "unit": unit}
        for name, direction in (("Easting", "east"), ("Northing", "north"))
    ]
    return CRS.from_json_dict(
        {
            "type": "EngineeringCRS",
            "name": citation.split("|")[0],
            "datum": {"type": "EngineeringDatum", "name": "Unknown engineering datum"},
            "coordinate_system": {"subtype": "Cartesian", "axis": axes},
        }
    )


def _with_height(horizontal: CRS, keys: Mapping[int, Any]) -> CRS:
    """With its vertical system, where the file names one by code."""
    code = code_of(keys, _VERTICAL)
    if code is None or len(horizontal.axis_info) > 2:
        return horizontal
    if code == _ABOVE_WGS84 and horizontal.geodetic_crs is not None and horizontal.geodetic_crs.to_epsg() == 4326:
        return horizontal.to_3d()
    try:
        vertical = CRS.from_epsg(code)
        if not vertical.is_vertical:
            return horizontal
        return CompoundCRS(name="unknown", components=[horizontal, with_unit(vertical, height_unit(keys))])
    except CRSError:
        return horizontal  # 5xxx codes of GeoTIFF 1.0 are not EPSG codes of systems
