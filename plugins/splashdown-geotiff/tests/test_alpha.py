"""Alpha bands hide pixels where GDAL lets them: by colour interpretation, number of bands and type."""

from __future__ import annotations

import itertools
import struct

import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from raster_files import write_tiff
from splashdown_geotiff import load_numpy, open_geotiff
from tiff_tags import set_tag, set_text

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NodataShadowWarning")
COLORS = ["Undefined", "Alpha", "Gray", "Red", "Blue", "", None]


def pixels_with_alpha(count, dtype="u1"):
    data = np.full((count, 8, 8), 100, dtype)
    data[-1] = np.iinfo(dtype).max if np.dtype(dtype).kind in "iu" else 1
    data[-1, :4] = 0
    data[-1, 4] = 1
    return data


def with_colors(content, colors):
    items = (
        f'<Item name="COLORINTERP" sample="{number}" role="colorinterp">{color}</Item>'
        for number, color in enumerate(colors)
        if color is not None
    )
    return set_text(content, 42112, f"<GDALMetadata>{''.join(items)}</GDALMetadata>")


def assert_hidden_as_gdal(path, handle_of):
    with rasterio.open(path) as file:
        expected = file.read_masks() == 0
    for engine in ("native", "gdal"):
        got = load_numpy(handle_of(path.read_bytes()), masked=True, engine=engine)
        np.testing.assert_array_equal(np.ma.getmaskarray(got), expected)
    return expected


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("photometric", ["minisblack", "rgb"])
@pytest.mark.parametrize("alpha", ["yes", "no", "premultiplied", "unspecified"])
def test_an_alpha_band_hides_what_it_hides_for_gdal(tmp_path, handle_of, count, photometric, alpha):
    path = tmp_path / "alpha.tif"
    if photometric == "rgb" and count < 3:
        photometric = "miniswhite"
    write_tiff(path, pixels_with_alpha(count), photometric=photometric, alpha=alpha)
    assert_hidden_as_gdal(path, handle_of)


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "u4", "f4"])
def test_alpha_of_any_type_hides_as_for_gdal(tmp_path, handle_of, dtype):
    path = tmp_path / "alpha.tif"
    write_tiff(path, pixels_with_alpha(4, dtype), photometric="rgb", alpha="yes")
    assert assert_hidden_as_gdal(path, handle_of).any() == (dtype in {"u1", "u2"})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(colors=st.lists(st.sampled_from(COLORS), min_size=2, max_size=5), rgb=st.booleans(), data=st.data())
def test_colour_interpretation_and_extra_samples_agree_with_gdal(tmp_path, handle_of, colors, rgb, data):
    count = len(colors)
    extra = data.draw(st.lists(st.sampled_from([0, 1, 2]), min_size=1, max_size=count))
    path = tmp_path / "alpha.tif"
    photometric = "rgb" if rgb and count > 2 else "minisblack"
    content = write_tiff(path, pixels_with_alpha(count), photometric=photometric, alpha="yes")
    content = set_tag(content, 338, 3, struct.pack(f"<{len(extra)}H", *extra))
    path.write_bytes(with_colors(content, colors))
    assert_hidden_as_gdal(path, handle_of)


@pytest.mark.parametrize(("mask", "nodata"), list(itertools.product([False, True], [None, 100, 300])))
def test_masks_come_before_nodata_and_nodata_before_alpha(tmp_path, handle_of, mask, nodata):
    path = tmp_path / "alpha.tif"
    hidden = np.full((8, 8), 255, "u1")
    hidden[:, :3] = 0
    content = write_tiff(path, pixels_with_alpha(4), photometric="rgb", alpha="yes", mask=hidden if mask else None)
    if nodata is not None:
        path.write_bytes(set_text(content, 42113, str(nodata)))
    assert_hidden_as_gdal(path, handle_of)
    expected = "internal" if mask else "nodata" if nodata == 100 else "alpha"
    assert open_geotiff(handle_of(path.read_bytes())).mask == expected


def test_an_overview_without_a_mask_takes_that_of_the_finer_level(tmp_path, handle_of):
    path = tmp_path / "late.tif"
    data = np.tile(np.arange(128, dtype="u1"), (1, 128, 1))
    write_tiff(path, data, overviews=(2, 4), tiled=True, blockxsize=16, blockysize=16)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as file:
        file.write_mask((data[0] > 9).astype("u1") * 255)
    handle = handle_of(path.read_bytes())
    for level, hidden in ((0, 5), (1, 2)):
        mask = load_numpy(handle, masked=True, overview=level).mask[0]
        assert (mask.sum(axis=1) == hidden).all()
        np.testing.assert_array_equal(load_numpy(handle, masked=True, overview=level, window=(1, 2, 9, 5)).mask[0],
                                      mask[2:7, 1:10])  # fmt: skip
