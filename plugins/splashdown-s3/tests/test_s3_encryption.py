"""Encryption by the store, with keys that it holds: on Ceph RGW, whose own key store takes a line of configuration."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest
from fault_server import FaultServer
from rgw_store import KMS_KEYS
from splashdown_s3._copying import Copier
from splashdown_s3._options import MIB, MIN_PART
from splashdown_s3._sink import S3Sink
from splashdown_s3._store import Store
from splashdown_s3._uri import Location
from stac_item import stac_item

import splashdown
from splashdown._cli.main import main
from splashdown.errors import StoreError
from splashdown.model import Content, Part, StoredPart
from splashdown.testing import stores

pytestmark = pytest.mark.parametrize("store", [pytest.param("rgw", marks=pytest.mark.rgw)], indirect=True)

DATA = os.urandom(12 * MIB + 345)
KEY, OTHER = KMS_KEYS


def put(sink, key, data):
    return stores.store(sink, key, data, stores.parts_of(len(data), sink.parts))


def key_of(plain, bucket, key):
    head = plain.head_object(Bucket=bucket, Key=key)
    return head.get("ServerSideEncryption"), head.get("SSEKMSKeyId")


@pytest.fixture
def encrypted(options, bucket):
    made = S3Sink(f"s3://{bucket}/", replace(options, sse_kms_key_id=KEY, part_size=MIN_PART))
    yield made
    made.close()


@pytest.mark.parametrize("size", [5, len(DATA)])
def test_objects_are_encrypted_with_the_key_and_read_again(encrypted, plain, bucket, size):
    put(encrypted, "k", DATA[:size])
    assert key_of(plain, bucket, "k") == ("aws:kms", KEY)
    with encrypted.read("k") as chunks:
        assert b"".join(bytes(chunk) for chunk in chunks) == DATA[:size]


@pytest.mark.parametrize("size", [5, len(DATA)])
@pytest.mark.parametrize("source", [None, KEY, OTHER])
def test_a_copy_inside_the_store_has_the_key_that_was_asked_for(encrypted, plain, bucket, source, size):
    with_key = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": source} if source else {}
    plain.put_object(Bucket=bucket, Key="from", Body=DATA[:size], **with_key)
    assert encrypted.copy_from(f"s3://{bucket}/from", "to", Content(size=size)).size == size
    assert key_of(plain, bucket, "to") == ("aws:kms", KEY)
    assert plain.get_object(Bucket=bucket, Key="to")["Body"].read() == DATA[:size]


@pytest.mark.parametrize("source", [None, KEY])
def test_an_empty_object_which_has_no_parts_to_copy_is_left_to_streaming(encrypted, plain, bucket, source):
    with_key = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": source} if source else {}
    plain.put_object(Bucket=bucket, Key="from", **with_key)
    assert encrypted.copy_from(f"s3://{bucket}/from", "to", Content(size=0)) is None
    assert [one["Key"] for one in plain.list_objects_v2(Bucket=bucket)["Contents"]] == ["from"]


def test_another_process_goes_on_with_the_parts_that_are_encrypted(encrypted, options, plain, bucket):
    upload = encrypted.begin("k", Content(size=len(DATA)))
    first = Part(number=1, start=0, stop=8 * MIB)
    stored = StoredPart(part=first, tag=encrypted.put_part(upload, first, [DATA[: 8 * MIB]]))
    other = S3Sink(f"s3://{bucket}/", replace(options, sse_kms_key_id=KEY))
    assert other.recover(upload, [stored]) == [stored]
    assert other.holds(upload, stored, DATA[: 8 * MIB])
    assert not other.holds(upload, stored, DATA[1 : 8 * MIB + 1])
    tag = other.put_part(upload, Part(number=2, start=8 * MIB, stop=len(DATA)), [DATA[8 * MIB :]])
    other.commit(upload, [stored.tag, tag])
    assert key_of(plain, bucket, "k") == ("aws:kms", KEY)
    assert plain.get_object(Bucket=bucket, Key="k")["Body"].read() == DATA
    other.close()


@pytest.mark.parametrize("size", [5, len(DATA)])
def test_a_copy_of_an_encrypted_object_is_made_where_no_encryption_is_asked_for(options, plain, bucket, size):
    plain.put_object(Bucket=bucket, Key="from", Body=DATA[:size], ServerSideEncryption="aws:kms", SSEKMSKeyId=KEY)
    sink = S3Sink(f"s3://{bucket}/", options)
    assert sink.copy_from(f"s3://{bucket}/from", "to", Content(size=size)).size == size
    assert plain.get_object(Bucket=bucket, Key="to")["Body"].read() == DATA[:size]
    sink.close()


def test_a_large_copy_in_parts_has_the_key(options, plain, bucket):
    plain.put_object(Bucket=bucket, Key="from", Body=DATA, ServerSideEncryption="aws:kms", SSEKMSKeyId=OTHER)
    store = Store(replace(options, sse_kms_key_id=KEY))
    Copier(store, limit=MIB, step=5 * MIB + 1).copy(Location(bucket, "from"), Location(bucket, "to"), Content())
    assert key_of(plain, bucket, "to") == ("aws:kms", KEY)
    assert plain.get_object(Bucket=bucket, Key="to")["Body"].read() == DATA
    store.close()


@pytest.mark.parametrize("size", [5, len(DATA)])
def test_a_key_that_the_store_does_not_have_is_named(options, bucket, size):
    sink = S3Sink(f"s3://{bucket}/", replace(options, sse_kms_key_id="no-such-key"))
    with pytest.raises(StoreError, match="has no key 'no-such-key' for encryption; check sse_kms_key_id"):
        put(sink, "k", DATA[:size])
    sink.close()


@pytest.mark.usefixtures("reached")
def test_a_whole_run_is_encrypted_verified_and_not_repeated(plain, bucket, tmp_path, monkeypatch):
    monkeypatch.setenv("SPLASHDOWN_S3_SSE_KMS_KEY_ID", KEY)
    with FaultServer() as web:
        web.add("/big.bin", DATA)
        web.add("/small.bin", b"small")
        document = tmp_path / "source.json"
        hrefs = {name: {"href": f"{web.url}/{name}"} for name in ("big.bin", "small.bin")}
        document.write_text(json.dumps(stac_item(hrefs, stac_version="1.0.0")))
        for _ in range(2):
            assert main(["download", str(document), f"s3://{bucket}/out/"]) == 0
        assert web.sent() == len(DATA) + 5
    for name in ("big.bin", "small.bin", "item.json"):
        assert key_of(plain, bucket, f"out/{name}") == ("aws:kms", KEY)
    assert main(["verify", f"s3://{bucket}/out/"]) == 0
    splashdown.open(f"s3://{bucket}/out/item.json").download_files(tmp_path / "back")
    assert (tmp_path / "back" / "big.bin").read_bytes() == DATA
