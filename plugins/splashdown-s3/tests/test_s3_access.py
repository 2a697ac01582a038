"""Who may read and write what, and who pays: on Ceph RGW, which has users, ACLs, policies and requester pays."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from splashdown_s3._options import MIN_PART
from splashdown_s3._sink import S3Sink
from splashdown_s3._transport import S3Transport

from splashdown.errors import HttpStatusError, StoreError
from splashdown.model import Content, Part, ReadRequest

pytestmark = pytest.mark.parametrize("store", [pytest.param("rgw", marks=pytest.mark.rgw)], indirect=True)


def put(options, bucket, key, data=b"data"):
    sink = S3Sink(f"s3://{bucket}/", options)
    try:
        assert sink.stat(key) is None  # as a run asks first
        upload = sink.begin(key, Content(size=len(data)))
        sink.commit(upload, [sink.put_part(upload, Part(number=1, start=0, stop=len(data)), [data])])
    finally:
        sink.close()


def read(options, bucket, key):
    transport = S3Transport(options)
    try:
        with transport.stream(ReadRequest(href=f"s3://{bucket}/{key}")) as stream:
            return b"".join(bytes(chunk) for chunk in stream)
    finally:
        transport.close()


@pytest.mark.parametrize("size", [5, MIN_PART + 5])
def test_what_is_stored_for_everybody_is_read_by_everybody(options, bucket, size):
    put(replace(options, acl="public-read", part_size=MIN_PART), bucket, "a b/open.bin", bytes(size))
    put(options, bucket, "closed")
    anonymous = replace(options, unsigned=True)
    assert read(anonymous, bucket, "a b/open.bin") == bytes(size)
    with pytest.raises(HttpStatusError, match=r"403.* is not open to everybody; leave unsigned out"):
        read(anonymous, bucket, "closed")


@pytest.fixture
def share(plain, bucket, store):
    """Lets the other user do something in the bucket."""

    def share(*actions):
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": [f"arn:aws:iam:::user/{store.writer[0]}"]},
            "Action": [f"s3:{action}" for action in actions],
            "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        }
        plain.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
        return bucket

    return share


@pytest.fixture
def shared(share):
    """A bucket of one user that the other one may read and list."""
    return share("GetObject", "ListBucket")


@pytest.fixture
def other(options, store, monkeypatch):
    """How the other user reaches the store."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", store.writer[0])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", store.writer[1])
    return options


def test_where_the_reader_pays_the_one_who_does_not_say_so_is_told(plain, shared, other):
    plain.put_object(Bucket=shared, Key="k", Body=b"data")
    assert read(other, shared, "k") == b"data"
    plain.put_bucket_request_payment(Bucket=shared, RequestPaymentConfiguration={"Payer": "Requester"})
    with pytest.raises(HttpStatusError, match=r"403 AccessDenied: .*; where the reader pays, set requester_pays"):
        read(other, shared, "k")
    paying = replace(other, requester_pays=True)
    assert read(paying, shared, "k") == b"data"
    sink = S3Sink(f"s3://{shared}/", paying)
    assert list(sink.list()) == [("k", 4)]
    assert sink.stat("k").size == 4
    sink.close()


def test_who_may_read_alone_is_told_so_when_writing(shared, other):
    with pytest.raises(StoreError, match="403 AccessDenied: the credentials") as error:
        put(other, shared, "k")
    assert "(from: env) do not allow this; ask the bucket's owner, or choose another profile" in str(error.value)


@pytest.mark.parametrize("size", [5, MIN_PART + 5])
def test_who_may_write_and_list_need_not_be_allowed_to_read(plain, share, other, size):
    bucket = share("PutObject", "ListBucket", "AbortMultipartUpload")
    put(replace(other, part_size=MIN_PART, acl="bucket-owner-full-control"), bucket, "k", bytes(size))
    assert plain.head_object(Bucket=bucket, Key="k")["ContentLength"] == size


@pytest.mark.parametrize(
    ("wrong", "named"), [({"storage_class": "NOPE"}, "storage_class='NOPE'"), ({"acl": "nope"}, "acl='nope'")]
)
@pytest.mark.parametrize("size", [5, MIN_PART + 5])
def test_a_class_or_acl_that_the_store_does_not_have_is_named(options, bucket, wrong, named, size):
    with pytest.raises(
        StoreError, match=f"400 InvalidArgument: the store gives no reason; it may not know .*: {named}"
    ):
        put(replace(options, part_size=MIN_PART, **wrong), bucket, "k", bytes(size))
