"""GeoTIFF files for tests, written by GDAL."""

from __future__ import annotations

import numpy as np
import rasterio
from rasterio.transform import from_origin

UTM = {"crs": "EPSG:32631", "transform": from_origin(500000, 5600000, 10, 10)}


def pixels(count, height, width, dtype, seed=0):
    """Smooth values with noise, so that predictors have something to predict; every type's sign is used."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    wave = np.stack([60 + 40 * np.sin(x / 9 + b) + 20 * np.cos(y / 7) for b in range(count)])
    wave = wave + rng.integers(0, 5, wave.shape)
    dtype = np.dtype(dtype)
    if dtype.kind == "c":
        return (wave + 1j * wave[:, ::-1]).astype(dtype)
    if dtype.kind == "i":
        wave = wave - 70
    if dtype.kind == "f":
        wave = wave / 7
    return wave.astype(dtype)


def write_tiff(
    path, data, *, mask=None, descriptions=(), tags=None, band_tags=None, overviews=(), nodata=None, **profile
):
    """Write ``data`` (band, y, x) with GDAL; returns the file's bytes."""
    profile = {**UTM, **profile}
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True, GDAL_TIFF_OVR_BLOCKSIZE="64"):
        with rasterio.open(
            path, "w", driver=profile.pop("driver", "GTiff"), count=data.shape[0], height=data.shape[1], width=data.shape[2],
            dtype=profile.pop("dtype", data.dtype), nodata=nodata, **profile,
        ) as file:  # fmt: skip
            file.write(data)
            if mask is not None:
                file.write_mask(mask)
            for number, text in enumerate(descriptions, 1):
                file.set_band_description(number, text)
            if tags:
                file.update_tags(**tags)
            for number, items in (band_tags or {}).items():
                file.update_tags(number, **items)
        if overviews:
            with rasterio.open(path, "r+") as file:
                file.build_overviews(list(overviews), rasterio.enums.Resampling.nearest)
    return path.read_bytes()
