"""The sink and the transport keep the contracts of the project, on a real store."""

from __future__ import annotations

import pytest
from splashdown_s3 import S3Options
from splashdown_s3._options import MIN_PART
from splashdown_s3._sink import S3Sink
from splashdown_s3._transport import S3Transport

from splashdown.testing import SinkContract, TransportContract


@pytest.fixture
def options(store, credentials):
    return S3Options(endpoint_url=store.url, path_style=True, part_size=MIN_PART)


class TestS3Sink(SinkContract):
    @pytest.fixture
    def sink(self, options, bucket):
        self.options = options
        self.target = f"s3://{bucket}/prefix/"
        made = S3Sink(self.target, options)
        yield made
        made.close()

    def reopen(self, sink):
        return S3Sink(self.target, self.options)


class TestS3Transport(TransportContract):
    @pytest.fixture
    def transport(self, options):
        made = S3Transport(options)
        yield made
        made.close()

    @pytest.fixture
    def publish(self, plain, bucket):
        def publish(name, data):
            plain.put_object(Bucket=bucket, Key=name, Body=data)
            return f"s3://{bucket}/{name}"

        return publish
