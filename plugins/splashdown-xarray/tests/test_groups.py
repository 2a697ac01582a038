"""Files of several groups: what is in them is named, one is picked, or all become a tree."""

from __future__ import annotations

import h5py
import netCDF4
import numpy as np
import pytest
import xarray as xr
import zarr
from splashdown_xarray import load_netcdf, load_netcdf_tree

from splashdown.errors import LoadError
from splashdown.testing import MemoryHandle, make_asset

ONE, TWO = xr.Dataset({"no2": ("x", [1, 2])}), xr.Dataset({"o3": ("y", [3.0, 4.0, 5.0])})
GROUPS = {"PRODUCT": ONE, "PRODUCT/SUPPORT": TWO}


def handle(path):
    return MemoryHandle(path.read_bytes(), make_asset("data.nc"))


@pytest.fixture
def netcdf(tmp_path):
    """Written as Sentinel-5P is: the root has nothing."""
    for group, data in GROUPS.items():
        data.to_netcdf(tmp_path / "s5p.nc", group=group, mode="a", engine="h5netcdf")
    return tmp_path / "s5p.nc"


@pytest.fixture(params=[2, 3])
def store(request, tmp_path):
    """A consolidated store of the same groups."""
    path = tmp_path / "s5p.zarr"
    for group, data in GROUPS.items():
        data.to_zarr(path, group=group, mode="a", zarr_format=request.param, consolidated=False)
    if request.param == 2:
        zarr.consolidate_metadata(path)
    else:
        with pytest.warns(zarr.errors.ZarrUserWarning, match="Consolidated"):
            zarr.consolidate_metadata(path)
    return path


@pytest.mark.parametrize("lazy", [True, False])
def test_an_empty_root_says_which_groups_there_are(netcdf, lazy):
    with pytest.raises(LoadError, match=r"groups are PRODUCT, PRODUCT/SUPPORT: choose one with group=, .*netcdf-tree"):
        load_netcdf(handle(netcdf), lazy=lazy)


def test_the_root_is_loaded_when_it_is_asked_for(netcdf):
    assert not load_netcdf(handle(netcdf), group="/").variables


def test_an_empty_file_without_groups_is_an_empty_cube(tmp_path):
    xr.Dataset().to_netcdf(tmp_path / "x.nc", engine="h5netcdf")
    assert not load_netcdf(handle(tmp_path / "x.nc")).variables


def test_dimensions_alone_do_not_make_a_group_worth_naming(tmp_path, netcdf):
    with h5py.File(netcdf, "a") as file:
        scale = file.create_dataset("METADATA/n", (3,), "f4")
        scale.make_scale("This is a netCDF dimension but not a netCDF variable.         3")
    with pytest.raises(LoadError, match="groups are PRODUCT, PRODUCT/SUPPORT:"):
        load_netcdf(handle(netcdf))


@pytest.mark.parametrize("name", ["PRODUCT", "/PRODUCT", "PRODUCT/"])
def test_a_group_is_picked(netcdf, name):
    xr.testing.assert_identical(load_netcdf(handle(netcdf), group=name), ONE)
    xr.testing.assert_identical(load_netcdf(handle(netcdf), group="PRODUCT/SUPPORT", lazy=True).load(), TWO)


def test_a_mistyped_group_names_the_one_that_was_meant(netcdf):
    with pytest.raises(LoadError, match=r"no group 'PRODUKT'; did you mean 'PRODUCT'\?"):
        load_netcdf(handle(netcdf), group="PRODUKT")
    with pytest.raises(LoadError, match="no group 'xyz'; its groups are PRODUCT, PRODUCT/SUPPORT"):
        load_netcdf(handle(netcdf), group="xyz")


def test_a_netcdf_3_file_has_no_groups():
    content = bytes(ONE.astype("i4").to_netcdf(engine="scipy"))
    with pytest.raises(LoadError, match="no group 'PRODUCT'; it has none"):
        load_netcdf(MemoryHandle(content, make_asset("data.nc")), group="PRODUCT")


