"""Data cubes: what comes out, what is read for it over a real socket, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import splashdown_xarray
import xarray as xr
from pyproj import CRS
from splashdown_xarray import load_netcdf, load_zarr

from splashdown.errors import HttpStatusError, LoadError, UsageError
from splashdown.testing import LoaderContract, MemoryHandle, make_asset

SPECS = {spec.name: spec for spec in splashdown_xarray.splashdown_loaders()}
RNG = np.random.default_rng(0)


def cube(times=4, size=256):
    """A cube as openEO's back-ends write it: bands as variables, and the CRS as a variable of its own."""
    data = xr.Dataset(
        {
            band: (("t", "y", "x"), RNG.integers(0, 10_000, (times, size, size)).astype("i2"), {"grid_mapping": "crs"})
            for band in ("B04", "B08")
        },
        coords={
            "t": pd.date_range("2023-06-01", periods=times),
            "y": np.arange(size) * -10.0,
            "x": np.arange(size) * 10.0,
        },
    )
    data["crs"] = ((), 0, {"crs_wkt": CRS.from_epsg(32631).to_wkt()})
    return data


CUBE = cube(times=8)


@pytest.fixture(scope="module")
def netcdf(tmp_path_factory):
    """2 MB in chunks of one date and 128 x 128 pixels."""
    path = tmp_path_factory.mktemp("cubes") / "cube.nc"
    encoding = {band: {"chunksizes": (1, 128, 128), "zlib": True, "complevel": 1} for band in ("B04", "B08")}
    CUBE.to_netcdf(path, engine="h5netcdf", encoding=encoding)
    return path.read_bytes()


def handle(content):
    return MemoryHandle(content, make_asset("data.nc"))


class TestNetCdf(LoaderContract):
    @pytest.fixture
    def spec(self):
        return SPECS["netcdf"]

    @pytest.fixture
    def good(self, netcdf):
        return netcdf

    def check(self, loaded):
        xr.testing.assert_equal(loaded[["B04", "B08"]].drop_vars("crs"), CUBE[["B04", "B08"]])
        assert "crs" in loaded.coords


class StoreHandle(MemoryHandle):
    """A Zarr store in memory whose consolidated metadata are ``data``; its chunks are those of a good store."""

    def __init__(self, asset, data, chunks):
        super().__init__(data, asset)
        self.objects = {**chunks, "zarr.json": data}

    def sibling(self, name):
        if name not in self.objects:
            raise HttpStatusError("not found", status=404)
        return MemoryHandle(self.objects[name], self.asset)


@pytest.mark.filterwarnings("ignore::zarr.errors.UnstableSpecificationWarning", "ignore:Consolidated metadata")
@pytest.mark.filterwarnings("ignore:Failed to open Zarr store with consolidated metadata:RuntimeWarning")
class TestZarr(LoaderContract):
    @pytest.fixture
    def store(self, tmp_path_factory):
        tmp_path = tmp_path_factory.mktemp("store")
        CUBE.chunk({"t": 1, "y": 128, "x": 128}).to_zarr(tmp_path / "c.zarr", zarr_format=3, consolidated=True)
        files = [path for path in Path(tmp_path, "c.zarr").rglob("*") if path.is_file()]
        return {path.relative_to(tmp_path / "c.zarr").as_posix(): path.read_bytes() for path in files}

    @pytest.fixture(autouse=True)
    def opened(self, store):
        self.chunks = {name: content for name, content in store.items() if name != "zarr.json"}

    @pytest.fixture
    def spec(self):
        return SPECS["zarr"]

    @pytest.fixture
    def good(self, store):
        return store["zarr.json"]

    def handle(self, spec, data):
        return StoreHandle(make_asset("data.zarr"), data, self.chunks)

    def load_clip(self, spec, clip):
        return load_netcdf(clip)

    def check(self, loaded):
        xr.testing.assert_equal(loaded[["B04"]].compute().drop_vars("crs", errors="ignore"), CUBE[["B04"]])


