"""Rasters that lie by ground control points or RPCs: kept where rioxarray keeps them, and no CRS on pixel numbers."""

from __future__ import annotations

import json
import warnings

import numpy as np
import odc.geo.xr  # noqa: F401 - registers the accessor `.odc`
import pytest
import rasterio
import rioxarray
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from raster_files import pixels
from rasterio.control import GroundControlPoint
from rasterio.rpc import RPC
from splashdown_geotiff import load_geotiff, load_geotiffs, open_geotiff

from splashdown.errors import LoadError

pytestmark = [
    pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning"),
    pytest.mark.filterwarnings("ignore:.*it lies by"),
    pytest.mark.filterwarnings("ignore:.*it names a CRS"),
]
POINTS = [
    GroundControlPoint(0, 0, 5, 51, 0),
    GroundControlPoint(64, 0, 5.1, 50.8, 10.5),
    GroundControlPoint(0, 64, 5.3, 51.05, 0),
    GroundControlPoint(64, 64, 5.4, 50.85, 0),
]


@pytest.fixture
def file_with(tmp_path, handle_of):
    """A file without a transform, with what ``place`` sets: its handle and its path."""

    def make(place, key="control_2024-05-06.tif", **profile):
        path = tmp_path / key
        options = {"driver": "GTiff", "width": 64, "height": 64, "count": 1, "dtype": "uint16", **profile}
        with rasterio.open(path, "w", **options) as file:
            file.write(pixels(1, 64, 64, "u2"))
            place(file)
        with rasterio.open(path, "r+") as file:
            file.build_overviews([2])
        return handle_of(path.read_bytes(), key), path

    return make


def with_points(file, points=POINTS, crs="EPSG:4326"):
    file.gcps = (points, rasterio.CRS.from_string(crs))


def found(array):
    return [(p.row, p.col, p.x, p.y, p.z) for p in array.rio.get_gcps()]


@pytest.mark.parametrize("engine", ["native", "gdal"])
@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32631"])
def test_points_are_where_rioxarray_keeps_them(file_with, engine, crs):
    handle, path = file_with(lambda file: with_points(file, crs=crs))
    with pytest.warns(UserWarning, match="it lies by 4 ground control points, not by a transform"):
        array = load_geotiff(handle, engine=engine)
    expected = rioxarray.open_rasterio(path)
    assert found(array) == found(expected)
    assert array.rio.crs == expected.rio.crs == crs
    assert not {"x", "y"} & set(array.coords)
    assert array.odc.geobox.crs == crs
    raster = open_geotiff(handle, engine=engine)
    assert (raster.crs, raster.transform, raster.bounds) == (None, None, None)
    warped, wanted = (each.rio.reproject("EPSG:4326") for each in (array, expected))
    np.testing.assert_array_equal(warped, wanted)


def test_points_move_with_the_window_and_the_level(file_with):
    handle, _ = file_with(with_points)
    window = found(load_geotiff(handle, window=(10, 20, 30, 30)))
    assert [point[:2] for point in window] == [(-20, -10), (44, -10), (-20, 54), (44, 54)]
    overview = found(load_geotiff(handle, overview=0, window=(5, 0, 10, 10)))
    assert [point[:2] for point in overview] == [(0, -5), (32, -5), (0, 27), (32, 27)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(
    numbers=st.lists(st.tuples(*[st.floats(-1e6, 1e6)] * 5), min_size=1, max_size=8),
    point=st.sampled_from(["Area", "Point"]),
)
def test_any_points_are_those_that_gdal_reads(file_with, numbers, point):
    def place(file):
        file.update_tags(AREA_OR_POINT=point)
        with_points(file, [GroundControlPoint(*each) for each in numbers])

    handle, path = file_with(place)
    with rasterio.open(path) as file:
        expected = [(p.col, p.row, p.x, p.y, p.z) for p in file.gcps[0]]
    control = open_geotiff(handle).control
    np.testing.assert_allclose([] if control is None else control.points, expected, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("engine", ["native", "gdal"])
def test_rpcs_are_kept_and_pixels_have_no_crs(file_with, engine):
    coefficients = {name: [float(n) / 8 for n in range(20)] for name in
                    ("line_den_coeff", "line_num_coeff", "samp_den_coeff", "samp_num_coeff")}  # fmt: skip
    numbers = ("height_off", "height_scale", "lat_off", "lat_scale", "line_off", "line_scale", "long_off",
               "long_scale", "samp_off", "samp_scale", "err_bias", "err_rand")  # fmt: skip
    rpcs = RPC(**coefficients, **{name: n + 0.1 for n, name in enumerate(numbers)})
    handle, path = file_with(lambda file: setattr(file, "rpcs", rpcs), crs="EPSG:4326")
    with pytest.warns(UserWarning, match="it lies by RPCs"):
        array = load_geotiff(handle, engine=engine)
    kept = RPC.from_gdal(json.loads(array.spatial_ref.attrs["rpcs"]))
    with rasterio.open(path) as file:
        assert kept == file.rpcs
    assert array.rio.crs is None
    assert "units" not in array.x.attrs


def test_a_crs_without_a_place_is_not_put_on_pixel_numbers(file_with):
    handle, _ = file_with(lambda file: None, crs="EPSG:4326")
    with pytest.warns(UserWarning, match=r"names a CRS \(WGS 84\) but not where it lies"):
        array = load_geotiff(handle)
    assert array.rio.crs is None
    assert "units" not in array.x.attrs
    assert open_geotiff(handle).crs.to_epsg() == 4326


def test_a_file_without_any_place_is_no_reason_to_warn(file_with):
    handle, _ = file_with(lambda file: None)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        load_geotiff(handle)


def test_rasters_that_lie_by_other_points_are_not_stacked(file_with):
    one, _ = file_with(with_points)
    other, _ = file_with(lambda file: with_points(file, POINTS[:3]), "control_2024-05-07.tif")
    assert load_geotiffs([one]).rio.get_gcps()
    with pytest.raises(LoadError, match="do not share a grid: ground control"):
        load_geotiffs([one, other])
