"""Coordinate systems of all kinds of GeoTIFF keys put places where GDAL puts them."""

from __future__ import annotations

import math
import re
import sys

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS, Transformer
from pyproj.database import query_crs_info
from rasterio.io import MemoryFile
from splashdown_geotiff import load_geotiff, open_geotiff
from splashdown_geotiff._crs import read_crs
from splashdown_geotiff._crs_gdal import gdal_crs
from splashdown_geotiff._directory import read_directories
from splashdown_geotiff._georeference import read_keys
from splashdown_geotiff._head import Head
from tiff_tags import set_keys

from splashdown.testing import MemoryHandle, make_asset

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

UTM = {1024: 1, 1025: 1, 3072: 32631}
GEOGRAPHIC = {1024: 2, 1025: 1}
#: A projection put together from its parameters, on the datum of WGS 84.
BUILT = {1024: 1, 1025: 1, 2048: 4326, 3072: 32767, 3074: 32767, 3076: 9001}
TMERC = {**BUILT, 3075: 1, 3080: 3.0, 3081: 40.0, 3082: 500000.0, 3083: 1000.0, 3092: 0.9996}
MERCATOR = {**BUILT, 3075: 7, 3080: 0.0, 3081: 0.0, 3082: 0.0, 3083: 0.0, 3092: 1.0}


@pytest.fixture
def file_with(tmp_path, handle_of):
    """A small file with these keys: its handle and its path."""

    def make(keys):
        path = tmp_path / "keys.tif"
        place = rasterio.Affine(10.0, 0.0, 600_000.0, 0.0, -10.0, 500_000.0)
        with rasterio.open(
            path, "w", driver="GTiff", width=4, height=4, count=1, dtype="uint8", transform=place
        ) as file:
            file.write(np.zeros((1, 4, 4), "u1"))
        path.write_bytes(set_keys(path.read_bytes(), keys))
        return handle_of(path.read_bytes()), path

    return make


def place_of(crs, x=600000, y=500000):
    """Longitude and latitude in degrees, and the figure of the Earth that they are on."""
    base = crs.geodetic_crs
    degrees = math.degrees(base.axis_info[0].unit_conversion_factor)
    if crs.is_geographic:
        lon, lat = x, y
    else:
        lon, lat = Transformer.from_crs(crs, base, always_xy=True).transform(x, y)
    meridian = base.prime_meridian
    return (
        lon * degrees,
        lat * degrees,
        base.ellipsoid.semi_major_metre,
        base.ellipsoid.semi_minor_metre,
        math.degrees(meridian.longitude * meridian.unit_conversion_factor),
    )


def assert_as_gdal(handle, path, x=600000, y=500000):
    with rasterio.open(path) as file:
        expected = CRS.from_wkt(file.crs.to_wkt())
    crs = open_geotiff(handle).crs
    assert place_of(crs, x, y) == pytest.approx(place_of(expected, x, y), rel=1e-9, abs=1e-8)
    return crs


@pytest.mark.parametrize("code", [9001, 9002, 9003, 9005, 9014, 9036, 9037, 9040, 9094])
@pytest.mark.parametrize("projected", [26967, 2263, 32631])
def test_a_code_with_another_unit_is_that_system_in_this_unit(file_with, code, projected):
    handle, path = file_with({**UTM, 3072: projected, 3076: code})
    crs = assert_as_gdal(handle, path)
    with rasterio.open(path) as file:
        assert crs.axis_info[0].unit_conversion_factor == pytest.approx(file.crs.linear_units_factor[1], rel=1e-9)
    assert load_geotiff(handle).x.attrs["units"] == crs.axis_info[0].unit_name


@given(size=st.floats(1e-3, 1e4))
def test_a_unit_of_any_size_is_read_as_gdal_reads_it(size):
    keys = {**UTM, 3076: 32767, 3077: size}
    crs, expected = read_crs(keys, "x"), gdal_crs(keys)
    assert crs.axis_info[0].unit_conversion_factor == pytest.approx(expected.axis_info[0].unit_conversion_factor)
    assert place_of(crs, 600000 / size, 1e6 / size) == pytest.approx(place_of(expected, 600000 / size, 1e6 / size))


