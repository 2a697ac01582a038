"""Clips of netCDF: cells, attributes and encoding as they are in the source, and the bytes that are read for them."""

from __future__ import annotations

import json

import h5netcdf
import h5py
import numpy as np
import pandas as pd
import pytest
import splashdown_xarray
import xarray as xr
from faults import Status
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Transformer
from splashdown_xarray._axes import grids_of
from splashdown_xarray._clip import clip_netcdf
from splashdown_xarray._cut import cut
from stac_item import stac_item

from splashdown import DownloadError, RetryPolicy, Session, Settings
from splashdown.clipping import Area
from splashdown.errors import LoadError
from splashdown.model import Status as Ended
from splashdown.testing import MemoryHandle, make_asset

RNG = np.random.default_rng(0)
LAT, LON = np.arange(89.5, -90, -1), np.arange(-179.5, 180)
PACKED = {"dtype": "i2", "scale_factor": 0.01, "add_offset": 10.0, "_FillValue": -32768}


def globe(lat=LAT, lon=LON):
    """A climatology of five days: latitudes fall."""
    sst = RNG.normal(15, 30, (5, len(lat), len(lon)))
    sst[:, ::7] = np.nan
    return xr.Dataset(
        {
            "sst": (("time", "lat", "lon"), sst, {"long_name": "sea", "units": "degC", "valid_min": np.int16(-9000)}),
            "station": (("time",), np.array(["ä", "b", "", "d", "e"], object)),
        },
        coords={
            "time": pd.date_range("2023-01-01", periods=5),
            "lat": ("lat", lat, {"units": "degrees_north"}),
            "lon": ("lon", lon, {"standard_name": "longitude"}),
        },
        attrs={"title": "T", "geospatial_lat_min": -90.0},
    )


def utm(attrs=None, units="m", size=100):
    """A cube in UTM 31N, as openEO's back-ends write one."""
    scale = {"km": 1000}.get(units, 1)
    cube = xr.Dataset(
        {"B04": (("y", "x"), RNG.integers(0, 255, (size, size)).astype("u1"), {"grid_mapping": "crs"})},
        coords={
            name: (name, values / scale, {"units": units})
            for name, values in (
                ("y", 5_600_000 - 10.0 * np.arange(size) - 5),
                ("x", 500_000 + 10.0 * np.arange(size) + 5),
            )
        },
    )
    cube["crs"] = ((), 0, {"crs_wkt": CRS.from_epsg(32631).to_wkt(), "GeoTransform": "0 1 0 0 0 1"} | (attrs or {}))
    return cube


@pytest.fixture
def written(tmp_path):
    def make(cube=None, *, chunks=(1, 30, 30), engine="h5netcdf", **encoding):
        path = tmp_path / "in.nc"
        cube = globe() if cube is None else cube
        if "sst" in cube:
            storage = {"zlib": True, "complevel": 3, "shuffle": True, "fletcher32": True, "chunksizes": chunks}
            encoding = {"sst": PACKED | (storage if engine == "h5netcdf" else {}), **encoding}
        cube.to_netcdf(path, engine=engine, encoding=encoding, unlimited_dims=["time"] if "sst" in cube else [])
        return path.read_bytes()

    return make


def clip_of(content, box, **fields):
    return clip_netcdf(MemoryHandle(content, make_asset("x.nc", **fields)), Area(bbox=box))


def landed(clip, tmp_path, **options):
    clip.write(tmp_path / "out.nc")
    with xr.open_dataset(tmp_path / "out.nc", engine="netcdf4", **options) as cube:
        return cube.load()


