"""Where pixels lie by the tags that place them, as GDAL reads them."""

from __future__ import annotations

import struct
import warnings

import numpy as np
import pytest
import rasterio
from raster_files import pixels, write_tiff
from splashdown_geotiff import load_geotiff, open_geotiff
from tiff_tags import set_tag

SCALE, TIEPOINTS, MATRIX = 33550, 33922, 34264
PROFILE = {"crs": "EPSG:32631", "transform": rasterio.Affine(10, 0, 600000, 0, -10, 5700000)}
NORTH_UP = (10, 0, 0, 600000, 0, -10, 0, 5700000, 0, 0, 0, 0, 0, 0, 0, 1)
SOUTH_UP = (10, 0, 0, 600000, 0, 10, 0, 5700000, 0, 0, 0, 0, 0, 0, 0, 1)


def doubles(*values):
    return struct.pack(f"<{len(values)}d", *values)


@pytest.fixture(params=["Area", "Point"])
def placed(request, tmp_path, handle_of):
    """A file with another tag that places it; gives ``(handle, path)``."""
    content = write_tiff(tmp_path / "plain.tif", pixels(1, 8, 8, "u1"), **PROFILE)
    with rasterio.open(tmp_path / "plain.tif", "r+") as file:
        file.update_tags(AREA_OR_POINT=request.param)
    content = (tmp_path / "plain.tif").read_bytes()

    def make(tag, *values, remove=()):
        changed = set_tag(content, tag, 12, doubles(*values), remove=remove)
        (tmp_path / "placed.tif").write_bytes(changed)
        return handle_of(changed), tmp_path / "placed.tif"

    return make


def assert_placed_as_gdal(handle, path):
    with rasterio.open(path) as file:
        assert tuple(open_geotiff(handle).transform) == pytest.approx(tuple(file.transform)[:6], abs=1e-9)


def test_a_negative_height_of_pixels_is_north_up_with_a_warning(placed):
    handle, path = placed(SCALE, 10, -10, 0)
    with pytest.warns(UserWarning, match=r"height of its pixels is negative \(-10\).*read from north to south"):
        assert_placed_as_gdal(handle, path)


@pytest.mark.parametrize(
    ("tag", "values", "remove"),
    [
        (SCALE, (-10, 10, 0), ()),
        (SCALE, (10, 20, 7), ()),
        (TIEPOINTS, (2, 3, 0, 600020, 5699970, 0), ()),
        (TIEPOINTS, (0, 0, 0, 600000, 5700000, 0, 4, 4, 0, 600040, 5699960, 0), ()),
        (MATRIX, NORTH_UP, (SCALE, TIEPOINTS)),
        (MATRIX, SOUTH_UP, (SCALE, TIEPOINTS)),
        (MATRIX, (10, 1, 0, 600000, 2, -10, 0, 5700000, 0, 0, 0, 0, 0, 0, 0, 1), (SCALE, TIEPOINTS)),
        (MATRIX, (99, 0, 0, 1, 0, -99, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1), ()),  # beside a scale, which wins
    ],
)
def test_every_way_to_place_pixels_is_that_of_gdal(placed, tag, values, remove):
    handle, path = placed(tag, *values, remove=remove)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_placed_as_gdal(handle, path)


@pytest.mark.parametrize("values", [(0, 0, 0), (10, 0, 0), (float("nan"), 10, 0), (float("inf"), 10, 0)])
def test_a_scale_that_places_nothing_is_said(placed, values):
    handle, _ = placed(SCALE, *values)
    with pytest.warns(UserWarning, match="no coordinates"):
        assert open_geotiff(handle).transform is None


def test_a_box_of_a_south_up_raster_is_cut_where_it_lies(placed):
    handle, path = placed(MATRIX, *SOUTH_UP, remove=(SCALE, TIEPOINTS))
    with rasterio.open(path) as file:
        expected = file.read(1)[2:4, 1:5]
        shift = file.transform.c - 600000, file.transform.f - 5700000
    west, south = 600010 + shift[0], 5700020 + shift[1]
    found = load_geotiff(handle, bbox=(west + 1, south + 1, west + 39, south + 19))
    np.testing.assert_array_equal(found[0], expected)
    assert (np.diff(found["y"]) == 10).all(), "the order of the file is kept"
