"""Moves after proof: objects that are proven to be in the target are deleted, and no others."""

from __future__ import annotations

import json

import pytest
from splashdown_s3 import _objects
from splashdown_s3._errors import Refused
from splashdown_s3._uri import Location
from stac_item import stac_item

import splashdown
from splashdown.errors import ChangedError
from splashdown.model import ReadRequest


@pytest.fixture
def source(reached, plain, bucket):
    """A bucket with an item of two objects; returns the item's URL."""
    for key in ("a.bin", "b.bin"):
        plain.put_object(Bucket=bucket, Key=f"source/{key}", Body=key.encode() * 1000)
    document = stac_item({key: {"href": f"s3://{bucket}/source/{key}"} for key in ("a.bin", "b.bin")})
    plain.put_object(Bucket=bucket, Key="source/item.json", Body=json.dumps(document).encode())
    return f"s3://{bucket}/source/item.json"


def keys(plain, bucket, prefix):
    found = plain.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ())
    return {one["Key"].removeprefix(prefix) for one in found}


@pytest.mark.parametrize("place", ["disk", "bucket"])
def test_objects_are_moved_to_disk_and_to_another_prefix(source, plain, bucket, tmp_path, place):
    target = str(tmp_path / "out") if place == "disk" else f"s3://{bucket}/target/"
    results = splashdown.open(source)
    results.download_files(target)
    done = results.delete_source(target)
    assert set(done.removed) == {f"s3://{bucket}/source/{key}" for key in ("a.bin", "b.bin")}
    assert not done.left
    assert keys(plain, bucket, "source/") == {"item.json"}
    if place == "bucket":
        assert keys(plain, bucket, "target/") >= {"a.bin", "b.bin", "item.json"}
        assert not any("splashdown-" in key for key in keys(plain, bucket, "target/"))


def test_an_object_that_changed_since_stays(source, plain, bucket, tmp_path):
    results = splashdown.open(source)
    results.download_files(tmp_path / "out")
    plain.put_object(Bucket=bucket, Key="source/a.bin", Body=b"A.BIN" * 1000)  # the same length

    def change(_):
        plain.put_object(Bucket=bucket, Key="source/b.bin", Body=b"B.BIN" * 1000)
        return True

    done = results.delete_source(tmp_path / "out", confirm=change)
    assert not done.removed
    assert "has changed since" in done.left[f"s3://{bucket}/source/a.bin"]
    assert "ChangedError" in done.left[f"s3://{bucket}/source/b.bin"]
    assert keys(plain, bucket, "source/") == {"a.bin", "b.bin", "item.json"}


def test_a_target_that_is_the_source_is_found_out(source, plain, bucket, tmp_path):
    results = splashdown.open(source)
    results.download_files(tmp_path / "out")
    plain.put_object(Bucket=bucket, Key="source/item.json", Body=(tmp_path / "out" / "item.json").read_bytes())
    done = results.delete_source(f"s3://{bucket}/source/")
    assert set(done.left.values()) == {"the target is the folder of the source itself"}
    assert keys(plain, bucket, "source/") == {"a.bin", "b.bin", "item.json"}


def test_the_store_compares_by_itself_where_it_can(transport, plain, bucket, monkeypatch):
    """The object changes between our look and the deletion: If-Match is sent, and 412 is a change."""
    href = f"s3://{bucket}/a.bin"
    plain.put_object(Bucket=bucket, Key="a.bin", Body=b"1")
    with transport.stream(ReadRequest(href=href)) as stream:
        version = stream.info
    sent = []

    def refuse(method, where, **more):
        if method == "DELETE":
            sent.append(more["headers"]["if-match"])
            raise Refused(412, "PreconditionFailed", "", {})
        return usual(method, where, **more)

    usual = transport._store.request
    monkeypatch.setattr(transport._store, "request", refuse)
    with pytest.raises(ChangedError):
        transport.delete(href, version)
    assert sent == [version.etag]


def test_a_store_without_conditions_deletes_after_a_look(transport, plain, bucket, monkeypatch):
    href = f"s3://{bucket}/a.bin"
    plain.put_object(Bucket=bucket, Key="a.bin", Body=b"1")
    with transport.stream(ReadRequest(href=href)) as stream:
        version = stream.info

    def lacking(method, where, **more):
        if method == "DELETE" and "headers" in more:
            raise Refused(501, "NotImplemented", "", {})
        return usual(method, where, **more)

    usual = transport._store.request
    monkeypatch.setattr(transport._store, "request", lacking)
    transport.delete(href, version)
    assert _objects.head(transport._store, Location(bucket, "a.bin")) is None
