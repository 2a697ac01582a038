"""The options, as AWS users know them: what the store has afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from splashdown_s3 import S3Options
from splashdown_s3._copying import Copier
from splashdown_s3._options import MAX_PARTS, MIB, MIN_PART
from splashdown_s3._sink import S3Sink
from splashdown_s3._uri import Location, split

from splashdown._cli.main import main
from splashdown.errors import ExistsError, StoreError, TargetError
from splashdown.model import Content, Part

DATA = os.urandom(6 * MIB)


def put(sink, key, data, **content):
    upload = sink.begin(key, Content(size=len(data), **content))
    starts = range(0, len(data), sink.parts.min_size)
    parts = [
        Part(number=n, start=s, stop=min(s + sink.parts.min_size, len(data))) for n, s in enumerate(starts, start=1)
    ]
    return sink.commit(upload, [sink.put_part(upload, part, [data[part.start : part.stop]]) for part in parts])


@pytest.mark.parametrize("size", [5, 6 * MIB])
@pytest.mark.parametrize("way", ["put", "copy", "copy in parts"])
def test_class_acl_and_tags_are_stored_with_every_object(options, plain, bucket, store, size, way):
    chosen = {"acl": "private", "part_size": MIN_PART}
    if store.storage_classes:
        chosen["storage_class"] = "STANDARD_IA"
    if store.tags:
        chosen["tags"] = {"project": "a b=c+d@e", "über": "1"}
    sink = S3Sink(f"s3://{bucket}/", replace(options, **chosen))
    for key in ("first", "k"):  # the second time it is known what the store has to be told twice
        if way == "put":
            put(sink, key, DATA[:size], media_type="image/tiff")
            continue
        plain.put_object(Bucket=bucket, Key="from", Body=DATA[:size])
        copier = Copier(sink._store, limit=0 if way == "copy in parts" else MIB * 100)
        copier.copy(Location(bucket, "from"), Location(bucket, key), Content(media_type="image/tiff"))
    found = plain.get_object(Bucket=bucket, Key="k")
    assert found["Body"].read() == DATA[:size]
    assert found["ContentType"] == "image/tiff"
    if store.storage_classes:
        assert found["StorageClass"] == "STANDARD_IA"
    if store.tags:
        tags = plain.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]
        assert {one["Key"]: one["Value"] for one in tags} == {"project": "a b=c+d@e", "über": "1"}
    sink.close()


def test_a_tag_without_a_value_is_a_tag_of_copies_too(options, plain, bucket, store):
    tags = {"checked": "", "project": "wheat"} if store.tags else {}
    sink = S3Sink(f"s3://{bucket}/", replace(options, tags=tags))
    plain.put_object(Bucket=bucket, Key="from", Body=b"data")
    assert sink.copy_from(f"s3://{bucket}/from", "k", Content(size=4)).size == 4
    found = plain.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] if store.tags else []
    assert {one["Key"]: one["Value"] for one in found} == tags
    sink.close()


@pytest.mark.parametrize("size", [5, 6 * MIB])
@pytest.mark.parametrize("checksum", ["auto", "crc64nvme", "crc32c", "crc32", "none"])
def test_every_checksum_is_computed_as_the_store_computes_it(options, plain, bucket, checksum, size):
    sink = S3Sink(f"s3://{bucket}/", replace(options, checksum=checksum, part_size=MIN_PART))
    put(sink, "k", DATA[:size])
    assert plain.get_object(Bucket=bucket, Key="k")["Body"].read() == DATA[:size]
    sink.close()


@pytest.mark.parametrize("size", [5, len(DATA)])
def test_what_is_damaged_on_its_way_is_refused_by_the_store(options, bucket, plain, monkeypatch, size):
    from splashdown_s3 import _store as store

    sink = S3Sink(f"s3://{bucket}/", replace(options, part_size=MIN_PART))
    send, send_whole = store.send, store.send_whole

    def damaged(*given, method, body, **more):
        if method == "PUT":
            body = bytes([body[0] ^ 1]) + bytes(body[1:])
        return send(*given, method=method, body=body, **more)

    def damaged_whole(pool, target, request, *more):
        if request.startswith(b"PUT"):
            request = request[:-1] + bytes([request[-1] ^ 1])
        return send_whole(pool, target, request, *more)

    for _ in range(2):  # what was learnt of the store meanwhile makes no difference
        monkeypatch.setattr(store, "send", damaged)
        monkeypatch.setattr(store, "send_whole", damaged_whole)
        with pytest.raises(
            StoreError, match=r"400 (BadDigest|XAmzContentSHA256Mismatch|InvalidDigest|XAmzContentChecksum)"
        ) as error:
            put(sink, "k", DATA[:size])
        assert error.value.retryable
        monkeypatch.setattr(store, "send", send)
        monkeypatch.setattr(store, "send_whole", send_whole)
        put(sink, "sound", DATA[:size])
        assert [one["Key"] for one in plain.list_objects_v2(Bucket=bucket)["Contents"]] == ["sound"]
    sink.close()


def test_a_profile_brings_endpoint_region_and_credentials(store, plain, bucket, own_configuration):
    from pathlib import Path

    Path(os.environ["AWS_CONFIG_FILE"]).write_text(
        f"[profile work]\nregion = us-east-1\nendpoint_url = {store.url}\ns3 =\n    addressing_style = path\n"
    )
    Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"]).write_text(
        f"[work]\naws_access_key_id = {store.access_key}\naws_secret_access_key = {store.secret_key}\n"
    )
    sink = S3Sink(f"s3://{bucket}/", S3Options(profile="work"))
    put(sink, "k", b"data")
    assert plain.get_object(Bucket=bucket, Key="k")["Body"].read() == b"data"
    sink.close()


def test_of_two_that_write_a_new_object_at_once_one_wins(options, plain, bucket, store):
    from concurrent.futures import ThreadPoolExecutor

    if not store.decides_races:
        pytest.skip("the store does not decide such races")
    sinks = [S3Sink(f"s3://{bucket}/", options) for _ in range(4)]
    opened = [sink.begin("k", Content(size=1, replace=False)) for sink in sinks]

    def finish(number):
        sink, upload = sinks[number], opened[number]
        try:
            tag = sink.put_part(upload, Part(number=1, start=0, stop=1), [b"%d" % number])
            sink.commit(upload, [tag])
        except ExistsError:
            return None
        return b"%d" % number

    with ThreadPoolExecutor(4) as pool:
        winners = [won for won in pool.map(finish, range(4)) if won is not None]
    assert winners == [plain.get_object(Bucket=bucket, Key="k")["Body"].read()]


def test_a_key_of_kms_implies_its_encryption_and_goes_with_every_kind_of_write():
    from splashdown_s3 import _attributes as attributes

    chosen = attributes.fixed(S3Options(sse_kms_key_id="alias/results", tags={"a": "b c"}))
    assert chosen == {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/results", "Tagging": "a=b%20c"}
    assert attributes.as_headers(chosen, {"splashdown-source": "k"}) == {
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-server-side-encryption-aws-kms-key-id": "alias/results",
        "x-amz-tagging": "a=b%20c",
        "x-amz-meta-splashdown-source": "k",
    }
    assert attributes.fixed(S3Options(sse="AES256")) == {"ServerSideEncryption": "AES256"}


@pytest.mark.parametrize("size", [5, 6 * MIB])
@pytest.mark.parametrize("way", ["put", "copy"])
def test_what_is_to_be_encrypted_is_stored_encrypted_or_not_at_all(options, plain, bucket, store, size, way):
    sink = S3Sink(f"s3://{bucket}/", replace(options, sse="AES256", part_size=MIN_PART))
    plain.put_object(Bucket=bucket, Key="from", Body=DATA[:size])
    plain.put_object(Bucket=bucket, Key="k", Body=b"earlier")

    def write():
        if way == "copy" and sink.copy_from(f"s3://{bucket}/from", "k", Content()):
            return
        assert way == "put" or not store.encrypts
        put(sink, "k", DATA[:size])  # what the store refuses to copy is streamed, and refused again

    if store.encrypts:
        write()
        assert plain.head_object(Bucket=bucket, Key="k")["ServerSideEncryption"] == "AES256"
    else:
        with pytest.raises(StoreError, match=r"k: (the store takes no notice of sse='AES256'|501 NotImplemented)"):
            write()
    assert plain.get_object(Bucket=bucket, Key="k")["Body"].read() == (DATA[:size] if store.encrypts else b"earlier")
    assert plain.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []
    sink.close()


def test_odd_prefixes_stay_as_they_are(options, plain, bucket, store):
    prefixes = ["a b+c%20/é?#/", "%2e%2e/"]
    if store.opaque_keys:
        prefixes += ["/lead/", "a/../b/", "./", "x//y/"]
    for prefix in prefixes:
        sink = S3Sink(f"s3://{bucket}/{prefix}", options)
        put(sink, "k", prefix.encode())
        assert list(sink.list()) == [("k", len(prefix.encode()))]
        assert plain.get_object(Bucket=bucket, Key=prefix + "k")["Body"].read() == prefix.encode()
        sink.close()


def test_parts_grow_so_that_ten_thousand_always_do():
    from splashdown._engine.parts import cut

    policy = S3Sink("s3://b/", S3Options(endpoint_url="http://127.0.0.1:9")).parts
    for size in (1, 8 * MIB, 80_000 * MIB, 80_000 * MIB + 1, 5 * 1024**4):
        parts = cut(size, policy, 32 * MIB)
        assert len(parts) <= MAX_PARTS
        assert all(part.size >= MIN_PART for part in parts[:-1])
        assert parts[-1].stop == size


@given(st.text(st.characters(exclude_characters="/@", exclude_categories=["Cs"]), min_size=1), st.text())
def test_a_uri_is_split_once_and_kept_as_it_is(bucket, key):
    if not bucket.startswith("arn:"):
        assert split(f"s3://{bucket}/{key}") == Location(bucket, key)
        assert split(f"s3://{bucket}/{key}").uri == f"s3://{bucket}/{key}"


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://Bucket/a/../b", ("Bucket", "a/../b")),
        ("s3://b//leading", ("b", "/leading")),
        ("S3://b/%2F?x#y", ("b", "%2F?x#y")),
        ("s3://b", ("b", "")),
        (
            "s3://arn:aws:s3:eu-central-1:123456789012:accesspoint/ap/some/key",
            ("arn:aws:s3:eu-central-1:123456789012:accesspoint/ap", "some/key"),
        ),
    ],
)
def test_odd_uris(uri, expected):
    assert split(uri) == expected


@pytest.mark.parametrize("uri", ["s3://", "s3:///key"])
def test_a_uri_without_a_bucket_is_refused(uri):
    with pytest.raises(TargetError, match="names no bucket; write s3://bucket/prefix/"):
        split(uri)


def test_credentials_in_a_uri_are_refused_and_not_shown(capsys):
    for command in (["uploads", "list"], ["verify"], ["ls"]):
        assert main([*command, "s3://AKIAIOSFODNN7EXAMPLE:some-secret-key@bucket/k.json"]) == 2
        told = capsys.readouterr()
        assert "takes no credentials; write s3://bucket/prefix/" in told.err
        assert "some-secret-key" not in told.err + told.out


def test_boto3_is_imported_when_an_s3_url_is_used_and_not_before():
    code = (
        "import sys, splashdown\n"
        "from splashdown._cli.main import main\n"
        "assert main(['plugins', 'list']) == 0\n"
        "assert not {'boto3', 'botocore'} & set(sys.modules)\n"
        "splashdown.Session().sink('s3://bucket/prefix/')\n"
        "assert 'boto3' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "splashdown-s3" in done.stdout
