"""Many files as one array, and what is said when they do not fit together."""

from __future__ import annotations

import datetime as dt
import inspect

import numpy as np
import pytest
import xarray as xr
from raster_files import UTM, pixels, write_tiff
from rasterio.transform import from_origin
from splashdown_geotiff import load_geotiff, load_geotiffs

from splashdown.errors import LoadError, MultipleAssetsError, NoAssetError, OptionError

SMALL = {"tiled": True, "blockxsize": 16, "blockysize": 16, "compress": "deflate"}


@pytest.fixture
def file_of(tmp_path, handle_of):
    """A handle on a file of its own content; ``seed`` tells the contents apart."""

    def make(key, seed=0, count=2, dtype="i2", size=(30, 40), **profile):
        data = pixels(count, *size, dtype, seed)
        fields = {name: profile.pop(name, None) for name in ("start", "end")} | {
            "metadata": profile.pop("metadata", {})
        }
        content = write_tiff(tmp_path / "x.tif", data, **{**SMALL, **profile})
        return handle_of(content, key, **fields), data

    return make


def test_one_file_per_date_becomes_a_series_in_order(file_of):
    days = ["2023-06-11", "2023-06-01", "2023-06-21"]
    files = [file_of(f"openEO_{day}Z.tif", n, descriptions=["B02", "B03"]) for n, day in enumerate(days)]
    array = load_geotiffs([handle for handle, _ in files])
    assert array.dims == ("t", "band", "y", "x")
    assert [str(t)[:10] for t in array.t.values] == sorted(days)
    assert array.coords["band"].values.tolist() == ["B02", "B03"]
    for day, (_, data) in zip(days, files, strict=True):
        np.testing.assert_array_equal(array.sel(t=day).squeeze(), data)
    assert array.rio.crs.to_epsg() == 32631
    assert array.rio.transform() == UTM["transform"]


def test_the_date_of_the_metadata_counts(file_of):
    start = dt.datetime(2020, 1, 2, tzinfo=dt.UTC)
    array = load_geotiffs([file_of("a_2018-05-05.tif", start=start, end=start)[0], file_of("openEO_2019-01-01.tif")[0]])
    assert array.t.values.tolist() == sorted(array.t.values.tolist())
    assert array.t.values[1] == np.datetime64("2020-01-02")


def test_of_files_of_an_interval_the_date_in_the_name_counts(file_of):
    whole = {"start": dt.datetime(2023, 6, 1, 10, tzinfo=dt.UTC), "end": dt.datetime(2023, 7, 1, tzinfo=dt.UTC)}
    handles = [file_of(f"openEO_2023-06-{day:02}Z.tif", **whole)[0] for day in (21, 1, 11)]
    days = ["2023-06-01", "2023-06-11", "2023-06-21"]
    assert [str(t)[:10] for t in load_geotiffs(handles).t.values] == days
    assert str(load_geotiff(handles[0]).t.values)[:10] == "2023-06-21"
    # A date that the interval excludes means something else: when the file was made, for example.
    processed = file_of("ndvi_20240102.tif", **whole)[0]
    assert load_geotiff(processed).t.values == np.datetime64("2023-06-01T10:00")


def test_one_file_per_band_and_date_is_put_together(file_of):
    handles, expected = [], {}
    for n, (day, band) in enumerate([(d, b) for d in ("2023-06-01", "2023-06-11") for b in ("B02", "B03")]):
        handle, data = file_of(f"openEO_{day}Z_{band}.tif", n, count=1, metadata={"bands": [{"name": band}]})
        handles.append(handle)
        expected[day, band] = data[0]
    array = load_geotiffs(handles)
    assert array.sizes == {"t": 2, "band": 2, "y": 30, "x": 40}
    for (day, band), data in expected.items():
        np.testing.assert_array_equal(array.sel(t=day, band=band).squeeze(), data)


def test_files_without_the_wanted_band_are_not_read(file_of):
    red, data = file_of("openEO_2023-06-01Z_B04.tif", count=1, metadata={"bands": [{"name": "B04"}]})
    nir, _ = file_of("openEO_2023-06-01Z_B08.tif", count=1, metadata={"bands": [{"name": "B08"}]}, nodata=-1)
    np.testing.assert_array_equal(load_geotiffs([red, nir], bands="B04")[0], data)
    with pytest.raises(OptionError, match="B04, B08"):
        load_geotiffs([red, nir], bands=["B11"])