def test_a_clip_has_the_cells_and_the_description_of_the_source(written, tmp_path):
    content = written()
    clip = clip_of(content, (5.2, 50, 8.1, 52.5))
    rows, columns = slice(37, 40), slice(185, 189)
    for options in ({}, {"decode_cf": False}):
        with xr.open_dataset(tmp_path / "in.nc", engine="netcdf4", **options) as whole:
            wanted = whole.isel(lat=rows, lon=columns).load()
        del wanted.attrs["geospatial_lat_min"]
        found = landed(clip, tmp_path, **options)
        xr.testing.assert_identical(found, wanted)
        assert found.encoding["unlimited_dims"] == {"time"}
        same = ("dtype", "zlib", "complevel", "shuffle", "fletcher32", "scale_factor", "add_offset", "_FillValue")
        for name in wanted.variables:
            pair = [[str(cube[name].encoding.get(key)) for key in same] for cube in (found, wanted)]
            assert pair[0] == pair[1]
    assert clip.bbox == (5, 50, 9, 53)
    assert clip.metadata["proj:shape"] == [3, 4]
    assert clip.metadata["proj:transform"] == [1, 0, 5, 0, -1, 53]


@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
@pytest.mark.parametrize("start", [-179.5, 0.5])
@pytest.mark.parametrize(
    ("box", "longitudes"),
    [
        ((178, 0, -178, 2), [178.5, 179.5, 180.5, 181.5]),
        ((-2, 0, 1, 2), [-1.5, -0.5, 0.5]),
        ((-180, 0, 180, 2), None),
    ],
)
def test_longitudes_go_on_across_the_end_of_the_grid(written, tmp_path, engine, start, box, longitudes):
    whole = globe(lon=np.arange(start, start + 360)).drop_vars("station")
    clip = clip_of(written(whole, engine=engine), box)
    found = landed(clip, tmp_path)
    assert list(found.lon) == (list(whole.lon) if longitudes is None else longitudes)
    assert list(found.lat) == [1.5, 0.5]
    there = whole.lon.to_numpy()
    at = [int(np.argmin(np.abs((there - one + 180) % 360 - 180))) for one in found.lon.to_numpy()]
    np.testing.assert_allclose(found.sst, whole.sst.isel(lon=at, lat=slice(88, 90)), atol=0.006)
    assert clip.bbox == box


@pytest.mark.parametrize("units", ["m", "km"])
def test_a_projected_cube_is_cut_in_its_own_crs(written, tmp_path, units):
    whole = utm(units=units)
    box = Transformer.from_crs(32631, "OGC:CRS84", always_xy=True).transform_bounds(500103, 5599403, 500206, 5599507)
    clip = clip_of(written(whole), box)
    found = landed(clip, tmp_path)
    np.testing.assert_array_equal(found.B04, whole.B04[49:60, 10:21])
    assert found.crs.attrs["crs_wkt"] == whole.crs.attrs["crs_wkt"]
    place = [float(one) for one in found.crs.attrs["GeoTransform"].split()]
    assert place == pytest.approx([500100, 10, 0, 5599510, 0, -10])
    assert clip.metadata["proj:bbox"] == pytest.approx([500100, 5599400, 500210, 5599510])
    assert clip.metadata["proj:code"] == "EPSG:32631"
    assert clip.bbox[0] <= box[0] < box[2] <= clip.bbox[2]
    assert clip_of(written(whole), (100, -50, 101, -49)) is None


def test_only_the_chunks_of_the_area_are_read_counted_and_landed(written, server, tmp_path):
    content = written(globe(np.arange(89.9, -90, -0.2), np.arange(0.1, 360, 0.2)), chunks=(1, 100, 100))
    href = server.add("/x.nc", content)
    item = stac_item(
        {"x": {"href": href, "type": "application/x-netcdf", "cube:dimensions": {}}},
        links=[{"rel": "self", "href": f"{server.url}/item.json"}],
    )
    with Session(plugins=(splashdown_xarray,), discover=False, strict=True) as session:
        results = session.open(item).clip((5, 50, 9, 53))
        done = results.run("download_files", target=tmp_path / "out")
        assert done.report.bytes_moved == server.sent("/x.nc") < len(content) / 5
        again = session.open(item).clip((5, 50, 9, 53)).run("download_files", target=tmp_path / "out")
    assert again.report.outcomes[0].status is Ended.SKIPPED
    receipt = json.loads((tmp_path / "out/item.json").read_text())
    entry = receipt["assets"]["x"]
    assert receipt["bbox"] == pytest.approx([5, 50, 9, 53])
    assert entry["proj:shape"] == [15, 20]
    assert entry["file:size"] == done.places[0].stat().st_size
    assert "cube:dimensions" not in entry
    assert {"rel": "derived_from", "href": f"{server.url}/item.json", "type": "application/json"} in receipt["links"]
    assert Session(discover=False).run("verify", tmp_path / "out").ok


