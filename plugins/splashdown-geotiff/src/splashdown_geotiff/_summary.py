"""The few facts about a raster that a person asks for first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from splashdown.protocols import AssetHandle
from splashdown_geotiff._loaders import load_png, open_geotiff
from splashdown_geotiff._names import instant
from splashdown_geotiff._values import output_type

if TYPE_CHECKING:
    from splashdown_geotiff._raster import GeoTIFF

#: Arguments that say how pixels are handed out: here they are counted, and only those that are valid.
_FORM = ("masked", "chunks")


def summarise(
    asset: AssetHandle, *, engine: str = "auto", max_bytes: int | None = None, **options: Any
) -> Mapping[str, object]:
    """Shape, CRS, bounds, nodata, and per band the statistics of its valid pixels; options as for ``load_geotiff``."""
    raster = open_geotiff(asset, engine=engine)
    form = {name: options.pop(name) for name in _FORM if name in options}
    scaled = bool(options.pop("scaled", False))
    chosen = raster.select(**options)
    pixels = raster.read_numpy(masked=True, scaled=scaled, max_bytes=max_bytes, **options)
    width, height = chosen.window.width, chosen.window.height
    bounds = None if chosen.transform is None else chosen.transform.bounds(width, height)
    return {
        "shape": _shape(*pixels.shape),
        "type": str(output_type(raster.dtype, masked=bool(form.get("masked")), scaled=scaled)),
        **_place(raster, bounds),
        **_time(asset),
        "statistics": [
            {"band": str(raster.bands[number]), **_statistics(band)}
            for number, band in zip(chosen.bands, pixels, strict=True)
        ],
    }


def summarise_open(asset: AssetHandle, **options: Any) -> Mapping[str, object]:
    """Facts that need no pixels."""
    raster = open_geotiff(asset, **options)
    return {
        "shape": _shape(*raster.shape),
        "type": str(raster.dtype),
        "bands": ", ".join(map(str, raster.bands)),
        **_place(raster, raster.bounds),
        **_time(asset),
        "overviews": ", ".join(f"{w} x {h}" for w, h in raster.overviews) or "none",
    }


def summarise_image(asset: AssetHandle, **options: Any) -> Mapping[str, object]:
    """Size and type of a picture."""
    pixels = load_png(asset, **options)
    return {"shape": " x ".join(map(str, pixels.shape)), "type": str(pixels.dtype)}


def _place(raster: GeoTIFF, bounds: tuple[float, ...] | None) -> Mapping[str, object]:
    return {
        "crs": "none" if raster.crs is None else raster.crs.to_string(),
        "bounds": "none" if bounds is None else ", ".join(f"{value:.10g}" for value in bounds),
        "nodata": "none" if raster.nodata is None else str(raster.nodata),
        **({"mask": raster.mask} if raster.mask in {"internal", "alpha"} else {}),
    }


def _time(asset: AssetHandle) -> Mapping[str, object]:
    time = instant(asset.asset)
    return {} if time is None else {"time": str(np.datetime_as_string(time, unit="s"))}


def _shape(bands: int, rows: int, columns: int) -> str:
    return f"{bands} band{'s' if bands > 1 else ''}, {rows} x {columns} pixels (y, x)"


def _statistics(values: np.ma.MaskedArray[Any, Any]) -> Mapping[str, object]:
    """Of the pixels that have data; complex numbers have no order, and so no extremes."""
    valid = values.compressed()
    if valid.dtype.kind in "fc":
        valid = valid[~np.isnan(valid)]
    share = round(100 * valid.size / max(values.size, 1), 1)
    if not valid.size or valid.dtype.kind == "c":
        return {"valid %": share}
    with np.errstate(invalid="ignore", over="ignore"):  # of infinite values; what comes out says so
        return {
            "min": valid.min().item(),
            "max": valid.max().item(),
            "mean": valid.mean(dtype="f8").item(),
            "std": valid.std(dtype="f8").item(),
            "valid %": share,
        }