@pytest.mark.parametrize("options", [{}, {"lazy": True}, {"chunks": {}}])
def test_all_groups_become_a_tree(netcdf, options):
    tree = load_netcdf_tree(handle(netcdf), **options)
    assert tree.groups == ("/", "/PRODUCT", "/PRODUCT/SUPPORT")
    xr.testing.assert_identical(tree["PRODUCT"].to_dataset(inherit=False).load(), ONE)
    xr.testing.assert_identical(tree["PRODUCT/SUPPORT"].to_dataset(inherit=False).load(), TWO)
    assert load_netcdf_tree(handle(netcdf), group="PRODUCT").groups == ("/", "/SUPPORT")


def test_a_tree_larger_than_its_cap_is_refused(netcdf):
    size = netcdf.stat().st_size
    with h5py.File(netcdf, "a") as file:
        for group in ("PRODUCT", "PRODUCT/SUPPORT"):
            file.create_dataset(f"{group}/zeros", (size,), "u1", chunks=(1000,), compression="gzip")
    # Each of the two groups fits, both do not.
    with pytest.raises(LoadError, match=r"unpacks to .* bytes, more than max_bytes"):
        load_netcdf_tree(handle(netcdf), max_bytes=netcdf.stat().st_size)


def test_a_zarr_store_of_groups_names_them(asset_of, store):
    with pytest.raises(LoadError, match=r"groups are PRODUCT, PRODUCT/SUPPORT: choose one with group=, .*zarr-tree"):
        asset_of(str(store)).load("zarr")
    xr.testing.assert_equal(asset_of(str(store)).load("zarr", group="/PRODUCT/SUPPORT").load(), TWO)


def test_a_mistyped_zarr_group_names_the_one_that_was_meant(asset_of, store):
    with pytest.raises(LoadError, match=r"no group 'PRODUCT/SUPORT'; did you mean 'PRODUCT/SUPPORT'\?"):
        asset_of(str(store)).load("zarr", group="PRODUCT/SUPORT")


def test_a_zarr_store_becomes_a_tree(asset_of, store):
    tree = asset_of(str(store)).load("zarr-tree", chunks={})
    xr.testing.assert_equal(tree["PRODUCT/SUPPORT"].to_dataset(inherit=False).load(), TWO)
    assert tree["PRODUCT"]["no2"].chunks == ((2,),)
    assert asset_of(str(store)).load("zarr-tree", group="PRODUCT").groups == ("/", "/SUPPORT")


def test_variables_that_end_early_are_filled_up(tmp_path):
    with netCDF4.Dataset(tmp_path / "x.nc", "w") as file:
        file.createDimension("time", None)
        file.createDimension("n", 3)
        file.createVariable("whole", "f4", ("time",))[:] = np.arange(6)
        file.createVariable("named", str, ("time",))[0] = "a"
        file.createVariable("filled", str, ("time",), fill_value="none")[1] = "b"
        file.createVariable("never", str, ("time",))
        file.createVariable("letters", "S1", ("time", "n"))[0] = np.array([b"x", b"y", b"z"])
    expected = xr.load_dataset(tmp_path / "x.nc", engine="netcdf4")
    for options in ({}, {"lazy": True}, {"chunks": {"time": -1}}):
        loaded = load_netcdf(handle(tmp_path / "x.nc"), **options)
        xr.testing.assert_equal(loaded.compute(), expected)
    raw = load_netcdf(handle(tmp_path / "x.nc"), lazy=True, decode=False)
    for key in (slice(None, None, 2), slice(5, None, -1), slice(4, 5), 0, 5, [0, 5, 1], [4, 5]):
        wanted = xr.open_dataset(tmp_path / "x.nc", engine="netcdf4", decode_cf=False).load()
        np.testing.assert_array_equal(raw["filled"][key].values, wanted["filled"][key].values)


def test_variables_that_xarray_cannot_hold_are_left_out(tmp_path):
    with h5py.File(tmp_path / "x.nc", "w") as file:
        file["good"] = np.arange(3)
        file.create_dataset("lists", (3,), h5py.vlen_dtype("i4"))
        file["nothing"] = h5py.Empty("f4")
    with pytest.warns(UserWarning, match="lists, nothing left out"):
        loaded = load_netcdf(handle(tmp_path / "x.nc"))
    assert list(loaded) == ["good"]
