"""``xarray.open_dataset(..., engine="splashdown")``: what a person gets who opens assets with xarray's own function."""

from __future__ import annotations

import json
import subprocess
import sys

import dask.array
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from splashdown import Session
from splashdown.errors import LoadError, MultipleAssetsError

DAYS = pd.date_range("2023-06-01", periods=4)
ENCODING = {"B04": {"scale_factor": 0.0001, "_FillValue": -1, "dtype": "i2", "chunksizes": (1, 64, 64), "zlib": True}}


@pytest.fixture(scope="module")
def cube():
    values = np.random.default_rng(0).integers(0, 10_000, (4, 256, 256)) / 10_000
    values[0, 0, 0] = np.nan
    coords = {"t": DAYS, "y": np.arange(256.0), "x": np.arange(256.0), "crs": 0}
    return xr.Dataset({"B04": (("t", "y", "x"), values, {"grid_mapping": "crs"})}, coords=coords)


@pytest.fixture(scope="module")
def netcdf(cube, tmp_path_factory):
    path = tmp_path_factory.mktemp("engine") / "cube.nc"
    cube.to_netcdf(path, engine="h5netcdf", encoding=ENCODING)
    return path.read_bytes()


@pytest.fixture
def asset(server, netcdf, asset_of):
    return asset_of(server.add("/cube.nc", netcdf) + "?sig=SECRET", "application/x-netcdf")


def test_an_asset_opens_lazily_and_decoded_without_a_name_of_an_engine(asset, cube, server, netcdf):
    with xr.open_dataset(asset) as opened:
        assert opened["B04"].dtype.kind == "f"
        assert opened.indexes["t"].equals(DAYS)
        assert "crs" in opened.coords
        np.testing.assert_allclose(opened["B04"][2, :10, :10], cube["B04"][2, :10, :10], atol=1e-4)
        assert server.sent() < len(netcdf) / 2
        xr.testing.assert_allclose(opened.load(), cube, atol=1e-4)


def test_chunks_and_decoders_of_xarray_count(asset):
    opened = xr.open_dataset(asset, engine="splashdown", chunks={"t": 1}, mask_and_scale=False, decode_times=False)
    assert isinstance(opened["B04"].data, dask.array.Array)
    assert opened["B04"].dtype == "i2"
    assert opened["t"].dtype.kind == "i"
    assert opened["B04"][0, 0, 0].compute() == -1
    assert "B04" not in xr.open_dataset(asset, drop_variables="B04")


def test_a_secret_of_the_link_is_not_noted(asset):
    opened = xr.open_dataset(asset, engine="splashdown")
    assert "SECRET" not in repr(opened.encoding) + repr(opened) + repr(opened["B04"].encoding)
    assert opened.encoding["source"].startswith("http")


def test_a_source_opens_by_the_key_of_an_asset(tmp_path, netcdf, cube):
    (tmp_path / "cube.nc").write_bytes(netcdf)
    assets = {"cube": {"href": "cube.nc"}, "again": {"href": "./cube.nc"}}
    item = {"type": "Feature", "stac_version": "1.0.0", "id": "i", "geometry": None, "links": [], "assets": assets}
    path = tmp_path / "item.json"
    path.write_text(json.dumps(item | {"properties": {"datetime": "2023-06-01T00:00:00Z"}}))
    with Session(config=False) as session:
        for source in (f"splashdown:{path}", path, session.open(path)):
            opened = xr.open_dataset(source, engine="splashdown", key="cube", session=session)
            assert opened["B04"].shape == cube["B04"].shape
        with pytest.raises(MultipleAssetsError, match=r"again, cube|cube, again"):
            xr.open_dataset(f"splashdown:{path}", engine="splashdown", session=session)


def test_groups_and_zarr_open_too(tmp_path, cube, asset_of):
    cube.to_netcdf(tmp_path / "groups.nc", group="PRODUCT", engine="h5netcdf")
    cube.to_zarr(tmp_path / "cube.zarr", consolidated=True, zarr_format=2)
    groups = asset_of(f"file://{tmp_path}/groups.nc", "application/x-netcdf")
    with pytest.raises(LoadError, match="its groups are PRODUCT"):
        xr.open_dataset(groups, engine="splashdown")
    assert xr.open_dataset(groups, engine="splashdown", group="PRODUCT")["B04"].shape == (4, 256, 256)
    opened = xr.open_dataset(asset_of(f"file://{tmp_path}/cube.zarr", "application/vnd+zarr"))
    xr.testing.assert_allclose(opened.load(), cube)


def test_what_is_not_a_dataset_is_said(tmp_path, asset_of):
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(LoadError, match="the loader returned str, not a dataset"):
        xr.open_dataset(asset_of(f"file://{tmp_path}/a.txt", "text/plain"), engine="splashdown")


def test_other_files_of_xarray_open_as_they_did(tmp_path, cube):
    cube.to_netcdf(tmp_path / "cube.nc", engine="h5netcdf")
    code = """if True:
        import sys, xarray
        assert xarray.open_dataset(sys.argv[1])["B04"].shape == (4, 256, 256)
        assert "splashdown" in xarray.backends.list_engines()
        assert "splashdown.results" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "cube.nc")], check=True)
