"""Zarr on stores that forbid what is missing, and what is called Zarr but is something else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from faults import Status

from splashdown.errors import LoadError, SplashdownError

DATA = xr.Dataset({"v": (("y", "x"), np.arange(64.0).reshape(8, 8))})
PROBED = ("zarr.json", ".zgroup", ".zattrs", ".zarray", ".zmetadata")
pytestmark = pytest.mark.filterwarnings(
    "ignore:Consolidated metadata", "ignore:Failed to open Zarr store with consolidated metadata:RuntimeWarning"
)


@pytest.fixture(params=[2, 3])
def forbidding(request, server, tmp_path):
    """A store whose server answers 403 for each object that is missing, as S3 does without the right to list."""
    DATA.chunk({"y": 4, "x": 4}).to_zarr(tmp_path / "c.zarr", zarr_format=request.param, consolidated=True)
    chunk = "v/1.1" if request.param == 2 else "v/c/1/1"
    for path in Path(tmp_path, "c.zarr").rglob("*"):
        name = path.relative_to(tmp_path / "c.zarr").as_posix()
        if path.is_file() and name not in {chunk, ".zattrs"}:
            server.add(f"/c.zarr/{name}", path.read_bytes())
    for name in (*PROBED, chunk):
        if f"/c.zarr/{name}" not in server.files:
            server.always(f"/c.zarr/{name}", Status(403))
    return server.url + "/c.zarr", request.param


def test_the_version_is_found_where_the_other_one_is_forbidden(asset_of, forbidding):
    url, version = forbidding
    for options in ({}, {"zarr_format": version}):
        opened = asset_of(url).load("zarr", decode=False, **options)
        np.testing.assert_array_equal(opened["v"][:4], DATA["v"][:4])


def test_a_forbidden_chunk_is_an_error_unless_403_means_absent(asset_of, forbidding):
    url, _ = forbidding
    with pytest.raises(SplashdownError, match="403"):
        asset_of(url).load("zarr", decode=False)["v"].load()
    opened = asset_of(url).load("zarr", decode=False, absent=(403, 404))["v"].load()
    np.testing.assert_array_equal(opened[:4], DATA["v"][:4])
    assert np.isnan(opened[4:, 4:]).all() or not opened[4:, 4:].any()


def test_a_store_that_is_forbidden_as_a_whole_says_so(asset_of, server):
    for name in PROBED:
        server.always(f"/c.zarr/{name}", Status(403))
    with pytest.raises(LoadError, match=r"forbids its metadata .*403.*check the credentials"):
        asset_of(server.url + "/c.zarr").load("zarr")


@pytest.mark.parametrize(
    "document",
    [{"version": 1, "refs": {".zgroup": "{}"}}, {".zgroup": '{"zarr_format": 2}', "v/0": ["s3://b/k", 0, 10]}],
)
def test_references_to_other_files_are_named(asset_of, server, document):
    href = server.add("/references.json", json.dumps(document).encode())
    with pytest.raises(LoadError, match="references of kerchunk or VirtualiZarr"):
        asset_of(href).load("zarr")


def test_references_in_parquet_are_not_taken_for_a_store(asset_of, server, tmp_path):
    DATA.to_zarr(tmp_path / "c.zarr", zarr_format=2, consolidated=True)
    document = json.loads((tmp_path / "c.zarr/.zmetadata").read_bytes())
    server.add("/c.parq/.zmetadata", json.dumps({"metadata": document["metadata"], "record_size": 100}).encode())
    server.add("/c.parq/.zgroup", b'{"zarr_format": 2}')
    with pytest.raises(LoadError, match="references of kerchunk or VirtualiZarr"):
        asset_of(server.url + "/c.parq").load("zarr")


@pytest.mark.parametrize("name", ["repo", "refs/branch.main/ref.json"])
def test_an_icechunk_repository_is_named(asset_of, server, name):
    server.add(f"/c.icechunk/{name}", b"ICE")
    with pytest.raises(LoadError, match="is an Icechunk repository"):
        asset_of(server.url + "/c.icechunk").load("zarr")
