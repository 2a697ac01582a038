"""The few facts about a raster that a person asks for first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray as xr


def summarise(array: xr.DataArray) -> Mapping[str, object]:
    """Shape, bands, CRS, bounds, nodata, and per band the statistics of its valid pixels."""
    facts: dict[str, object] = {
        "shape": " x ".join(f"{size} {dim}" for dim, size in array.sizes.items()),
        "type": str(array.dtype),
        "bands": ", ".join(str(b) for b in array.coords["band"].values.tolist()),
        "crs": _crs(array),
        "bounds": _bounds(array),
        "nodata": array.attrs.get("_FillValue", "none"),
    }
    if "t" in array.coords and array.coords["t"].ndim == 0:
        facts["time"] = str(np.datetime_as_string(array.coords["t"].values, unit="s"))
    for number, name in enumerate(array.coords["band"].values.tolist()):
        facts[f"band {name}"] = _statistics(array.isel(band=number).to_numpy(), array.attrs.get("_FillValue"))
    return facts


def summarise_numpy(values: Any) -> Mapping[str, object]:
    """Shape and type, and per band the statistics of its valid pixels."""
    facts: dict[str, object] = {"shape": " x ".join(map(str, values.shape)), "type": str(values.dtype)}
    for number, band in enumerate(values, 1):
        data = band.compressed() if isinstance(band, np.ma.MaskedArray) else band
        facts[f"band {number}"] = _statistics(data, None)
    return facts


def summarise_image(pixels: Any) -> Mapping[str, object]:
    """Size and type of a picture."""
    return {"shape": " x ".join(map(str, pixels.shape)), "type": str(pixels.dtype)}


def summarise_open(raster: Any) -> Mapping[str, object]:
    """What is known before a pixel is read."""
    return {
        "shape": " x ".join(map(str, raster.shape)),
        "type": str(raster.dtype),
        "bands": ", ".join(map(str, raster.bands)),
        "crs": raster.crs.to_string() if raster.crs is not None else "none",
        "bounds": raster.bounds or "none",
        "nodata": "none" if raster.nodata is None else raster.nodata,
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


def _statistics(values: np.ndarray[Any, Any], nodata: float | None) -> str:
    valid = values[~np.isnan(values)] if values.dtype.kind in "fc" else values
    if nodata is not None:
        valid = valid[valid != nodata]
    if not valid.size or valid.dtype.kind == "c":
        return f"{100 * valid.size / max(values.size, 1):.1f} % valid"
    return (
        f"min {valid.min():.6g}, max {valid.max():.6g}, mean {valid.mean(dtype='f8'):.6g},"
        f" std {valid.std(dtype='f8'):.6g}, {100 * valid.size / values.size:.1f} % valid"
    )
