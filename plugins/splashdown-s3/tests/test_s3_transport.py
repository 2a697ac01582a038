"""What the transport reads from a real store."""

from __future__ import annotations

import hashlib
import os

import pytest
from splashdown_s3 import S3Options
from splashdown_s3._options import MIB
from splashdown_s3._transport import S3Transport

from splashdown.errors import ChangedError, HttpStatusError, RangeNotServedError
from splashdown.model import ReadRequest, SmallBody

DATA = os.urandom(3 * MIB + 5)


def read(transport, href, **request):
    with transport.stream(ReadRequest(href=href, **request)) as stream:
        return stream, b"".join(bytes(chunk) for chunk in stream)


@pytest.fixture
def href(plain, bucket):
    plain.put_object(Bucket=bucket, Key="a b/data.tif", Body=DATA, ContentType="image/tiff")
    return f"s3://{bucket}/a b/data.tif"


def test_the_first_read_tells_about_the_whole_object(transport, href):
    stream, data = read(transport, href)
    assert data == DATA
    assert (stream.start, stream.length) == (0, len(DATA))
    assert stream.info.size == len(DATA)
    assert stream.info.ranges
    assert stream.info.media_type == "image/tiff"
    assert stream.info.validator.startswith('"')


def test_ranges(transport, href):
    stream, data = read(transport, href, start=10, stop=MIB)
    assert data == DATA[10:MIB]
    assert (stream.start, stream.length, stream.info.size) == (10, MIB - 10, len(DATA))
    _, data = read(transport, href, start=3 * MIB)
    assert data == DATA[3 * MIB :]
    with pytest.raises(RangeNotServedError):
        read(transport, href, start=len(DATA) + 1)


def test_an_empty_object(transport, plain, bucket):
    plain.put_object(Bucket=bucket, Key="empty", Body=b"")
    stream, data = read(transport, f"s3://{bucket}/empty")
    assert (data, stream.info.size, stream.length) == (b"", 0, 0)


def test_an_object_that_changed_is_not_mixed(transport, plain, bucket, href):
    stream, _ = read(transport, href, stop=10)
    plain.put_object(Bucket=bucket, Key="a b/data.tif", Body=DATA[::-1])
    with pytest.raises(ChangedError):
        read(transport, href, start=10, pinned=stream.info)


def test_a_missing_object_and_bucket_are_told_apart(transport, bucket):
    with pytest.raises(HttpStatusError, match=f"cannot read s3://{bucket}/no: 404 NoSuchKey: there is no") as missing:
        read(transport, f"s3://{bucket}/no")
    assert missing.value.status == 404
    with pytest.raises(HttpStatusError, match="404 NoSuchBucket: there is no bucket 'no-such-bucket' at http"):
        read(transport, "s3://no-such-bucket/no")


def test_anonymous_reads_are_not_signed(store, href):
    transport = S3Transport(S3Options(endpoint_url=store.url, path_style=True, unsigned=True))
    with pytest.raises(HttpStatusError, match=r"40[03].*: .* is not open to everybody; leave unsigned out"):
        read(transport, href)
    transport.close()


def test_keys_are_read_as_they_are(transport, plain, bucket, store):
    keys = ["a b+c%20d.tif", "grüße/日本.tif", "q?x=1&y#z.tif", "tilde~'()!*@:$,;=.tif", "%2E", "back\\slash"]
    if store.opaque_keys:
        keys += ["a/../b", "./a", "/leading", "a//b", "..", "trailing/"]
    for key in keys:
        plain.put_object(Bucket=bucket, Key=key, Body=key.encode())
        assert read(transport, f"s3://{bucket}/{key}")[1] == key.encode()


def test_an_older_version_is_read_where_the_reader_is_pinned_to_it(transport, plain, bucket):
    plain.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    plain.put_object(Bucket=bucket, Key="k", Body=b"first")
    stream, data = read(transport, f"s3://{bucket}/k")
    plain.put_object(Bucket=bucket, Key="k", Body=b"second")
    assert (data, read(transport, f"s3://{bucket}/k")[1]) == (b"first", b"second")
    assert read(transport, f"s3://{bucket}/k", start=1, pinned=stream.info)[1] == b"irst"


def test_what_was_noted_when_an_object_was_stored_is_known_when_it_is_read(transport, plain, bucket):
    multihash = "1220" + hashlib.sha256(DATA).hexdigest()
    plain.put_object(Bucket=bucket, Key="k", Body=DATA, Metadata={"splashdown-multihash": multihash})
    stream, _ = read(transport, f"s3://{bucket}/k")
    assert list(stream.info.digests.values()) == [multihash]


def test_a_small_object_comes_in_one_request(transport, plain, bucket):
    plain.put_object(Bucket=bucket, Key="k", Body=b"small")
    request = ReadRequest(href=f"s3://{bucket}/k")
    with transport.read_small(request, 1000) as stream:  # makes the connection
        assert b"".join(bytes(chunk) for chunk in stream) == b"small"
    found = transport.read_small(request, 1000)
    assert isinstance(found, SmallBody)  # and the answer was not asked for again
    assert bytes(found.data) == b"small"