@pytest.mark.parametrize(
    "keys",
    [
        {2048: 4807},
        {2048: 4807, 2054: 9102},
        {2048: 4267, 2054: 9105},
        {2048: 4267, 2054: 9101},
        {2048: 4326, 2054: 9105},
        {2048: 32767, 2050: 6326, 2054: 9105},
        {2048: 32767, 2050: 6326, 2054: 9106},
        {2048: 32767, 2050: 6326, 2054: 9107},
        {2048: 32767, 2050: 6326, 2054: 32767, 2055: 0.0174532925199433},
        {2048: 32767, 2050: 6267, 2051: 8903},
        {2048: 32767, 2050: 32767, 2056: 7030, 2051: 8903},
        {2048: 32767, 2050: 32767, 2056: 7030, 2051: 32767, 2061: 2.5},
        {2048: 32767, 2050: 6326, 2057: 6371000.0, 2059: 0.0},
        {2048: 32767, 2057: 6371000.0},
        {2048: 32767, 2057: 6378137.0, 2058: 6356752.0},
        {2048: 32767, 2057: 6378137.0, 2058: 6378137.0},
        {2048: 32767, 2056: 7004, 2057: 6371000.0, 2059: 0.0},
        {2048: 9999, 2050: 6267},
        {2048: 9999, 2057: 6371000.0, 2059: 0.0},
    ],
)
def test_a_geographic_system_is_in_its_unit_on_its_figure(file_with, keys):
    handle, path = file_with({**GEOGRAPHIC, **keys})
    assert_as_gdal(handle, path, 3.0, 50.0)


def test_an_angle_of_a_size_of_its_own_is_that_size():
    crs = read_crs({**GEOGRAPHIC, 2048: 32767, 2050: 6326, 2054: 32767, 2055: 0.02}, "x")
    assert crs.axis_info[0].unit_conversion_factor == pytest.approx(0.02)


def test_axes_of_the_ellipsoid_are_in_their_unit():
    feet = {**GEOGRAPHIC, 2048: 32767, 2050: 32767, 2056: 32767, 2052: 9002, 2057: 20925604.0, 2059: 294.0}
    assert read_crs(feet, "x").ellipsoid.semi_major_metre == pytest.approx(20925604 * 0.3048)
    kilometres = {**feet, 2052: 32767, 2053: 1000.0, 2057: 6378.137}
    assert read_crs(kilometres, "x").ellipsoid.semi_major_metre == pytest.approx(6378137)


def test_parameters_of_a_shift_to_wgs84_are_kept():
    crs = read_crs({**GEOGRAPHIC, 2048: 32767, 2050: 32767, 2056: 7004, 2062: (100.0, 2.0, 3.0)}, "x")
    assert crs.is_bound
    assert crs.coordinate_operation.towgs84[:3] == [100.0, 2.0, 3.0]


@pytest.mark.parametrize(
    "keys",
    [
        {2048: 4267},
        {2048: 4258},
        {2048: 4326},
        {2048: 32767, 2050: 6267},
        {2050: 6267},
        {2048: 32767, 2056: 7004},
        {2048: 4267, 3076: 9003},
        {2057: 6400000.0, 2059: 300.0},
        {2048: 9999},
        {3075: 7, 3080: 10.0},
    ],
)
@pytest.mark.filterwarnings("ignore:.*coordinate system is not certain")
def test_keys_beside_a_code_count_as_they_do_for_gdal(file_with, keys):
    handle, path = file_with({**UTM, **keys})
    assert_as_gdal(handle, path)


def test_parameters_that_agree_with_the_code_are_no_doubt(file_with):
    utm = {**UTM, 3075: 1, 3080: 3.0, 3081: 0.0, 3082: 500000.0, 3083: 0.0, 3092: 0.9996}
    assert open_geotiff(file_with(utm)[0]).crs.to_epsg() == 32631
    assert open_geotiff(file_with({**MERCATOR, 3072: 3857})[0]).crs.to_epsg() == 3857


def test_parameters_that_contradict_the_code_are_said(file_with):
    handle, _ = file_with({**UTM, 3075: 1, 3080: 9.0, 3081: 0.0, 3082: 500000.0, 3083: 0.0, 3092: 0.9996})
    with pytest.warns(UserWarning, match="its parameters are not those of WGS 84 / UTM zone 31N"):
        open_geotiff(handle)


def test_a_unit_that_is_unknown_is_said(file_with):
    handle, _ = file_with({**UTM, 3076: 9999})
    with pytest.warns(UserWarning, match="unit of length 9999.*taken: WGS 84 / UTM zone 31N, in metre"):
        assert open_geotiff(handle).crs.to_epsg() == 32631


