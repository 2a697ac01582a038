"""Fixtures: real stores on loopback, each started once for all tests of the plugin."""

from __future__ import annotations

import secrets

import boto3
import pytest
from botocore.config import Config
from s3_store import remove_bucket
from seaweedfs import ACCESS_KEY, SECRET_KEY
from splashdown_obstore import ObstoreOptions
from splashdown_obstore._options import MIN_BUFFER
from splashdown_obstore._sink import ObstoreSink
from splashdown_obstore._transport import ObstoreTransport

from splashdown.testing.stores import store


@pytest.fixture(scope="session")
def plain(weed):
    """boto3's client: how tests look at what the plugin did."""
    client = boto3.session.Session().client(
        "s3", endpoint_url=weed.url, region_name="us-east-1", aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY, config=Config(s3={"addressing_style": "path"}),
    )  # fmt: skip
    yield client
    client.close()


@pytest.fixture
def sink(place):
    """A sink for ``place``, the target and options that each file of tests names."""
    made = ObstoreSink(*place)
    made.again = lambda: ObstoreSink(*place)
    yield made
    made.close()


@pytest.fixture
def transport(place):
    made = ObstoreTransport(place[1])
    yield made
    made.close()


@pytest.fixture
def publish(sink):
    return lambda name, data: store(sink, name, data)


@pytest.fixture
def s3(weed, plain, monkeypatch):
    """A bucket of its own on SeaweedFS: target and options; the credentials are in the environment."""
    for name in ("AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    bucket = f"test-{secrets.token_hex(6)}"
    plain.create_bucket(Bucket=bucket)
    config = {"endpoint": weed.url, "region": "us-east-1"}
    yield f"s3+obstore://{bucket}/run", ObstoreOptions(config=config, allow_http=True, buffer_size=MIN_BUFFER)
    remove_bucket(plain, bucket)