def test_a_server_that_fails_fails_the_transfer(written, server, tmp_path):
    # The structure lies in the first block, the values behind it.
    href = server.add("/x.nc", written(chunks=(5, 90, 90)))
    settings = Settings(retry=RetryPolicy(attempts=2, base=0.01))
    with Session(plugins=(splashdown_xarray,), discover=False, settings=settings) as session:
        results = session.open(stac_item({"x": {"href": href, "type": "application/x-netcdf"}})).clip((5, 50, 9, 53))
        assert not results.skipped
        server.script("/x.nc", *[Status(503)] * 50)
        with pytest.raises(DownloadError, match="503"):
            results.download_files(tmp_path / "out")


def damaged(written, how):
    """A file whose grid an area has no place in."""
    cube = globe()
    if how == "no coordinates":
        return written(cube.drop_vars("lon"))
    if how == "two dimensions":
        flat = xr.Dataset({"a": (("r", "c"), np.zeros((4, 4)))}, coords={"lat": (("r", "c"), np.zeros((4, 4)))})
        return written(flat.assign_coords(lon=flat.lat))
    if how == "no order":
        return written(cube.isel(lat=RNG.permutation(len(LAT))))
    if how == "not a number":
        return written(cube.assign_coords(lat=("lat", np.full(len(LAT), np.nan), cube.lat.attrs)))
    if how == "no crs":
        return written(utm().drop_vars("crs"))
    if how == "bad crs":
        return written(utm({"crs_wkt": "PROJCS[...]"}))
    if how == "points":
        points = {"lat": ("p", np.arange(4.0)), "lon": ("p", np.arange(4.0))}
        return written(xr.Dataset({"a": (("p",), np.zeros(4))}, coords=points))
    if how == "cut":
        return written()[:5000]
    return b"CDF\x01" + bytes(3)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("no coordinates", "no variable has dimensions with coordinates of longitude"),
        ("two dimensions", "its coordinates lat, lon have two dimensions"),
        ("no order", "'lat' neither rises nor falls"),
        ("not a number", "'lat' neither rises nor falls"),
        ("no crs", "does not name the CRS of x and y"),
        ("bad crs", "grid_mapping does not describe a CRS"),
        ("points", "no variable has dimensions"),
        ("cut", "cannot be read as netCDF"),
        ("classic", "cannot be read as netCDF"),
    ],
)
def test_what_an_area_has_no_place_in_is_refused_in_one_line(written, how, reason):
    with pytest.raises(LoadError, match=reason) as error:
        clip_of(damaged(written, how), (0, 0, 10, 10))
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("x.nc")


def test_groups_and_sizes_that_no_disk_holds_are_refused(tmp_path):
    path = tmp_path / "in.nc"
    with h5netcdf.File(path, "w") as file:
        file.dimensions = {"t": 10**9, "lat": 100, "lon": 100}
        for name in ("lat", "lon"):
            file.create_variable(name, (name,), data=np.arange(100.0))
        file.create_variable("a", ("t", "lat", "lon"), "f8", chunks=(1, 100, 100))
    with pytest.raises(LoadError, match="unpacks to"):
        clip_of(path.read_bytes(), (0, 0, 90, 80))
    with h5py.File(path, "a") as file:
        file.create_group("g")["a"] = np.zeros(3)
    with pytest.raises(LoadError, match="groups"):
        clip_of(path.read_bytes(), (0, 0, 90, 80))