def test_options_apply_to_every_file(file_of):
    files = [file_of(f"openEO_2023-06-{day}Z.tif", day, nodata=-70.0) for day in (10, 20)]
    array = load_geotiffs([h for h, _ in files], window=(3, 4, 20, 10), bands=[2], masked=True)
    assert array.dtype == np.float32
    for n, (_, data) in enumerate(files):
        part = data[1:, 4:14, 3:23]
        np.testing.assert_array_equal(array[n], np.where(part == -70, np.nan, part))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"size": (30, 41)}, r"size is 40 x 30 pixels in a_2023-06-01\.tif and 41 x 30 pixels in b_2023-06-02\.tif"),
        ({"crs": "EPSG:32632"}, "CRS is EPSG:32631 in .* and EPSG:32632"),
        ({"transform": from_origin(500010, 5600000, 10, 10)}, "transform is"),
        ({"dtype": "u2"}, "type is int16 in .* and uint16"),
        ({"nodata": 7}, "nodata is None in .* and 7"),
        ({"count": 3}, "do not have the same bands"),
    ],
)
def test_files_that_do_not_fit_say_what_differs(file_of, change, match):
    handles = [file_of("a_2023-06-01.tif")[0], file_of("b_2023-06-02.tif", **change)[0]]
    with pytest.raises(LoadError, match=match):
        load_geotiffs(handles)


def test_the_same_band_twice_on_one_date_is_an_error(file_of):
    with pytest.raises(LoadError, match="several assets"):
        load_geotiffs([file_of("a_2023-06-01.tif")[0], file_of("b_2023-06-01.tif")[0]])


def test_a_file_without_a_date_is_named(file_of):
    with pytest.raises(LoadError, match=r"b\.tif has no date"):
        load_geotiffs([file_of("a_2023-06-01.tif")[0], file_of("b.tif")[0]])


def test_the_cap_is_for_all_files_together(file_of):
    handles = [file_of(f"openEO_2023-06-{day}Z.tif")[0] for day in (10, 20)]
    with pytest.raises(LoadError, match="9,600 bytes, more than max_bytes=9,599"):
        load_geotiffs(handles, max_bytes=9599)


def test_a_damaged_file_among_many_is_named(file_of, handle_of):
    good, _ = file_of("a_2023-06-01.tif")
    with pytest.raises(LoadError, match=r"b_2023-06-02\.tif"):
        load_geotiffs([good, handle_of(good.bytes()[:200], "b_2023-06-02.tif")])


CHUNKS = [{}, {"t": 1}, {"t": 3, "band": 1, "y": 7, "x": -1}, {"x": 16}, 10, "auto", (1, -1, 10, 10)]


@pytest.mark.parametrize("chunks", CHUNKS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"masked": True},
        {"masked": True, "scaled": True, "bands": ["B03"], "window": (3, 4, 21, 13)},
        {"bbox": (500035, 5599795, 500255, 5599945), "bands": [2, 1]},
        {"overview": 0},
        {"resolution": 20},
    ],
)
def test_lazily_it_is_the_same_as_at_once(file_of, chunks, options):
    scales = {"raster:bands": [{"scale": 0.5, "offset": 1}, {"scale": 2}]}
    profile = {"descriptions": ["B02", "B03"], "nodata": -70.0, "metadata": scales}
    handles = [file_of(f"openEO_2023-06-{day}Z.tif", day, overviews=(2,), **profile)[0] for day in range(10, 15)]
    lazy = load_geotiffs(handles, chunks=chunks, **options)
    assert lazy.chunks is not None
    whole = load_geotiffs(handles, **options)
    assert lazy.dtype == whole.dtype
    xr.testing.assert_identical(lazy.compute(), whole)
    some = {"t": [3, 0], "band": -1, "y": slice(None, 2, -2), "x": slice(2, 9)}
    xr.testing.assert_identical(lazy.isel(some).compute(), whole.isel(some))
    xr.testing.assert_identical(lazy.isel(t=[3, 0, 3]).compute(), whole.isel(t=[3, 0, 3]))
    for nothing in ({"t": []}, {"x": slice(5, 5)}, {"band": slice(0, 0), "y": 3}):
        xr.testing.assert_identical(lazy.isel(nothing).compute(), whole.isel(nothing))
    assert lazy.rio.crs == whole.rio.crs


