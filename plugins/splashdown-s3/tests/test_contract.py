"""The sink and the transport keep the contracts of Splashdown, against a real store."""

from __future__ import annotations

import dataclasses
import secrets

import pytest
from splashdown_s3._options import MIN_PART
from splashdown_s3._sink import S3Sink

from splashdown.testing import SinkContract, TransportContract


@pytest.fixture(scope="module")
def place(plain):
    """The one bucket of this module: a small store has room for a few buckets, not for one a test."""
    name = f"test-{secrets.token_hex(6)}"
    plain.create_bucket(Bucket=name)
    return name


class TestS3Sink(SinkContract):
    @pytest.fixture
    def sink(self, place, options):
        target = f"s3://{place}/{secrets.token_hex(6)}/"
        options = dataclasses.replace(options, part_size=MIN_PART)
        made = S3Sink(target, options)
        made.again = lambda: S3Sink(target, options)
        yield made
        made.close()

    def reopen(self, sink):
        return sink.again()


class TestS3Transport(TransportContract):
    @pytest.fixture
    def publish(self, plain, place):
        prefix = secrets.token_hex(6)

        def publish(name, data):
            plain.put_object(Bucket=place, Key=f"{prefix}/{name}", Body=data)
            return f"s3://{place}/{prefix}/{name}"

        return publish
