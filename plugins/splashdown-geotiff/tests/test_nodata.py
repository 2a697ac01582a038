"""Nodata hides the pixels that GDAL hides, whatever its text makes of it; one that no pixel can have hides none."""

from __future__ import annotations

import math

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from raster_files import pixels, write_tiff
from rasterio.io import MemoryFile
from splashdown_geotiff import load_geotiff, load_numpy, open_geotiff
from splashdown_geotiff._nodata import equals_nodata, held_nodata, parse_nodata
from tiff_tags import set_text

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
NODATA = 42113
LOWEST = -3.4028234663852886e38


@pytest.fixture
def file_with(tmp_path, handle_of):
    """A file of this data whose nodata is this text: its handle and its path."""

    def make(data, text, **profile):
        path = tmp_path / "nodata.tif"
        path.write_bytes(set_text(write_tiff(path, data, **profile), NODATA, text))
        return handle_of(path.read_bytes()), path

    return make


def assert_hidden_as_gdal(handle, path):
    with rasterio.open(path) as file:
        expected = file.read_masks() == 0
    np.testing.assert_array_equal(np.ma.getmaskarray(load_numpy(handle, masked=True)), expected)
    return expected


@pytest.mark.parametrize("text", ["-3.40282e+38", "-3.402823e+38", "-3.4028235e+38", "-3.39999999999999996e+38"])
def test_the_lowest_float_is_known_with_fewer_digits(file_with, text):
    data = pixels(1, 40, 40, "f4")
    data[0, :7] = LOWEST
    handle, path = file_with(data, text)
    assert assert_hidden_as_gdal(handle, path).sum() == 280
    array = load_geotiff(handle, masked=True)
    assert float(array.min()) > -1e4
    array.rio.to_raster(path.with_name("again.tif"))
    assert_hidden_as_gdal(*file_with(data, text))


def test_digits_of_a_float32_are_enough_for_a_float64(file_with):
    data = pixels(1, 40, 40, "f8")
    data[0, 3] = -(2.0**100)
    assert assert_hidden_as_gdal(*file_with(data, "-1.2676506e+30")).sum() == 40


def test_fewer_digits_are_known_at_every_overview(tmp_path, handle_of):
    data = pixels(1, 256, 256, "f4")
    data[0, :100] = LOWEST
    path = tmp_path / "levels.tif"
    content = write_tiff(path, data, overviews=(2, 4), nodata=LOWEST, tiled=True, blockxsize=64, blockysize=64)
    path.write_bytes(set_text(content, NODATA, "-3.40282e+38"))
    handle = handle_of(path.read_bytes())
    for level in (0, 1):
        with rasterio.open(path, overview_level=level) as file:
            expected = file.read_masks() == 0
        assert expected.any()
        np.testing.assert_array_equal(load_numpy(handle, masked=True, overview=level).mask, expected)


NUMBERS = {
    "f4": st.floats(width=32, allow_nan=False),
    "f8": st.floats(allow_nan=False),
    "i2": st.integers(-32768, 32767),
    "u1": st.integers(0, 255),
}


@given(dtype=st.sampled_from(sorted(NUMBERS)), shift=st.floats(-3e-6, 3e-6), digits=st.integers(2, 17), data=st.data())
def test_any_number_hides_what_gdal_hides(dtype, shift, digits, data):
    value = data.draw(NUMBERS[dtype])
    with np.errstate(over="ignore"):
        near = [value, value * (1 + shift)] if dtype[0] == "f" else [value]
        stored = np.array([[[*near, 0, 1, 100]]], dtype)
    text = f"{value:.{digits}g}" if dtype[0] == "f" else str(value)
    with MemoryFile() as memory:
        profile = {"driver": "GTiff", "width": stored.shape[2], "height": 1, "count": 1, "dtype": stored.dtype}
        with memory.open(**profile, transform=rasterio.Affine(1, 0, 5, 0, -1, 5)) as file:
            file.write(stored)
        content = set_text(bytes(memory.getbuffer()), NODATA, text)
    with MemoryFile(content) as memory, memory.open() as file:
        expected = file.read_masks() == 0
    nodata = held_nodata(parse_nodata(text), stored.dtype)
    found = np.zeros(stored.shape, bool) if nodata is None else equals_nodata(nodata, stored)
    np.testing.assert_array_equal(found, expected)


def test_large_arrays_are_compared_to_their_end():
    stored = np.full(3 << 20, 5, "f4")
    stored[[0, (1 << 20) + 1, -1]] = LOWEST
    assert np.flatnonzero(equals_nodata(-3.40282e38, stored)).tolist() == [0, (1 << 20) + 1, (3 << 20) - 1]
    stored[stored < 0] = -9999.001
    assert equals_nodata(-9999, stored).sum() == 3


def test_complex_pixels_are_compared_by_their_real_part(file_with):
    data = np.array([[[0, -9999, -9999 + 5j, 3 - 9999j]]], "c8")
    assert assert_hidden_as_gdal(*file_with(data, "-9999")).sum() == 2


