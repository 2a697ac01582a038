"""The array that a user gets: coordinates, CRS, names, masks and scales, as rioxarray, odc-geo and GDAL see them."""

from __future__ import annotations

import datetime as dt

import numpy as np
import odc.geo.xr  # noqa: F401 - registers the accessor `.odc`
import pytest
import rasterio
import rioxarray
from affine import Affine
from pyproj import CRS, Transformer
from raster_files import UTM, pixels
from splashdown_geotiff import load_geotiff, load_numpy, open_geotiff

TILED = {"tiled": True, "blockxsize": 64, "blockysize": 64, "compress": "deflate"}
#: As openEO back-ends write them: 256 x 256 tiles, deflate, bands one after the other, names in a tag of the band.
OPENEO = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate", "interleave": "band"}
NAMES = {1: {"DESCRIPTION": "B04"}, 2: {"DESCRIPTION": "B03"}, 3: {"DESCRIPTION": "B02"}}


@pytest.fixture
def openeo_file(tiff):
    """A file as openEO's back-ends write it, with 30 x 20 pixels that have no data."""
    data = pixels(3, 300, 400, "i2")
    data[:, :20, :30] = -32768
    handle, path = tiff(data, "openEO_2023-06-01Z.tif", nodata=-32768, band_tags=NAMES, predictor=2, **OPENEO)
    return handle, path, data


def test_an_openeo_file_comes_with_its_names_and_date(openeo_file):
    handle, _, data = openeo_file
    array = load_geotiff(handle)
    assert array.dims == ("band", "y", "x")
    assert array.coords["band"].values.tolist() == ["B04", "B03", "B02"]
    assert array.coords["t"].values == np.datetime64("2023-06-01T00:00:00")
    assert array.dtype == np.int16
    assert array.attrs["_FillValue"] == -32768
    np.testing.assert_array_equal(array.values, data)


def test_it_lies_where_rioxarray_says(openeo_file):
    handle, path, _ = openeo_file
    array, expected = load_geotiff(handle), rioxarray.open_rasterio(path)
    np.testing.assert_array_equal(array.x, expected.x)
    np.testing.assert_array_equal(array.y, expected.y)
    assert array.rio.crs == expected.rio.crs
    assert array.rio.transform() == expected.rio.transform()
    assert array.rio.bounds() == expected.rio.bounds()
    assert array.rio.nodata == -32768
    assert array.odc.geobox == expected.odc.geobox
    assert array.odc.geobox.crs.epsg == 32631


def test_masked_is_what_rioxarray_masks_and_can_be_written(openeo_file, tmp_path):
    handle, path, _ = openeo_file
    array = load_geotiff(handle, masked=True)
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array, rioxarray.open_rasterio(path, masked=True))
    array.rio.to_raster(tmp_path / "again.tif")
    with rasterio.open(tmp_path / "again.tif") as file:
        assert file.nodata == -32768
        assert (file.read(1)[:20, :30] == -32768).all()


def test_the_numpy_form_keeps_the_type_and_masks_beside_it(openeo_file):
    handle, _, data = openeo_file
    plain = load_numpy(handle)
    assert type(plain) is np.ndarray
    masked = load_numpy(handle, masked=True, bands="B03")
    assert masked.dtype == np.int16
    assert masked.fill_value == -32768
    assert masked.mask.sum() == 600
    np.testing.assert_array_equal(masked.data, data[1:2])


def test_bands_keep_the_order_that_was_asked_for(openeo_file):
    handle, _, data = openeo_file
    array = load_geotiff(handle, bands=["B02", "B04"])
    assert array.coords["band"].values.tolist() == ["B02", "B04"]
    np.testing.assert_array_equal(array, data[[2, 0]])
    np.testing.assert_array_equal(load_geotiff(handle, bands=[3, 1]), data[[2, 0]])


