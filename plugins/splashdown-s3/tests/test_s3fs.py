"""xarray reads what a download has stored, over s3fs, and Splashdown reads what s3fs has written: one bucket for both.

s3fs needs an older botocore than this plugin is tested with, so it runs in an environment of its own.
"""

from __future__ import annotations

import os
import subprocess

import numpy as np
import pytest
import splashdown_s3
import splashdown_xarray
import xarray as xr
from own_environment import own_environment

from splashdown import Session

READ_AND_COPY = """
import sys, s3fs, xarray as xr
bucket, client = sys.argv[1], s3fs.S3FileSystem()
with client.open(f"s3://{bucket}/out/cube.nc") as file:
    cube = xr.open_dataset(file, engine="h5netcdf").load()
assert float(cube["a"].sum()) == 66.0, cube
assert any(name.endswith("/cube.nc") for name in client.ls(f"{bucket}/out"))
client.pipe(f"s3://{bucket}/theirs/cube.nc", client.cat(f"s3://{bucket}/out/cube.nc"))
"""


@pytest.fixture(scope="module")
def home():
    return own_environment("s3fs-2026.9.0", ("s3fs==2026.9.0",))


@pytest.mark.slow
@pytest.mark.usefixtures("credentials")
def test_xarray_over_s3fs_and_splashdown_read_what_the_other_wrote(home, store, bucket, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", store.url)
    xr.Dataset({"a": (("y", "x"), np.arange(12.0).reshape(3, 4))}).to_netcdf(tmp_path / "cube.nc", engine="h5netcdf")
    asset = {"href": str(tmp_path / "cube.nc"), "type": "application/x-netcdf"}
    item = {"type": "Feature", "stac_version": "1.0.0", "id": "i", "geometry": None, "properties": {}, "links": []}
    monkeypatch.chdir(tmp_path)
    with Session(plugins=[splashdown_s3, splashdown_xarray], discover=False, config=False) as session:
        session.open({**item, "assets": {"cube.nc": asset}}).download_files(f"s3://{bucket}/out/")
        command = [str(home / "bin/python"), "-c", READ_AND_COPY, bucket]
        done = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stderr
        theirs = {"href": f"s3://{bucket}/theirs/cube.nc", "type": "application/x-netcdf"}
        cube = session.open({**item, "assets": {"cube.nc": theirs}})["cube.nc"].load(chunks={})
        assert float(cube["a"].sum()) == 66.0