@pytest.mark.parametrize("key", [1026, 3073])
@pytest.mark.parametrize(
    "citation",
    [
        "Google Maps Global Mercator",
        "GOOGLE MAPS GLOBAL MERCATOR",
        "WGS 84 / Pseudo-Mercator",
        "WGS_1984_Web_Mercator",
        "PCS Name = WGS_1984_Web_Mercator_Auxiliary_Sphere",
        "WGS 1984 Web Mercator",
    ],
)
def test_web_mercator_is_known_by_its_name(file_with, key, citation):
    handle, path = file_with({**MERCATOR, key: citation})
    crs = open_geotiff(handle).crs
    assert crs.to_epsg() == 3857
    with rasterio.open(path) as file:
        expected = place_of(CRS.from_wkt(file.crs.to_wkt()), -12329035.8, 4508957.3)
    assert place_of(crs, -12329035.8, 4508957.3)[:2] == pytest.approx(expected[:2])


@pytest.mark.parametrize("citation", ["EPSG:900913", "WGS84 / Google Mercator", "Google Mercator (900913)"])
def test_its_old_code_is_web_mercator(file_with, citation):
    assert open_geotiff(file_with({**MERCATOR, 1026: citation})[0]).crs.to_epsg() == 3857


@pytest.mark.parametrize("citation", ["World Mercator", "Mercator", "WGS84 / Simple Mercator"])
def test_any_other_mercator_is_on_the_ellipsoid(file_with, citation):
    handle, path = file_with({**MERCATOR, 1026: citation})
    assert_as_gdal(handle, path, -12329035.8, 4508957.3)


@pytest.mark.parametrize(
    "keys",
    [
        {2054: 9105},
        {2048: 4807},
        {2048: 4807, 2054: 9105},
        {2048: 32767, 2050: 6267, 2051: 8901, 2054: 32767, 2055: 0.017453292519943295},
        {3076: 9002},
        {3076: 32767, 3077: 0.5},
    ],
)
def test_parameters_are_in_the_units_of_the_file(file_with, keys):
    handle, path = file_with({**TMERC, **keys})
    assert_as_gdal(handle, path)


@pytest.mark.parametrize(
    "proj",
    [
        "+proj=omerc +lat_0=4 +lonc=115 +alpha=53.3 +gamma=53.1 +k=0.99984 +x_0=590476 +y_0=442857 +ellps=evrstSS",
        "+proj=omerc +no_uoff +lat_0=4 +lonc=115 +alpha=53.3 +gamma=53.1 +k=0.99984 +x_0=10 +y_0=20 +ellps=evrstSS",
        "+proj=eqdc +lat_1=20 +lat_2=60 +lat_0=40 +lon_0=-96 +ellps=WGS84",
        "+proj=gnom +lat_0=90 +ellps=WGS84",
        "+proj=tmerc +lat_0=0 +lon_0=19 +axis=wsu +ellps=WGS84",
        "+proj=nzmg +lat_0=-41 +lon_0=173 +x_0=2510000 +y_0=6023150 +ellps=intl",
        "+proj=somerc +lat_0=46.95 +lon_0=7.43 +x_0=2600000 +y_0=1200000 +ellps=bessel",
        "+proj=moll +lon_0=10 +datum=WGS84",
        "ESRI:102121",
        "ESRI:102010",
        "ESRI:102032",
    ],
)
def test_a_projection_of_any_method_puts_places_where_gdal_does(tiff, proj):
    handle, path = tiff(np.zeros((1, 4, 4), "u1"), crs=proj)
    assert_as_gdal(handle, path, 1000, -2000)


def test_a_user_defined_model_with_a_code_is_that_code(file_with):
    for model in (0, 32767):
        assert open_geotiff(file_with({1024: model, 1025: 1, 3072: 32631})[0]).crs.to_epsg() == 32631


def test_an_old_code_of_esri_is_looked_up(file_with):
    assert open_geotiff(file_with({**UTM, 3072: 54009})[0]).crs.to_authority() == ("ESRI", "54009")


def test_a_local_system_has_its_name_and_unit(file_with):
    handle, path = file_with({1024: 32767, 1026: "mine grid", 3076: 9002})
    array = load_geotiff(handle)
    assert open_geotiff(handle).crs.name == "mine grid"
    assert array.x.attrs["units"] == "foot"
    with rasterio.open(path) as file:
        assert array.rio.crs.linear_units == file.crs.linear_units


def test_heights_are_in_their_unit():
    crs = read_crs({**UTM, 4096: 5773, 4099: 9002}, "x")
    assert crs.sub_crs_list[1].axis_info[0].unit_name == "foot"


@pytest.mark.parametrize("installed", [True, False])
def test_a_method_that_is_unknown_is_one_warning(file_with, monkeypatch, installed):
    if not installed:
        monkeypatch.setitem(sys.modules, "rasterio", None)
    # A method of its own for each: what was found for some keys is kept.
    keys = {**BUILT, 3075: 98 if installed else 99}
    with pytest.warns(UserWarning, match="coordinate system cannot be read .*projection method 9"):
        assert read_crs(keys, "x") is None