def test_a_band_of_a_band_interleaved_file_is_all_that_is_read(tiff):
    data = np.random.default_rng(0).integers(0, 30000, (3, 256, 256), "i2")
    handle, _ = tiff(data, **OPENEO)
    np.testing.assert_array_equal(load_geotiff(handle, bands=2)[0], data[1])
    assert sum(stop - start for start, stop in handle.reads[1:]) < handle.size / 2


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"bands": [{"name": "a"}, {"name": "b"}]}, ["a", "b"]),
        ({"eo:bands": [{"name": "a"}, {"name": "b"}]}, ["a", "b"]),
        ({"raster:bands": [{"name": "a"}, {"name": "b"}]}, ["a", "b"]),
        ({"bands": [{"name": "a"}]}, ["one", "2"]),
        ({"bands": [{"nodata": 0}, {"nodata": 0}]}, ["one", "2"]),
    ],
)
def test_names_come_from_stac_where_their_number_fits_then_from_the_file(tiff, metadata, expected):
    handle, _ = tiff(pixels(2, 20, 20, "u1"), asset={"metadata": metadata}, descriptions=["one"])
    assert load_geotiff(handle).coords["band"].values.tolist() == expected


def test_bands_without_names_are_numbered_from_one(tiff):
    handle, _ = tiff(pixels(2, 20, 20, "u1"))
    assert load_geotiff(handle).coords["band"].values.tolist() == [1, 2]