class TestNetCdfTree(TestNetCdf):
    @pytest.fixture
    def spec(self):
        return SPECS["netcdf-tree"]

    def check(self, loaded):
        assert isinstance(loaded, xr.DataTree)
        super().check(loaded.to_dataset())


class TestZarrTree(TestZarr):
    @pytest.fixture
    def spec(self):
        return SPECS["zarr-tree"]

    def check(self, loaded):
        assert isinstance(loaded, xr.DataTree)
        super().check(loaded.to_dataset())


def test_a_whole_cube_is_in_memory(netcdf):
    loaded = load_netcdf(handle(netcdf))
    assert all(array.variable._in_memory for array in loaded.data_vars.values())


def test_a_lazy_cube_moves_its_structure_and_the_chunks_that_are_used(server, asset_of, netcdf):
    asset = asset_of(server.add("/cube.nc", netcdf), "application/x-netcdf")
    lazy = asset.load(lazy=True)
    opened = server.sent()
    assert opened <= 4 * 64 * 1024
    np.testing.assert_array_equal(lazy["B08"][2, 10:20, 200:210], CUBE["B08"][2, 10:20, 200:210])
    # One chunk of 128 x 128 noisy pixels, and at most a block of the index that leads to it.
    assert server.sent() - opened < 128 * 128 * 2 + 2 * 64 * 1024
    assert server.sent() < len(netcdf) / 3


def test_a_lazy_cube_with_dask_is_the_same(server, asset_of, netcdf):
    lazy = asset_of(server.add("/cube.nc", netcdf)).load("netcdf", chunks={"t": 1})
    assert lazy["B04"].chunks is not None
    xr.testing.assert_equal(lazy.compute()[["B04"]].drop_vars("crs"), CUBE[["B04"]])


def test_netcdf_3_is_read_too():
    plain = CUBE.drop_vars("crs").copy(deep=True)
    for array in plain.data_vars.values():
        del array.attrs["grid_mapping"]
    content = plain.to_netcdf(engine="scipy")
    loaded = load_netcdf(handle(bytes(content)))
    xr.testing.assert_equal(loaded, plain)


def test_arrays_far_larger_than_their_file_are_refused(tmp_path):
    with h5py.File(tmp_path / "x.nc", "w") as file:
        file.create_dataset("zeros", (100_000, 100_000), "f8", chunks=(1000, 1000), compression="gzip")
    content = (tmp_path / "x.nc").read_bytes()
    assert len(content) < 100_000
    with pytest.raises(LoadError, match=r"80,000,000,000 bytes.*lazy=True"):
        load_netcdf(handle(content))
    part = load_netcdf(handle(content), lazy=True)["zeros"][:3, :3]
    assert not part.any()


@pytest.mark.parametrize("kind", ["link", "storage", "virtual"])
@pytest.mark.parametrize("lazy", [True, False])
def test_files_that_point_at_others_are_refused(tmp_path, kind, lazy):
    (tmp_path / "secret").write_bytes(b"s3cret--" * 10)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["data"] = np.arange(10)
    with h5py.File(tmp_path / "x.nc", "w") as file:
        if kind == "link":
            file["a/leak"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/data")
        elif kind == "storage":
            file.create_dataset("leak", (10,), "S8", external=[(str(tmp_path / "secret"), 0, 80)])
        else:
            layout = h5py.VirtualLayout((10,), "i8")
            layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "data", shape=(10,))
            file.create_virtual_dataset("leak", layout)
    with pytest.raises(LoadError, match="another file: refused"):
        load_netcdf(handle((tmp_path / "x.nc").read_bytes()), lazy=lazy)


@pytest.fixture(params=[2, 3])
def zarr_url(request, server, tmp_path):
    CUBE.chunk({"t": 1, "y": 128, "x": 128}).to_zarr(tmp_path / "c.zarr", zarr_format=request.param, consolidated=True)
    for path in Path(tmp_path, "c.zarr").rglob("*"):
        if path.is_file():
            server.add(f"/c.zarr/{path.relative_to(tmp_path / 'c.zarr').as_posix()}", path.read_bytes())
    return server.url + "/c.zarr"