@pytest.mark.parametrize(
    ("dtype", "text"),
    [
        ("u1", "-9999"),
        ("u1", "256"),
        ("u1", "nan"),
        ("u1", "-3.40282e+38"),
        ("i2", "65535"),
        ("i2", "-32769"),
        ("u2", "-1"),
        ("i1", "128"),
        ("u4", "4294967296"),
        ("u4", "inf"),
    ],
)
def test_nodata_that_no_pixel_can_have_is_absent(file_with, dtype, text):
    handle, path = file_with(pixels(1, 20, 20, dtype), text)
    assert not assert_hidden_as_gdal(handle, path).any()
    raster, array = open_geotiff(handle), load_geotiff(handle)
    assert (raster.nodata, raster.mask) == (None, "")
    assert "_FillValue" not in array.attrs
    array.rename("v").to_netcdf(path.with_suffix(".nc"))
    array.rio.to_raster(path.with_name("again.tif"))
    assert open_geotiff(handle, engine="gdal").nodata is None


@pytest.mark.parametrize(("dtype", "text"), [("u1", "0.5"), ("i8", "18446744073709551615"), ("u8", "-1"), ("i4", "no")])
def test_no_pixel_is_hidden_by_a_part_of_a_number(file_with, dtype, text):
    handle, _ = file_with(np.array([[[0, 1, np.iinfo(dtype).max]]], dtype), text)
    assert open_geotiff(handle).nodata is None
    assert not np.ma.getmaskarray(load_numpy(handle, masked=True)).any()


def test_alpha_hides_where_nodata_cannot(file_with):
    data = np.full((4, 8, 8), 100, "u1")
    data[3] = 255
    data[3, :4] = 0
    handle, path = file_with(data, "-10000", photometric="rgb", alpha="yes")
    with rasterio.open(path) as file:
        expected = file.read_masks(1) == 0
    assert open_geotiff(handle).mask == "alpha"
    np.testing.assert_array_equal(load_numpy(handle, masked=True).mask[0], expected)


def test_pixels_that_are_not_stored_are_filled_as_gdal_fills_them(tmp_path, handle_of):
    path = tmp_path / "sparse.tif"
    options = {"tiled": True, "blockxsize": 16, "blockysize": 16, "sparse_ok": True, "compress": "deflate"}
    with rasterio.open(path, "w", driver="GTiff", width=64, height=64, count=1, dtype="uint8", **options) as file:
        file.write(np.ones((1, 8, 8), "u1"), window=rasterio.windows.Window(0, 0, 8, 8))
    for text in ("300", "-5", "7"):
        path.write_bytes(set_text(path.read_bytes(), NODATA, text))
        with rasterio.open(path) as file:
            np.testing.assert_array_equal(load_numpy(handle_of(path.read_bytes())), file.read())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-9999abc", -9999),
        (" -9999 ", -9999),
        ("-9999,5", -9999.5),
        ("1.#INF", math.inf),
        ("-1.#INF", -math.inf),
        ("1e400", math.inf),
        ("none", None),
        ("", None),
    ],
)
def test_text_is_read_as_far_as_it_is_a_number(text, expected):
    assert parse_nodata(text) == expected


@pytest.mark.parametrize("text", ["nan", "-NaN", "1.#QNAN", "-1.#IND"])
def test_nan_has_many_names(text):
    assert math.isnan(parse_nodata(text))


def values_file(tiff, data, text, **profile):
    """A file with GDAL's item for one nodata value for each band."""
    _, path = tiff(data, **profile)
    with rasterio.open(path, "r+") as file:
        file.update_tags(NODATA_VALUES=text)
    return path


@pytest.mark.parametrize("dtype", ["u1", "i2", "f4", "f8"])
@pytest.mark.parametrize(("text", "nodata"), [("7 8 9", None), ("7 8 9", 5), ("7.0 8 9e0", None), ("7 8 300000", None)])
def test_a_pixel_with_the_nodata_value_of_each_band_is_hidden(tiff, handle_of, dtype, text, nodata):
    data = np.full((3, 20, 20), 1, dtype)
    data[:, 3:9, 4:12] = np.array([7, 8, 9], dtype)[:, None, None]
    data[:1, 12:15] = 7  # one band alone hides nothing
    path = values_file(tiff, data, text, nodata=nodata)
    with rasterio.open(path) as file:
        expected = file.read_masks() == 0
    handle = handle_of(path.read_bytes())
    assert open_geotiff(handle).mask == "nodata-values"
    np.testing.assert_array_equal(np.ma.getmaskarray(load_numpy(handle, masked=True)), expected)
    # Bands that are not read decide, too.
    one = load_numpy(handle, masked=True, bands=[2], window=(2, 2, 9, 9))
    np.testing.assert_array_equal(np.ma.getmaskarray(one), expected[1:2, 2:11, 2:11])
    assert expected.any() == ("300000" not in text)


@pytest.mark.parametrize("text", ["7 8", "7,8,9", "a b c", "", "7 8 9 10"])
def test_nodata_values_of_another_form_are_ignored_with_a_warning(tiff, handle_of, text):
    path = values_file(tiff, np.full((3, 4, 4), 7, "u1"), text)
    with pytest.warns(UserWarning, match="NODATA_VALUES is .* not one number for each of 3 bands: it is ignored"):
        assert not np.ma.getmaskarray(load_numpy(handle_of(path.read_bytes()), masked=True)).any()