def test_the_time_is_stacs_before_the_names(tiff):
    start = dt.datetime(2024, 5, 6, 12, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    handle, _ = tiff(pixels(1, 20, 20, "u1"), "openEO_2023-06-01Z.tif", asset={"start": start})
    assert load_geotiff(handle).coords["t"].values == np.datetime64("2024-05-06T10:00:00")


def test_no_date_anywhere_means_no_time(tiff):
    handle, _ = tiff(pixels(1, 20, 20, "u1"), "tile_20231399_x.tif")
    assert "t" not in load_geotiff(handle).coords


@pytest.mark.parametrize(("dtype", "expected"), [("u1", "f4"), ("i2", "f4"), ("i4", "f8"), ("u8", "f8"), ("f4", "f4")])
def test_masking_takes_the_smallest_float_that_is_exact(tiff, dtype, expected):
    data = pixels(1, 40, 40, dtype)
    handle, _ = tiff(data, nodata=float(data[0, 0, 0]))
    array = load_geotiff(handle, masked=True)
    assert array.dtype == np.dtype(expected)
    np.testing.assert_array_equal(np.isnan(array), data == data[0, 0, 0])


@pytest.mark.parametrize(
    ("dtype", "nodata"),
    [("f4", float("nan")), ("f4", -3.4028234663852886e38), ("f4", 0.1), ("f8", 0.1), ("i8", -9007199254740992)],
)
def test_nodata_is_found_whatever_its_type_makes_of_it(tiff, dtype, nodata):
    data = pixels(1, 40, 40, dtype)
    if dtype == "i8":
        data[0, 10, 10] = nodata + 1  # the same number, once it is a float
    data[0, :5, :5] = nodata
    handle, path = tiff(data, nodata=nodata)
    with rasterio.open(path) as file:
        assert file.read(masked=True).mask.sum() >= 25
    expected = np.zeros(data.shape, bool)
    expected[0, :5, :5] = True
    np.testing.assert_array_equal(load_numpy(handle, masked=True).mask, expected)
    np.testing.assert_array_equal(np.isnan(load_geotiff(handle, masked=True)), expected)


def test_scales_and_offsets_are_kept_or_applied(tiff):
    data = pixels(2, 40, 40, "u2")
    handle, path = tiff(data, nodata=0)
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets = (1e-4, 1e-4), (-0.1, -0.1)
    handle, _ = (type(handle)(path.read_bytes(), handle.asset), path)
    assert load_geotiff(handle).attrs["scale_factor"] == 1e-4
    assert load_geotiff(handle).attrs["add_offset"] == -0.1
    scaled = load_geotiff(handle, scaled=True, masked=True)
    assert "scale_factor" not in scaled.attrs
    np.testing.assert_allclose(scaled, np.where(data == 0, np.nan, data * 1e-4 - 0.1), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(load_numpy(handle, scaled=True), data * 1e-4 - 0.1, rtol=1e-5, atol=1e-6)


def test_each_band_has_a_scale_of_its_own(tiff):
    data = pixels(2, 40, 40, "u2")
    handle, path = tiff(data)
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets = (0.5, 2), (0, 10)
    handle = type(handle)(path.read_bytes(), handle.asset)
    np.testing.assert_allclose(load_geotiff(handle, scaled=True, bands=2)[0], data[1] * 2.0 + 10)
    assert load_geotiff(handle).attrs["scale_factor"] == [0.5, 2.0]
    assert open_geotiff(handle).scales == (0.5, 2.0)
    assert open_geotiff(handle).offsets == (0.0, 10.0)


@pytest.mark.parametrize(
    "metadata",
    [
        {"bands": [{"name": "a", "raster:scale": 0.5}, {"name": "b", "raster:scale": 2, "raster:offset": 10}]},
        {"raster:bands": [{"scale": 0.5}, {"scale": 2, "offset": 10}]},
    ],
)
def test_scales_come_from_stac_where_the_file_has_none(tiff, metadata):
    data = pixels(2, 40, 40, "u2")
    handle, path = tiff(data, asset={"metadata": metadata})
    assert open_geotiff(handle).scales == (0.5, 2.0)
    np.testing.assert_allclose(load_geotiff(handle, scaled=True), [data[0] * 0.5, data[1] * 2.0 + 10])
    assert load_geotiff(handle).attrs["add_offset"] == [0.0, 10.0]
    with rasterio.open(path, "r+") as file:
        file.scales = (3, 3)
    assert open_geotiff(type(handle)(path.read_bytes(), handle.asset)).scales == (3.0, 3.0)


@pytest.mark.parametrize(
    "bands", [[{"raster:scale": 0.5}], [{"raster:scale": "x"}, None], "no", [{"raster:scale": True}, {}]]
)
def test_scales_of_stac_that_do_not_fit_are_left_alone(tiff, bands):
    handle, _ = tiff(pixels(2, 40, 40, "u2"), asset={"metadata": {"bands": bands}})
    assert open_geotiff(handle).scales == (1.0, 1.0)


@pytest.mark.parametrize("interleave", ["pixel", "band"])
def test_an_internal_mask_hides_pixels_at_every_level(tiff, interleave):
    data = pixels(3, 200, 200, "u1")
    mask = np.full((200, 200), 255, "u1")
    mask[50:120, 30:90] = 0
    handle, path = tiff(data, mask=mask, overviews=(2,), interleave=interleave, **TILED)
    hidden = np.isnan(load_geotiff(handle, masked=True))
    np.testing.assert_array_equal(hidden, np.broadcast_to(mask == 0, data.shape))
    with rasterio.open(path, overview_level=0) as file:
        expected = file.read(masked=True)
    got = load_numpy(handle, masked=True, overview=0, window=(10, 5, 60, 70))
    np.testing.assert_array_equal(got.mask, expected.mask[:, 5:75, 10:70])
    np.testing.assert_array_equal(got.data, expected.data[:, 5:75, 10:70])


def test_an_alpha_band_hides_the_others_but_not_itself(tiff):
    data = pixels(4, 60, 60, "u1")
    data[3] = 255
    data[3, :10] = 0
    handle, path = tiff(data, photometric="rgb", alpha="yes")
    with rasterio.open(path) as file:
        expected = file.read(masked=True).mask
    got = load_numpy(handle, masked=True)
    np.testing.assert_array_equal(got.mask[:3], expected[:3])
    assert not got.mask[3].any()


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3035", "EPSG:3857", "EPSG:2263", "EPSG:31370", "EPSG:32733"])
def test_an_epsg_crs_is_that_one(tiff, crs):
    handle, _ = tiff(pixels(1, 20, 20, "u1"), crs=crs)
    assert open_geotiff(handle).crs.to_epsg() == int(crs.partition(":")[2])


@pytest.mark.filterwarnings("ignore:You will likely lose important projection")  # of to_dict(), as it says
@pytest.mark.parametrize(
    "proj",
    [
        "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs",
        "+proj=laea +lat_0=45 +lon_0=-100 +x_0=10 +y_0=20 +datum=WGS84 +units=m",
        "+proj=lcc +lat_1=33 +lat_2=45 +lat_0=39 +lon_0=-96 +x_0=0 +y_0=0 +datum=NAD83 +units=m",
        "+proj=lcc +lat_1=40 +lat_0=40 +lon_0=5 +k_0=0.999 +x_0=600000 +y_0=200000 +ellps=intl +units=m",
        "+proj=aea +lat_1=29.5 +lat_2=45.5 +lat_0=23 +lon_0=-96 +x_0=0 +y_0=0 +datum=NAD83 +units=us-ft",
        "+proj=tmerc +lat_0=49 +lon_0=-2.5 +k=0.9996 +x_0=400000 +y_0=-100000 +ellps=airy +units=m",
        "+proj=stere +lat_0=90 +lat_ts=70 +lon_0=-45 +x_0=0 +y_0=0 +datum=WGS84 +units=m",
        "+proj=stere +lat_0=-90 +lat_ts=-71 +lon_0=10 +x_0=0 +y_0=0 +datum=WGS84 +units=m",
        "+proj=merc +lat_ts=20 +lon_0=10 +x_0=0 +y_0=0 +datum=WGS84 +units=m",
        "+proj=eqc +lat_ts=30 +lat_0=0 +lon_0=5 +x_0=0 +y_0=0 +datum=WGS84 +units=m",
        "+proj=cea +lat_ts=30 +lon_0=0 +x_0=0 +y_0=0 +datum=WGS84 +units=m",
        "+proj=poly +lat_0=0 +lon_0=-54 +x_0=5000000 +y_0=10000000 +ellps=GRS80 +units=m",
        "+proj=sterea +lat_0=52 +lon_0=5.5 +k=0.9999 +x_0=155000 +y_0=463000 +ellps=bessel +units=m",
        "+proj=utm +zone=31 +ellps=intl +units=m",
        "+proj=longlat +a=6378140 +b=6356755 +no_defs",
    ],
)
def test_a_crs_of_parameters_puts_places_where_gdal_puts_them(tiff, proj):
    handle, path = tiff(pixels(1, 20, 20, "u1"), crs=proj)
    with rasterio.open(path) as file:
        expected = CRS.from_wkt(file.crs.to_wkt())
    crs = open_geotiff(handle).crs
    if crs.is_geographic:
        assert crs.ellipsoid.semi_major_metre == expected.ellipsoid.semi_major_metre
        assert crs.ellipsoid.inverse_flattening == pytest.approx(expected.ellipsoid.inverse_flattening)
        return
    lon, lat = expected.to_dict().get("lon_0", 3.0) + 1.5, expected.to_dict().get("lat_0", 40) * 0.97 + 0.5
    places = [Transformer.from_crs(c.geodetic_crs, c, always_xy=True).transform(lon, lat) for c in (crs, expected)]
    assert np.isfinite(places).all()
    assert places[0] == pytest.approx(places[1], abs=1e-3)


def test_a_crs_that_cannot_be_expressed_is_a_warning_and_no_crs(tiff):
    handle, _ = tiff(pixels(1, 20, 20, "u1"), crs="+proj=goode +lon_0=0 +datum=WGS84 +units=m")
    array = load_geotiff(handle)
    assert array.shape == (1, 20, 20)


def test_a_rotated_raster_has_its_transform_but_no_axes(tiff):
    transform = Affine.translation(500000, 5600000) @ Affine.rotation(30) @ Affine.scale(10, -10)
    data = pixels(1, 60, 60, "u1")
    handle, path = tiff(data, transform=transform)
    array = load_geotiff(handle, window=(7, 9, 20, 30))
    assert "x" not in array.coords
    with rasterio.open(path) as file:
        expected = file.transform @ Affine.translation(7, 9)
    assert array.rio.transform().almost_equals(expected)
    np.testing.assert_array_equal(array[0], data[0, 9:39, 7:27])


def test_a_bbox_on_a_rotated_raster_takes_every_pixel_that_it_touches(tiff):
    transform = Affine.translation(500000, 5600000) @ Affine.rotation(30) @ Affine.scale(10, -10)
    handle, _ = tiff(pixels(1, 60, 60, "u1"), transform=transform)
    x, y = transform @ (30.5, 40.5)
    array = load_geotiff(handle, bbox=(x - 1, y - 1, x + 1, y + 1))
    assert array.shape == (1, 1, 1)


def test_pixel_is_point_is_shifted_to_corners(tiff):
    handle, path = tiff(pixels(1, 20, 20, "u1"), tags={"AREA_OR_POINT": "Point"})
    with rasterio.open(path) as file:
        assert file.tags()["AREA_OR_POINT"] == "Point"
        assert open_geotiff(handle).transform == pytest.approx(tuple(file.transform)[:6])


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_file_without_georeference_is_counted_in_pixels(tiff):
    handle, path = tiff(pixels(1, 20, 30, "u1"), crs=None, transform=None)
    array = load_geotiff(handle, window=(5, 0, 10, 10))
    np.testing.assert_array_equal(array.x, rioxarray.open_rasterio(path).x[5:15])
    assert array.rio.crs is None


@pytest.mark.parametrize("chunks", [{}, {"x": 128}, {"band": 1, "y": 50, "x": -1}, 100, "auto"])
def test_chunks_are_read_when_they_are_computed(openeo_file, chunks):
    handle, path, _ = openeo_file
    array = load_geotiff(handle, chunks=chunks, masked=True)
    assert array.chunks is not None
    part = array.isel(band=slice(1, 3), x=slice(100, 240), y=slice(5, 50)).compute()
    expected = rioxarray.open_rasterio(path, masked=True)
    np.testing.assert_array_equal(part, expected[1:3, 5:50, 100:240])
    np.testing.assert_array_equal(array.compute(), expected)


@pytest.mark.parametrize(
    "key", [(0, 5, 7), (slice(None), 3, slice(10, 90, 7)), (slice(None, None, -1), slice(50, 2, -3), 11), (1, -1, -1),
            (slice(None), [5, 2, 90], slice(3, 9)), ([2, 0], 4, 5), (0, slice(3, 3), 4), ([], 2)],
)  # fmt: skip
def test_lazy_arrays_are_indexed_like_any_other(openeo_file, key):
    handle, _, data = openeo_file
    array = load_geotiff(handle, chunks={"x": 128, "y": 128})
    np.testing.assert_array_equal(array[key], data[key])


def test_lazy_reads_touch_only_the_tiles_they_need(tiff):
    data = np.random.default_rng(0).integers(0, 30000, (1, 512, 512), "u2")
    handle, _ = tiff(data, **TILED)
    array = load_geotiff(handle, chunks={"y": 64, "x": 64})
    opened = len(handle.reads)
    array[0, 300:310, 300:310].compute()
    assert sum(stop - start for start, stop in handle.reads[opened:]) < 10_000


def test_a_handle_reads_its_header_once(tiff):
    data = np.random.default_rng(0).integers(0, 30000, (1, 512, 512), "u2")
    handle, _ = tiff(data, overviews=(2, 4), **TILED)
    raster = open_geotiff(handle)
    assert raster.shape == (1, 512, 512)
    assert raster.dtype == np.uint16
    assert raster.overviews == ((256, 256), (128, 128))
    assert raster.bounds == (500000, 5594880, 505120, 5600000)
    assert raster.transform == (10, 0, 500000, 0, -10, 5600000)
    assert raster.nodata is None
    opened = len(handle.reads)
    for column in (0, 64, 128):
        raster.read(window=(column, 256, 64, 64))
    assert len(handle.reads) == opened + 3


def test_tags_become_attributes_and_are_kept(tiff):
    handle, _ = tiff(pixels(1, 20, 20, "u1"), tags={"PROCESSING": "mean"})
    assert load_geotiff(handle).attrs["PROCESSING"] == "mean"
    assert open_geotiff(handle).tags["PROCESSING"] == "mean"
    assert UTM["crs"] == open_geotiff(handle).crs.to_string()
