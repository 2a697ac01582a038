"""Puts pixels into an ``xarray.DataArray`` whose coordinates and CRS other packages understand.

The form is the CF conventions' with GDAL's ``GeoTransform``, which is what ``.rio`` and ``.odc`` read.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from pyproj import CRS

from splashdown.model import Asset
from splashdown_geotiff._header import Header
from splashdown_geotiff._names import instant
from splashdown_geotiff._options import Pixels
from splashdown_geotiff._select import Selection

if TYPE_CHECKING:
    from splashdown_geotiff._georeference import Transform


def data_array(
    values: Any,
    asset: Asset,
    header: Header,
    names: tuple[str | int, ...],
    selection: Selection,
    pixels: Pixels,
) -> xr.DataArray:
    """A ``(band, y, x)`` array; ``values`` are numpy's or Dask's.

    ``x`` and ``y`` are the pixels' centres. A rotated raster has none: its place is in ``spatial_ref`` alone.
    """
    coords: dict[str, Any] = {"band": [names[b] for b in selection.bands]}
    control = header.control if selection.transform is None else None
    # Pixel numbers are not coordinates: they have no CRS, and beside control points, whose CRS is there, they are
    # left out, as in rioxarray.
    crs = header.crs if selection.transform is not None else control.crs if control is not None else None
    if control is None or not control.points:
        coords.update(_axes(selection))
    time = instant(asset)
    if time is not None:
        coords["t"] = time
    spatial = {**spatial_attributes(crs, selection.transform), **_control_attributes(header, selection)}
    coords["spatial_ref"] = xr.Variable((), 0, spatial)
    found = xr.DataArray(values, dims=("band", "y", "x"), coords=coords, name=_name(asset))
    found.attrs.update(_attributes(header, selection, pixels))
    found.encoding["grid_mapping"] = "spatial_ref"
    if pixels.masked and header.nodata is not None:
        found.encoding["_FillValue"] = header.nodata
    for axis in ("x", "y"):
        if axis in found.coords:
            found.coords[axis].attrs.update(_axis_attributes(crs, axis))
    return found


def spatial_attributes(crs: CRS | None, transform: Transform | None) -> dict[str, Any]:
    """The attributes of ``spatial_ref``: the grid mapping of CF, the CRS as WKT, and GDAL's ``GeoTransform``."""
    found: dict[str, Any] = dict(_crs_attributes(crs.to_wkt())) if crs is not None else {}
    if transform is not None:
        a, b, c, d, e, f = transform
        found["GeoTransform"] = " ".join(repr(float(v)) for v in (c, a, b, f, d, e))
    return found


def _control_attributes(header: Header, selection: Selection) -> dict[str, Any]:
    if header.control is None or selection.transform is not None:
        return {}
    (full_width, full_height), (width, height) = header.levels[0], header.levels[selection.level]
    window = selection.window
    return header.control.attributes(full_width / width, full_height / height, window.column, window.row)


@lru_cache(maxsize=64)
def _crs_attributes(wkt: str) -> tuple[tuple[str, Any], ...]:
    # Takes longer than reading a small file, and the files of one job share it.
    return tuple({**CRS.from_wkt(wkt).to_cf(), "crs_wkt": wkt, "spatial_ref": wkt}.items())


def _axes(selection: Selection) -> dict[str, Any]:
    transform, window = selection.transform, selection.window
    columns, rows = np.arange(window.width) + 0.5, np.arange(window.height) + 0.5
    if transform is None:
        return {"x": columns + window.column, "y": rows + window.row}
    if not transform.rectilinear:
        return {}
    return {"x": transform.c + columns * transform.a, "y": transform.f + rows * transform.e}


def _axis_attributes(crs: CRS | None, axis: str) -> dict[str, str]:
    if crs is None:
        return {"axis": axis.upper()}
    if crs.is_geographic:
        name, unit = ("longitude", "degrees_east") if axis == "x" else ("latitude", "degrees_north")
        return {"axis": axis.upper(), "standard_name": name, "long_name": name, "units": unit}
    unit = crs.axis_info[0].unit_name if crs.axis_info else "metre"
    return {
        "axis": axis.upper(),
        "standard_name": f"projection_{axis}_coordinate",
        "long_name": f"{axis} coordinate of projection",
        "units": unit,
    }


def _attributes(header: Header, selection: Selection, pixels: Pixels) -> dict[str, Any]:
    found: dict[str, Any] = dict(header.tags)
    bands = [header.bands[b] for b in selection.bands]
    scales, offsets = [b.scale for b in bands], [b.offset for b in bands]
    if not pixels.scaled and (set(scales) != {1.0} or set(offsets) != {0.0}):
        # One number where all bands agree, as CF has it; else one per band.
        found["scale_factor"] = scales[0] if len(set(scales)) == 1 else scales
        found["add_offset"] = offsets[0] if len(set(offsets)) == 1 else offsets
    if header.nodata is not None and not pixels.masked and not pixels.scaled:
        found["_FillValue"] = header.nodata
    units = {b.tags.get("units") for b in bands}
    if len(units) == 1 and (unit := units.pop()):
        found["units"] = unit
    return found


def _name(asset: Asset) -> str:
    return asset.key.rpartition("/")[2]
