"""Boxes of degrees on rasters from -180 to 180 and from 0 to 360, and across the antimeridian."""

from __future__ import annotations

import numpy as np
import pytest
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


def test_a_box_at_both_ends_of_a_raster_says_which_halves_to_read(world):
    halves = r"\(170\.0, -10\.0, 180\.0, 10\.0\) and \(-180\.0, -10\.0, -170\.0, 10\.0\)"
    with pytest.raises(OptionError, match=f"both sides of the antimeridian; read its halves, {halves}"):
        load_geotiff(world(-180), bbox=(170, -10, -170, 10))


def test_a_box_beside_the_raster_is_still_refused(world):
    with pytest.raises(LoadError, match="does not touch the raster"):
        load_geotiff(world(10, 20), bbox=(50, 0, 60, 5))


def test_a_box_of_metres_is_never_turned(tiff):
    handle, _ = tiff(np.zeros((1, 10, 10), "u1"))
    with pytest.raises(OptionError, match="west has to be below east"):
        load_geotiff(handle, bbox=(100, 0, 50, 5))
