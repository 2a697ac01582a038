"""The loaders keep the contract of loaders."""

from __future__ import annotations

from dataclasses import replace

import imagecodecs
import numpy as np
import pytest
import splashdown_geotiff
from raster_files import pixels, write_tiff

from splashdown.errors import LoadError
from splashdown.testing import LoaderContract, MemoryHandle, make_asset

SPECS = {spec.name: spec for spec in splashdown_geotiff.splashdown_loaders()}
DATA = pixels(2, 80, 90, "i2")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The bytes of a file of 30 tiles in two bands."""
    path = tmp_path_factory.mktemp("good") / "x.tif"
    return write_tiff(path, DATA, tiled=True, blockxsize=16, blockysize=16, compress="deflate")


class GeoTiffContract(LoaderContract):
    @pytest.fixture
    def good(self, written):
        return written


class TestGeoTiff(GeoTiffContract):
    @pytest.fixture
    def spec(self):
        return SPECS["geotiff"]

    def check(self, loaded):
        np.testing.assert_array_equal(loaded, DATA)


class TestNumpy(GeoTiffContract):
    @pytest.fixture
    def spec(self):
        return SPECS["numpy"]

    def check(self, loaded):
        np.testing.assert_array_equal(loaded, DATA)


class TestHandle(GeoTiffContract):
    @pytest.fixture
    def spec(self):
        # Opening reads no pixels, so that a file which is cut off fails with its first read.
        def load(asset, *, engine="auto"):
            raster = SPECS["geotiff-handle"].load(asset, engine=engine)
            raster.read()
            return raster

        return replace(SPECS["geotiff-handle"], load=load)

    def check(self, loaded):
        np.testing.assert_array_equal(loaded.read(bands=[2]), DATA[1:])


class TestCube(GeoTiffContract):
    @pytest.fixture
    def spec(self):
        return SPECS["cube"]

    def handle(self, spec, data):
        return MemoryHandle(data, make_asset("data_2023-06-01.tif"))

    def check(self, loaded):
        bands = [loaded[name].isel(time=0) for name in loaded]
        np.testing.assert_array_equal(np.stack(bands), DATA)


class TestPng(LoaderContract):
    PIXELS = np.random.default_rng(0).integers(0, 255, (40, 50, 3), np.uint8)

    @pytest.fixture
    def spec(self):
        return SPECS["png"]

    @pytest.fixture
    def good(self):
        return imagecodecs.png_encode(self.PIXELS)

    def check(self, loaded):
        np.testing.assert_array_equal(loaded, self.PIXELS)

    def test_a_picture_over_the_cap_is_refused_before_it_is_decoded(self, spec, good):
        declares_much = good[:16] + (1 << 30).to_bytes(4, "big") * 2 + good[24:]
        with pytest.raises(LoadError, match="max_bytes"):
            spec.load(self.handle(spec, declares_much))


def test_importing_the_plugin_loads_nothing_heavy():
    import subprocess
    import sys

    code = (
        "import sys, splashdown_geotiff as s; list(s.splashdown_loaders());"
        "print([m for m in ('numpy', 'xarray', 'pyproj', 'imagecodecs', 'rasterio') if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