@pytest.mark.filterwarnings("ignore::zarr.errors.UnstableSpecificationWarning", "ignore:Consolidated metadata")
def test_a_zarr_store_is_read_chunk_by_chunk(server, asset_of, zarr_url):
    opened = asset_of(zarr_url, "application/vnd+zarr").load()
    assert "crs" in opened.coords
    before = len(server.seen)
    np.testing.assert_array_equal(opened["B04"][1, :100, :100], CUBE["B04"][1, :100, :100])
    assert len(server.seen) == before + 1
    xr.testing.assert_equal(opened[["B08"]].compute().drop_vars("crs", errors="ignore"), CUBE[["B08"]])


@pytest.mark.filterwarnings("ignore::zarr.errors.UnstableSpecificationWarning", "ignore:Consolidated metadata")
def test_a_chunk_that_is_not_there_is_the_fill_value(server, asset_of, zarr_url):
    chunk = next(path for path in server.files if "B04" in path and path.endswith(("/0.0.0", "/0/0/0")))
    del server.files[chunk]
    opened = asset_of(zarr_url).load("zarr", decode=False)
    assert not opened["B04"][0, :128, :128].any()
    np.testing.assert_array_equal(opened["B04"][0, 128:], CUBE["B04"][0, 128:])


@pytest.mark.filterwarnings("ignore::zarr.errors.UnstableSpecificationWarning", "ignore:Consolidated metadata")
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_zarr_store_on_disk_is_read_like_a_remote_one(asset_of, tmp_path, zarr_format):
    CUBE.to_zarr(tmp_path / "c.zarr", zarr_format=zarr_format, consolidated=True)
    opened = asset_of(str(tmp_path / "c.zarr")).load()
    xr.testing.assert_equal(opened[["B04"]].compute().drop_vars("crs", errors="ignore"), CUBE[["B04"]])


@pytest.mark.filterwarnings("ignore::zarr.errors.UnstableSpecificationWarning")
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_store_without_consolidated_metadata_says_what_to_do(asset_of, tmp_path, zarr_format):
    CUBE.to_zarr(tmp_path / "c.zarr", zarr_format=zarr_format, consolidated=False)
    with pytest.raises(
        LoadError, match=r"no consolidated metadata, .*: have it written with zarr\.consolidate_metadata"
    ):
        asset_of(str(tmp_path / "c.zarr")).load()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_no_zarr_store_says_so(server, asset_of, netcdf):
    with pytest.raises(LoadError, match="cube cannot be read as Zarr"):
        asset_of(server.add("/x.zarr", netcdf)).load()
    with pytest.raises(LoadError, match="below its href"):
        load_zarr(handle(netcdf))


@pytest.mark.parametrize("name", ["../secret", "a/../../b", "/etc/passwd", "a//b", ".", "..\\x"])
def test_names_in_a_store_never_lead_out_of_it(server, asset_of, name):
    with pytest.raises(UsageError, match="expected a relative path below the asset"):
        asset_of(server.url + "/c.zarr").open().sibling(name)


def test_summaries_read_no_data(server, asset_of, netcdf):
    facts = SPECS["netcdf"].summarise(asset_of(server.add("/cube.nc", netcdf)).open())
    assert server.sent() < len(netcdf) / 4
    assert facts["dimensions"] == "t 8, y 256, x 256"
    assert facts["t"] == "2023-06-01 00:00:00 to 2023-06-08 00:00:00"


def test_importing_the_plugin_loads_nothing_heavy():
    code = (
        "import sys, splashdown_xarray as s; list(s.splashdown_loaders());"
        "print([m for m in ('numpy', 'xarray', 'h5py', 'h5netcdf', 'zarr') if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