def test_one_file_per_band_and_date_is_lazy_too(file_of):
    handles = [
        file_of(f"openEO_2023-06-{day}Z_{band}.tif", day + n, count=count, metadata={"bands": names})[0]
        for day in (10, 20)
        for n, (band, count) in enumerate({"a": 2, "b": 1, "c": 2}.items())
        for names in [[{"name": f"{band}{place}"} for place in range(count)]]
    ]
    lazy, whole = load_geotiffs(handles, chunks={"band": 2}), load_geotiffs(handles)
    assert lazy.sizes["band"] == 5
    xr.testing.assert_identical(lazy.compute(), whole)
    xr.testing.assert_identical(lazy.sel(band=["a1", "c0"]).compute(), whole.sel(band=["a1", "c0"]))


def test_blocks_are_of_one_date_and_whole_tiles_and_of_small_files_up_to_eight(file_of, handle_of, tmp_path):
    small = [file_of(f"openEO_2023-06-{day}Z.tif", day)[0] for day in range(10, 21)]
    assert load_geotiffs(small, chunks={}).chunks == ((8, 3), (2,), (30,), (40,))
    assert load_geotiffs(small, chunks={"y": 16}).chunks[0] == (1,) * 11
    big = np.zeros((1, 3000, 4000), "f8")
    profile = {"tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "deflate"}
    content = write_tiff(tmp_path / "big.tif", big, **profile)
    large = [handle_of(content, f"openEO_2023-06-{day}Z.tif") for day in (10, 20)]
    assert load_geotiffs(large, chunks={}).chunks == ((1, 1), (1,), (2048, 952), (2048, 1952))


def test_the_cap_is_for_each_block_then(file_of):
    handles = [file_of(f"openEO_2023-06-{day}Z.tif")[0] for day in (10, 20)]
    lazy = load_geotiffs(handles, chunks={"t": 1}, max_bytes=4800)
    assert lazy.compute().nbytes == 9600
    with pytest.raises(LoadError, match="more than max_bytes=4,799"):
        load_geotiffs(handles, chunks={"t": 1}, max_bytes=4799).compute()


@pytest.mark.parametrize(("chunks", "match"), [({"time": 1}, "no dimension 'time'; there are t, band, y, x"),
                                               ((1, 1), "does not fit an array of 2 x 2 x 30 x 40")])  # fmt: skip
def test_chunks_that_make_no_sense_say_why(file_of, chunks, match):
    with pytest.raises(OptionError, match=match):
        load_geotiffs([file_of(f"openEO_2023-06-{day}Z.tif")[0] for day in (10, 20)], chunks=chunks)


def test_it_takes_every_option_that_one_file_takes():
    one, many = (inspect.signature(load).parameters for load in (load_geotiff, load_geotiffs))
    options = {name: (p.default, p.annotation) for name, p in one.items() if name != "asset"}
    assert options == {name: (p.default, p.annotation) for name, p in many.items() if name not in {"assets", "jobs"}}


def test_other_assets_of_the_results_are_left_out(server, results_of, tmp_path):
    content = write_tiff(tmp_path / "x.tif", pixels(1, 20, 20, "u1"))
    results = results_of(
        media_type=None,
        **{"a_2023-06-01.tif": server.add("/a.tif", content), "collection.json": server.add("/c.json", b"{}")},
    )
    assert results.load_geotiffs().sizes["t"] == 1
    with pytest.raises(NoAssetError):
        results.of(results.get_asset("collection.json").asset).load_geotiffs()


def test_results_load_all_of_one_format_at_once(server, results_of, tmp_path):
    data = pixels(1, 20, 20, "u1")
    content = write_tiff(tmp_path / "x.tif", data)
    dates = {f"openEO_2023-06-{day}Z.tif": server.add(f"/{day}", content) for day in (10, 20)}
    series = results_of(**dates)
    assert series.load().sizes == {"t": 2, "band": 1, "y": 20, "x": 20}
    assert series.load(masked=True, window=(0, 0, 5, 5)).shape == (2, 1, 5, 5)
    np.testing.assert_array_equal(series.load("openEO_2023-06-10Z.tif"), data)
    mixed = results_of(media_type=None, **dates, **{"timeseries.json": server.add("/t.json", b"{}")})
    with pytest.raises(MultipleAssetsError):
        mixed.load()
    assert mixed.load(loader="geotiff").sizes["t"] == 2
    assert mixed.load("timeseries.json") == {}