def test_bounds_say_where_cells_end_and_go_on_with_their_longitudes(written, tmp_path):
    cube = globe(lon=np.arange(0.0, 360)).drop_vars("station")
    cube["lon"].attrs["bounds"] = "lon_bnds"
    low = np.arange(0.0, 360)  # each cell lies east of its coordinate
    cube["lon_bnds"] = (("lon", "nv"), np.stack([low, low + 1], axis=1))
    found = landed(clip_of(written(cube), (-1.5, 0, 0.5, 1)), tmp_path)
    assert found.lon.to_numpy().tolist() == [-2, -1, 0]
    assert found.lon_bnds.to_numpy().tolist() == [[-2, -1], [-1, 0], [0, 1]]


@given(
    start=st.floats(-360, 360),
    step=st.sampled_from([-7.5, -1.0, 0.25, 3.0, 10.0]),
    count=st.integers(1, 60),
    west=st.floats(-180, 180),
    width=st.floats(0, 359),
)
@settings(max_examples=150, deadline=None)
def test_cells_that_touch_the_area_are_taken_and_no_others(start, step, count, west, width):
    count = min(count, int(360 / abs(step)))
    lon = start + step * np.arange(count)
    cube = xr.Dataset(
        {"a": (("lat", "lon"), np.zeros((2, count)))}, coords={"lat": ("lat", [0.0, 1.0]), "lon": ("lon", lon)}
    )
    variables = {name: cube.variables[name] for name in cube.variables}
    east = (west + width + 180) % 360 - 180
    found = cut(variables, Area(bbox=(west, 0, east, 1)), "x")
    taken = [] if found is None else [n for run in found.runs["lon"] for n in range(run.start, run.stop)]
    axis = grids_of(variables, "x")[0].x
    end = east if west <= east else east + 360
    for n in range(count):
        inside = max(min(axis.high[n] + t, end) - max(axis.low[n] + t, west) for t in range(-1080, 1081, 360))
        if abs(inside) > 1e-4:
            assert (n in taken) == (inside > 0)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.filterwarnings("ignore::zarr.errors.UnstableSpecificationWarning", "ignore:Consolidated metadata")
def test_a_zarr_store_becomes_one_netcdf_file_of_the_area(server, tmp_path, version):
    whole = globe().drop_vars("station")
    whole.to_zarr(tmp_path / "c.zarr", zarr_format=version, consolidated=True, encoding={"sst": PACKED | {
        "chunks": (1, 30, 30)}})  # fmt: skip
    for path in (tmp_path / "c.zarr").rglob("*"):
        if path.is_file():
            server.add("/" + path.relative_to(tmp_path).as_posix(), path.read_bytes())
    item = stac_item({"c": {"href": f"{server.url}/c.zarr", "type": "application/vnd+zarr"}})
    with Session(plugins=(splashdown_xarray,), discover=False, strict=True) as session:
        results = session.open(item).clip((5.2, 50, 8.1, 52.5))
        assert not results.skipped
        done = results.run("download_files", target=tmp_path / "out")
        again = results.run("download_files", target=tmp_path / "out")
    assert done.places[0].suffix == ".nc"
    assert {one.path for one in server.seen if "/c.zarr/sst/" in one.path and "zar" not in one.path[12:]} == {
        f"/c.zarr/sst/c/{t}/1/6" if version == 3 else f"/c.zarr/sst/{t}.1.6" for t in range(5)
    }
    assert again.report.bytes_moved + done.report.bytes_moved == pytest.approx(server.sent(), rel=0.01)
    with xr.open_dataset(done.places[0], engine="netcdf4") as found:
        np.testing.assert_allclose(found.sst, whole.sst[:, 37:40, 185:189], atol=0.006)
        assert found.sst.attrs == whole.sst.attrs
        assert found.sst.encoding["zlib"]
        assert found.attrs == {"title": "T"}
        assert list(found.time.to_numpy()) == list(whole.time.to_numpy())
    assert again.report.outcomes[0].status is Ended.STORED, "a store has no version to compare"
    assert again.report.outcomes[0].checksum == done.report.outcomes[0].checksum
    assert Session(discover=False).run("verify", tmp_path / "out").ok
