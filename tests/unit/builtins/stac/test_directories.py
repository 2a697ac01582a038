"""Assets that are folders of many objects are left out of a download, each with its reason."""

from __future__ import annotations

import pytest
from stac_item import stac_item

import splashdown
from splashdown._cli.main import main


def planned(href, media_type=None):
    asset = {"href": href} if media_type is None else {"href": href, "type": media_type}
    plan = splashdown.open(stac_item({"a": asset})).plan("out")
    return len(plan.transfers), [one.reason for one in plan.skipped]


@pytest.mark.parametrize(
    ("href", "media_type", "words"),
    [
        ("s3://b/c.zarr", "application/vnd+zarr", "Zarr store"),
        ("s3://b/store", "application/vnd.zarr; version=3", "Zarr store"),
        ("https://e.example/c.ZARR/?sig=1", None, "Zarr store"),
        ("s3://b/gfs/v0.2.icechunk/", None, "Icechunk"),
        ("s3://b/repo", "application/vnd.icechunk", "Icechunk"),
        ("icechunk+s3://b/repo", None, "Icechunk"),
        ("s3://eodata/S2/S2B_MSIL2A.SAFE", None, "a .SAFE product"),
        ("https://e.example/S2B.SAFE/", "application/octet-stream", "a .SAFE product"),
        ("https://e.example/S3A.SEN3", None, "a .SEN3 product"),
        ("https://e.example/parcels.gdb", None, "file geodatabase"),
        ("s3://b/prefix/", None, "it is a folder"),
        ("gs://b/prefix/#x", None, "it is a folder"),
        ("https://e.example/some/where", "inode/directory", "it is a folder"),
    ],
)
def test_a_directory_is_left_out_with_the_reason(href, media_type, words):
    moved, reasons = planned(href, media_type)
    assert moved == 0
    assert words in reasons[0]
    assert "folder" in reasons[0]


@pytest.mark.parametrize(
    ("href", "media_type"),
    [
        ("https://e.example/S2B.SAFE.zip", None),
        ("https://e.example/S2B.SAFE", "application/zip"),
        ("https://e.example/c.zarr.zip", "application/zip"),
        ("https://e.example/c.zarr/.zmetadata", "application/json"),
        ("https://e.example/S2B.SAFE/manifest.safe.xml", "application/xml"),
        ("https://e.example/archive/download/", None),
        ("https://e.example/x.gdb.tif?of=c.zarr", "image/tiff"),
    ],
)
def test_a_file_that_is_called_like_a_directory_is_moved(href, media_type):
    assert planned(href, media_type) == (1, [])


def test_the_others_land_and_the_command_names_the_directory(tmp_path, capsys):
    (tmp_path / "a.txt").write_text("a")
    path = tmp_path / "item.json"
    import json

    path.write_text(json.dumps(stac_item({"t": {"href": "a.txt"}, "safe": {"href": "./S2B.SAFE/"}})))
    assert main(["download", str(path), str(tmp_path / "out"), "--dry-run"]) == 0
    assert "a .SAFE product is a folder" in " ".join(capsys.readouterr().out.split())
    assert main(["download", str(path), str(tmp_path / "out")]) == 0
    assert (tmp_path / "out/t-a.txt").exists()


def test_an_asset_called_like_its_item_is_named_once():
    results = splashdown.open(stac_item({"one": {"href": "https://e.example/a.tif"}}))
    asset = results.get_asset("one")
    assert asset.asset.label == "one"
    assert results.get_asset("one/one").asset == asset.asset
    assert "one/one" in results
    assert len(results.select(keys="one/one")) == 1
    assert results.plan(".", names={"one/one": "x.tif"}).transfers[0].name == "x.tif"
