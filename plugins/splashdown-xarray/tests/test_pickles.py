"""Lazy cubes go to other processes by how they are opened: no data, no connection, no secret."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys

import netCDF4
import numpy as np
import pytest
import xarray as xr
from stac_item import stac_item

from splashdown import Session

VALUES = np.arange(60_000.0).reshape(6, 100, 100)
#: What another process makes of them.
READ = "import json, pickle, sys; cubes = pickle.load(sys.stdin.buffer); "
READ += "print(json.dumps([[float(cube['a'].sum()), cube['name'].values.tolist()] for cube in cubes]))"


@pytest.fixture
def assets(server, tmp_path):
    """The same cube as netCDF, where names end before their dimension does, and as a Zarr store."""
    with netCDF4.Dataset(tmp_path / "cube.nc", "w") as file:
        for name, size in {"t": None, "y": 100, "x": 100}.items():
            file.createDimension(name, size)
        file.createVariable("a", "f8", ("t", "y", "x"), chunksizes=(1, 100, 100))[:] = VALUES
        file.createVariable("name", str, ("t",))[0] = "first"
    with xr.open_dataset(tmp_path / "cube.nc", engine="netcdf4") as cube:
        cube[["a"]].assign(name=("t", np.arange(6))).chunk({"t": 1}).to_zarr(tmp_path / "cube.zarr", zarr_format=2)
    for path in (tmp_path / "cube.zarr").rglob("*"):
        if path.is_file():
            server.add(f"/cube.zarr/{path.relative_to(tmp_path / 'cube.zarr').as_posix()}", path.read_bytes())
    netcdf = server.add("/cube.nc", (tmp_path / "cube.nc").read_bytes())
    return {
        "netcdf": {"href": netcdf, "type": "application/x-netcdf"},
        "zarr": {"href": f"{server.url}/cube.zarr", "type": "application/vnd+zarr"},
    }


def test_lazy_cubes_are_read_by_another_process(server, assets):
    with Session(auth={server.url: "s3cret"}) as session:
        opened = session.open(stac_item(assets))
        cubes = [
            opened["netcdf"].load("netcdf", lazy=True),
            opened["netcdf"].load("netcdf", chunks={}),
            opened["zarr"].load("zarr"),
            opened["zarr"].load("zarr", chunks={}),
        ]
        data = pickle.dumps(cubes)
    assert len(data) < 40_000
    assert b"s3cret" not in data
    done = subprocess.run([sys.executable, "-c", READ], input=data, capture_output=True, timeout=100)
    assert done.returncode == 0, done.stderr.decode()
    netcdf, zarr = [VALUES.sum(), ["first", *[""] * 5]], [VALUES.sum(), list(range(6))]
    assert json.loads(done.stdout) == [netcdf, netcdf, zarr, zarr]
