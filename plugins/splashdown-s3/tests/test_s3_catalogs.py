"""A catalog lands in a bucket as it does in a folder, is verified there years later, and kept in step with its source."""

from __future__ import annotations

import json
import posixpath

import pystac
import pytest

from splashdown._cli.main import main


@pytest.fixture
def source(tmp_path):
    """A collection of two items on disk; removing an item is a matter of its link."""
    for name in ("june", "july"):
        (tmp_path / f"{name}.tif").write_bytes(name.encode() * 1000)
        document = {
            "type": "Feature",
            "stac_version": "1.1.0",
            "id": name,
            "collection": "c",
            "geometry": {"type": "Point", "coordinates": [1, 2]},
            "bbox": [1, 2, 1, 2],
            "properties": {"datetime": "2024-05-06T00:00:00Z"},
            "links": [],
            "assets": {"B04": {"href": f"./{name}.tif", "type": "image/tiff"}},
        }
        (tmp_path / f"{name}.json").write_text(json.dumps(document))

    def write(*items):
        extent = {"spatial": {"bbox": [[0, 0, 9, 9]]}, "temporal": {"interval": [["2020-01-01T00:00:00Z", None]]}}
        links = [{"rel": "item", "href": f"./{name}.json"} for name in items]
        root = {"type": "Collection", "stac_version": "1.1.0", "id": "c", "description": "d", "license": "other"}
        (tmp_path / "collection.json").write_text(json.dumps({**root, "extent": extent, "links": links}))
        return str(tmp_path / "collection.json")

    return write


@pytest.fixture
def target(store, bucket, credentials, monkeypatch):
    for name, value in store.environment.items():
        monkeypatch.setenv(name, value)
    return f"s3://{bucket}/deep/folder/"


@pytest.fixture
def stored(plain, bucket):
    def stored():
        listed = plain.list_objects_v2(Bucket=bucket).get("Contents", ())
        return {o["Key"].removeprefix("deep/folder/"): o for o in listed}

    return stored


class FromBucket(pystac.StacIO):
    """Lets pystac read what is in the bucket."""

    def __init__(self, plain, bucket):
        super().__init__()
        self.plain, self.bucket = plain, bucket

    def read_text(self, source, *args, **kwargs):
        key = posixpath.normpath(str(source).removeprefix(f"s3://{self.bucket}/"))
        return self.plain.get_object(Bucket=self.bucket, Key=key)["Body"].read().decode()

    def write_text(self, dest, txt, *args, **kwargs):
        raise NotImplementedError


def test_a_catalog_in_a_bucket_is_opened_by_pystac(source, target, stored, plain, bucket):
    assert main(["download", source("june", "july"), target, "--as-collection", "--quiet"]) == 0
    assert set(stored()) == {
        "collection.json",
        "june/june.json",
        "june/june.tif",
        "july/july.json",
        "july/july.tif",
    }
    text = plain.get_object(Bucket=bucket, Key="deep/folder/collection.json")["Body"].read()
    root = pystac.Collection.from_dict(json.loads(text), href=f"{target}collection.json")
    root._stac_io = FromBucket(plain, bucket)
    found = {item.id: item.assets["B04"].get_absolute_href() for item in root.get_items()}
    assert {name: href.removeprefix(target) for name, href in found.items()} == {
        "june": "june/june.tif",
        "july": "july/july.tif",
    }


def test_a_bucket_is_verified_file_by_file(source, target, plain, bucket, capsys):
    assert main(["download", source("june", "july"), target, "--as-collection", "--quiet"]) == 0
    assert main(["verify", target]) == 0
    body = bytearray(b"june" * 1000)
    body[7] ^= 1
    plain.put_object(Bucket=bucket, Key="deep/folder/june/june.tif", Body=bytes(body))
    plain.delete_object(Bucket=bucket, Key="deep/folder/july/july.tif")
    plain.put_object(Bucket=bucket, Key="deep/folder/extra", Body=b"x")
    capsys.readouterr()
    assert main(["verify", target, "--json"]) == 1
    states = {file["name"]: file["state"] for file in json.loads(capsys.readouterr().out)["files"]}
    assert states == {"june/june.tif": "changed", "july/july.tif": "missing", "extra": "extra"}


def test_sync_removes_from_a_bucket_what_the_source_has_lost_and_nothing_else(source, target, stored, plain, bucket):
    assert main(["sync", source("june", "july"), target, "--as-collection", "--quiet"]) == 0
    plain.put_object(Bucket=bucket, Key="deep/folder/mine", Body=b"x")
    before = stored()["june/june.tif"]["LastModified"]
    assert main(["sync", source("june"), target, "--as-collection", "--quiet"]) == 0
    assert "july/july.tif" in stored()
    assert main(["sync", source("june"), target, "--as-collection", "--delete", "--quiet"]) == 0
    assert set(stored()) == {"collection.json", "june/june.json", "june/june.tif", "mine"}
    assert stored()["june/june.tif"]["LastModified"] == before
    assert main(["verify", target]) == 0
