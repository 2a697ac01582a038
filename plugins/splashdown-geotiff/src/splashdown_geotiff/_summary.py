"""The few facts about a raster that a person asks for first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray as xr


def summarise(array: xr.DataArray) -> Mapping[str, object]:
    """Shape, CRS, bounds, nodata, and per band the statistics of its pixels that are not nodata."""
    names, nodata = array.coords["band"].values.tolist(), array.attrs.get("_FillValue")
    facts: dict[str, object] = {
        "shape": _shape(*array.shape),
        "type": str(array.dtype),
        "crs": _crs(array),
        "bounds": _bounds(array),
        "nodata": "none" if nodata is None else str(nodata),
    }
    if "t" in array.coords and array.coords["t"].ndim == 0:
        facts["time"] = str(np.datetime_as_string(array.coords["t"].values, unit="s"))
    facts["statistics"] = [
        {"band": str(name), **_statistics(array.isel(band=number).to_numpy(), nodata)}
        for number, name in enumerate(names)
    ]
    return facts


def summarise_numpy(values: Any) -> Mapping[str, object]:
    """Shape and type, and per band the statistics of its pixels."""
    return {
        "shape": _shape(*values.shape),
        "type": str(values.dtype),
        "statistics": [{"band": str(number), **_statistics(band, None)} for number, band in enumerate(values, 1)],
    }


def summarise_image(pixels: Any) -> Mapping[str, object]:
    """Size and type of a picture."""
    return {"shape": " x ".join(map(str, pixels.shape)), "type": str(pixels.dtype)}


def summarise_open(raster: Any) -> Mapping[str, object]:
    """What is known before a pixel is read."""
    return {
        "shape": _shape(*raster.shape),
        "type": str(raster.dtype),
        "bands": ", ".join(map(str, raster.bands)),
        "crs": raster.crs.to_string() if raster.crs is not None else "none",
        "bounds": "none" if raster.bounds is None else ", ".join(f"{value:.10g}" for value in raster.bounds),
        "nodata": "none" if raster.nodata is None else str(raster.nodata),
        "overviews": ", ".join(f"{w} x {h}" for w, h in raster.overviews) or "none",
    }


def _crs(array: xr.DataArray) -> str:
    from pyproj import CRS

    wkt = array.coords["spatial_ref"].attrs.get("crs_wkt")
    return CRS.from_wkt(wkt).to_string() if wkt else "none"


def _bounds(array: xr.DataArray) -> str:
    numbers = str(array.coords["spatial_ref"].attrs.get("GeoTransform", "")).split()
    if len(numbers) != 6:
        return "none"
    c, a, b, f, d, e = map(float, numbers)
    width, height = array.sizes["x"], array.sizes["y"]
    xs = [c + a * i + b * j for i in (0, width) for j in (0, height)]
    ys = [f + d * i + e * j for i in (0, width) for j in (0, height)]
    return f"{min(xs):.10g}, {min(ys):.10g}, {max(xs):.10g}, {max(ys):.10g}"


def _shape(bands: int, rows: int, columns: int) -> str:
    return f"{bands} band{'s' if bands > 1 else ''}, {rows} x {columns} pixels (y, x)"


def _statistics(values: np.ndarray[Any, Any], nodata: float | None) -> Mapping[str, object]:
    """Of the pixels that have data; complex numbers have no order, and so no extremes."""
    valid = values.compressed() if isinstance(values, np.ma.MaskedArray) else values
    if valid.dtype.kind in "fc":
        valid = valid[~np.isnan(valid)]
    if nodata is not None:
        valid = valid[valid != nodata]
    share = round(100 * valid.size / max(values.size, 1), 1)
    if not valid.size or valid.dtype.kind == "c":
        return {"valid %": share}
    return {
        "min": valid.min().item(),
        "max": valid.max().item(),
        "mean": valid.mean(dtype="f8").item(),
        "std": valid.std(dtype="f8").item(),
        "valid %": share,
    }
