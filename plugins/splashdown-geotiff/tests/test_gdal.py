"""GDAL as the engine: the same results, and the codings that only it reads."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import rasterio
from raster_files import pixels
from splashdown_geotiff import _gdal, load_geotiff, load_numpy, open_geotiff

from splashdown.errors import LoadError

BASE = {"tiled": True, "blockxsize": 64, "blockysize": 64, "nodata": -70}


def test_both_engines_give_the_same_array(tiff):
    data = pixels(3, 150, 140, "i2")
    handle, _ = tiff(data, overviews=(2,), descriptions=["a", "b", "c"], tags={"K": "v"}, interleave="band", **BASE)
    for options in (
        {},
        {"bands": ["c", "a"], "window": (10, 20, 90, 70)},
        {"overview": 0, "masked": True},
        {"bbox": (3.002, 50.54, 3.01, 50.545), "bbox_crs": 4326, "masked": True},
    ):
        native = load_geotiff(handle, engine="native", **options)
        gdal = load_geotiff(handle, engine="gdal", **options)
        assert native.identical(gdal) or (native.equals(gdal) and native.attrs == gdal.attrs)
        assert native.rio.crs == gdal.rio.crs
        assert native.rio.transform() == gdal.rio.transform()


def test_gdal_is_not_asked_about_very_many_bands(tiff, monkeypatch):
    monkeypatch.setattr(_gdal, "GDAL_BANDS", 3)
    handle, _ = tiff(np.ones((4, 1, 1), "u1"))
    with pytest.raises(LoadError, match="it has 4 bands, more than 3: refused"):
        load_numpy(handle, engine="gdal")


def test_both_engines_mask_alike(tiff):
    data = pixels(2, 150, 140, "u1")
    mask = np.full((150, 140), 255, "u1")
    mask[:40] = 0
    handle, _ = tiff(data, mask=mask)
    native, gdal = (load_numpy(handle, masked=True, engine=engine) for engine in ("native", "gdal"))
    np.testing.assert_array_equal(native.mask, gdal.mask)
    np.testing.assert_array_equal(native.data, gdal.data)


@pytest.mark.parametrize(
    ("dtype", "profile"),
    [
        ("u1", {"compress": "ccittfax4", "nbits": 1}),
        ("u1", {"compress": "ccittrle", "nbits": 1}),
        ("i4", {"nbits": 32, "compress": "deflate", "predictor": 2}),
    ],
)
def test_what_only_gdal_reads_is_given_to_it(tiff, dtype, profile):
    data = pixels(1, 80, 70, dtype) % 2 if "nbits" in profile and profile["nbits"] == 1 else pixels(1, 80, 70, dtype)
    handle, path = tiff(data, tiled=False, **profile)
    with rasterio.open(path) as file:
        expected = file.read()
    np.testing.assert_array_equal(load_numpy(handle), expected)
    np.testing.assert_array_equal(load_numpy(handle, window=(5, 6, 30, 20)), expected[:, 6:26, 5:35])


def test_without_rasterio_it_says_what_to_install(tiff, monkeypatch):
    handle, _ = tiff(pixels(1, 80, 70, "u1") % 2, tiled=False, compress="ccittfax4", nbits=1)
    monkeypatch.setitem(sys.modules, "rasterio", None)
    with pytest.raises(LoadError, match=r"compression 4: only GDAL reads it.*splashdown-geotiff\[gdal\]"):
        open_geotiff(handle)
    with pytest.raises(LoadError, match=r"compression 4$"):
        open_geotiff(handle, engine="native")


def test_a_damaged_file_is_a_load_error(tiff, handle_of):
    handle, _ = tiff(pixels(1, 200, 200, "u2"), compress="deflate")
    with pytest.raises(LoadError, match=r"x\.tif: GDAL cannot"):
        load_numpy(handle_of(handle.bytes()[:-4000]), engine="gdal")