def test_systems_that_only_gdal_reads_are_asked_of_it(file_with, monkeypatch):
    handle, _ = file_with({1024: 3, 2048: 4326})
    assert open_geotiff(handle).crs.to_epsg() == 4978
    monkeypatch.setitem(sys.modules, "rasterio", None)
    with pytest.warns(UserWarning, match="cannot be read"):
        assert read_crs({1024: 3, 2048: 4258}, "x") is None


def test_a_datum_that_is_only_assumed_is_said(file_with):
    handle, path = file_with({key: value for key, value in TMERC.items() if key != 2048})
    with pytest.warns(UserWarning, match="its datum is not known: WGS 84 is taken"):
        assert_as_gdal(handle, path)


def listed(authority, step, *, by_parameters):
    """Systems of a register, each with its keys as GDAL writes them and as GDAL reads them again."""
    for info in query_crs_info(auth_name=authority, pj_types=["PROJECTED_CRS", "GEOGRAPHIC_2D_CRS"])[::step]:
        try:
            crs = rasterio.CRS.from_authority(authority, info.code)
            if by_parameters:
                wkt = CRS.from_authority(authority, info.code).to_wkt("WKT1_GDAL")
                crs = rasterio.CRS.from_wkt(re.sub(r',AUTHORITY\["[^"]*","[^"]*"\]\]$', "]", wkt))
            with MemoryFile() as memory:
                memory.open(driver="GTiff", width=1, height=1, count=1, dtype="uint8", crs=crs).close()
                content = bytes(memory.getbuffer())
                with memory.open() as file:
                    expected = CRS.from_wkt(file.crs.to_wkt())
        except (rasterio.errors.RasterioError, rasterio.errors.CRSError, AttributeError):
            continue  # GDAL cannot write it
        except Exception as error:
            if type(error).__name__.startswith(("CPLE", "CRSError")):
                continue
            raise
        handle = MemoryHandle(content, make_asset("x.tif"))
        yield info, read_keys(read_directories(Head(handle))[0]), expected


def projected_place(crs, area):
    base = crs.geodetic_crs
    degrees = math.degrees(base.axis_info[0].unit_conversion_factor)
    meridian = base.prime_meridian
    shift = math.degrees(meridian.longitude * meridian.unit_conversion_factor)
    lon = area.west + 1 if area.west > area.east else (area.west + area.east) / 2
    lat = (area.south + area.north) / 2
    figure = (base.ellipsoid.semi_major_metre, base.ellipsoid.semi_minor_metre)
    if crs.is_geographic:
        return (degrees, shift, *figure)
    return (*Transformer.from_crs(base, crs, always_xy=True).transform((lon - shift) / degrees, lat / degrees), *figure)


def compare_list(authority, step, by_parameters):
    compared = 0
    for info, keys, expected in listed(authority, step, by_parameters=by_parameters):
        if not keys:
            continue  # GDAL put it beside the file
        if info.code == "9311" or (by_parameters and keys.get(2054) == 9105):
            continue  # versions of PROJ differ on the sphere of the first; GDAL writes meridians in grads wrongly
        crs = read_crs(keys, info.code)
        assert crs is not None, (info.code, info.name, keys)
        try:
            wanted = projected_place(expected, info.area_of_use)
        except Exception as error:
            if type(error).__name__ != "ProjError":
                raise
            continue  # PROJ knows its name alone
        assert projected_place(crs, info.area_of_use) == pytest.approx(wanted, rel=1e-9, abs=1e-3), info.code
        compared += 1
    return compared


@pytest.mark.parametrize(
    ("authority", "step", "by_parameters"), [("EPSG", 101, False), ("EPSG", 97, True), ("ESRI", 53, False)]
)
def test_registered_systems_are_read_as_gdal_reads_them(authority, step, by_parameters):
    assert compare_list(authority, step, by_parameters) > 20


@pytest.mark.registers
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("authority", "by_parameters", "least"), [("EPSG", False, 5000), ("EPSG", True, 5000), ("ESRI", False, 1200)]
)
def test_every_registered_system_is_read_as_gdal_reads_it(authority, by_parameters, least):
    assert compare_list(authority, 1, by_parameters) > least


@pytest.mark.parametrize("citation", ["{", '{"a": 1}', "zone {7}"])
def test_a_citation_that_looks_like_json_leaves_the_pixels_readable(citation):
    with pytest.warns(UserWarning, match="its coordinate system cannot be read"):
        assert read_crs({1024: 1, 1025: 1, 1026: citation, 2049: " 31N"}, "x") is None
