"""Boxes of degrees on rasters from -180 to 180 and from 0 to 360, and across the antimeridian."""

from __future__ import annotations

import numpy as np
import pytest
import rioxarray
from rasterio.transform import from_origin
from splashdown_geotiff import load_geotiff

from splashdown.errors import LoadError, OptionError


@pytest.fixture
def world(tiff):
    """A raster of one pixel a degree that begins at a longitude."""

    def make(left, width=360):
        data = np.tile(np.arange(width, dtype="i2"), (1, 180, 1))
        return tiff(data, crs="EPSG:4326", transform=from_origin(left, 90, 1, 1))[0]

    return make


@pytest.mark.parametrize("crs", [None, "EPSG:4326", "OGC:CRS84"])
@pytest.mark.parametrize(
    ("left", "bbox", "first", "count"),
    [
        (0, (-20, 0, -10, 5), 340, 10),
        (0, (10, 0, 20, 5), 10, 10),
        (0, (170, 0, -170, 5), 170, 20),
        (-180, (190, 0, 200, 5), 10, 10),
        (-180, (170, 0, 180, 5), 350, 10),
    ],
)
def test_a_box_is_found_by_the_longitudes_of_the_raster(world, left, bbox, first, count, crs):
    array = load_geotiff(world(left), bbox=bbox, bbox_crs=crs if bbox[2] <= 180 else None)
    assert array[0, 0].values.tolist() == list(range(first, first + count))


def test_half_of_a_box_is_enough(world):
    array = load_geotiff(world(100, 80), bbox=(170, 0, -170, 5))
    assert array[0, 0].values.tolist() == list(range(70, 80))


@pytest.mark.parametrize(
    ("left", "bbox", "first", "count"),
    [
        (-180, (170, -10, -170, 10), 350, 20),
        (-180, (-190, -10, -170, 10), 350, 20),
        (-180, (170, -10, 190, 10), 350, 20),
        (-180, (0, -10, 360, 10), 0, 360),
        (0, (-180, -10, 180, 10), 0, 360),
        (-180, (-180, -10, 180, 10), 0, 360),
        (-180, (-180.0000001, -10, -170, 10), 0, 10),
        (0, (-10, -10, 10, 10), 350, 20),
        (0, (10, -10, -10, 10), 10, 340),
    ],
)
def test_a_box_at_both_ends_of_a_raster_is_read_as_one(world, left, bbox, first, count):
    array = load_geotiff(world(left), bbox=bbox, bbox_crs="EPSG:4326")
    assert array[0, 0].values.tolist() == [(first + n) % 360 for n in range(count)]
    start = left + first if left + first <= 180 or left == 0 else left + first - 360
    np.testing.assert_allclose(array.x, start + 0.5 + np.arange(count))
    assert array.rio.bounds()[0] == start


def test_a_box_at_both_ends_has_the_mask_and_blocks_of_both(tiff):
    data = np.tile(np.arange(360, dtype="u1") % 250, (1, 180, 1))
    mask = np.tile(np.arange(360) % 3 > 0, (180, 1))
    kind = {"crs": "EPSG:4326", "transform": from_origin(-180, 90, 1, 1), "tiled": True, "blockxsize": 64}
    handle, path = tiff(data, mask=mask, blockysize=64, **kind)
    options = {"bbox": (150, -60, -140, 60), "masked": True}
    array = load_geotiff(handle, **options)
    with rioxarray.open_rasterio(path, masked=True) as stored:
        halves = [stored.rio.clip_box(*half)[0].values for half in ((150, -60, 180, 60), (-180, -60, -140, 60))]
    np.testing.assert_array_equal(array[0], np.concatenate(halves, axis=1))
    lazy = load_geotiff(handle, **options, chunks={"x": 16, "y": 50})
    np.testing.assert_array_equal(lazy, array)
    np.testing.assert_array_equal(lazy[0, 3, 28:33], array[0, 3, 28:33])


def test_a_box_at_both_ends_of_other_rasters_says_which_halves_to_read(world, tiff):
    halves = r"\(170\.0, -10\.0, 180\.0, 10\.0\) and \(-180\.0, -10\.0, -170\.0, 10\.0\)"
    half = 20037508.342789244
    metres = {"crs": "EPSG:3857", "transform": from_origin(-half, half, half / 50, half / 50)}
    mercator, _ = tiff(np.zeros((1, 100, 100), "u1"), **metres)
    for handle in (world(-180, 355), mercator):
        with pytest.raises(OptionError, match=f"both sides of the antimeridian; read its halves, {halves}"):
            load_geotiff(handle, bbox=(170, -10, -170, 10), bbox_crs="EPSG:4326")


def test_a_box_beside_the_raster_is_still_refused(world):
    with pytest.raises(LoadError, match="does not touch the raster"):
        load_geotiff(world(10, 20), bbox=(50, 0, 60, 5))


def test_a_box_of_metres_is_never_turned(tiff):
    handle, _ = tiff(np.zeros((1, 10, 10), "u1"))
    with pytest.raises(OptionError, match="west has to be below east"):
        load_geotiff(handle, bbox=(100, 0, 50, 5))
