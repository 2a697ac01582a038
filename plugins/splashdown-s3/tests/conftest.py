"""Fixtures: one real store for all tests of the plugin, and a bucket of its own for each test."""

from __future__ import annotations

import functools
import secrets

import boto3
import pytest
from botocore.config import Config
from botocore.loaders import JSONFileLoader
from rgw_store import rgw
from s3_store import remove_bucket
from splashdown_s3 import S3Options
from splashdown_s3._sink import S3Sink
from splashdown_s3._transport import S3Transport
from swift_store import swift

_OTHERS = {"swift": swift, "rgw": rgw}
_MARKED = [pytest.param(name, marks=getattr(pytest.mark, name)) for name in _OTHERS]


@pytest.fixture(scope="session", params=["seaweedfs", *_MARKED])
def store(request, tmp_path_factory):
    """Each test that touches a store runs on SeaweedFS, with ``-m swift`` on OpenStack Swift, with ``-m rgw`` on Ceph."""
    if request.param == "seaweedfs":
        yield request.getfixturevalue("weed")
        return
    with _OTHERS[request.param](tmp_path_factory.mktemp(request.param)) as running:
        yield running


@pytest.fixture(scope="session", autouse=True)
def descriptions_parsed_once():
    """Each session of botocore parses a megabyte of JSON about S3, which takes longer than most tests of this plugin."""
    parsed = functools.cache(functools.partial(JSONFileLoader.load_file, JSONFileLoader()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", lambda _, path: parsed(path))
        yield


@pytest.fixture(autouse=True)
def own_configuration(monkeypatch, tmp_path):
    """Nothing of the machine's own configuration, and a state folder of the test's own."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def credentials(monkeypatch, store):
    """The store's credentials, as boto3 finds them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", store.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", store.secret_key)
    monkeypatch.setenv("AWS_REGION", "us-east-1")


@pytest.fixture(scope="session")
def plain(store):
    """boto3's own client: how tests look at what the plugin did."""
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=store.url,
        region_name="us-east-1",
        aws_access_key_id=store.access_key,
        aws_secret_access_key=store.secret_key,
        config=Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required"),
    )
    yield client
    client.close()


@pytest.fixture
def bucket(plain):
    name = f"test-{secrets.token_hex(6)}"
    plain.create_bucket(Bucket=name)
    yield name
    remove_bucket(plain, name)


@pytest.fixture(params=["http", "https"])
def options(request, store, credentials):
    """How the plugin reaches the store: both schemes, because clients and stores behave differently over them."""
    if request.param == "http":
        return S3Options(endpoint_url=store.url, path_style=True)
    return S3Options(endpoint_url=store.https_url, path_style=True, ca_bundle=str(store.ca_bundle))


@pytest.fixture
def sink(options, bucket):
    made = S3Sink(f"s3://{bucket}/prefix/", options)
    yield made
    made.close()


@pytest.fixture
def transport(options):
    made = S3Transport(options)
    yield made
    made.close()


@pytest.fixture(params=[pytest.param("http", marks=pytest.mark.slow), "https"])
def reached(request, store, credentials, monkeypatch):
    """The store where boto3 looks for its endpoint: for whole runs without a single option.

    What differs between the schemes is below whole runs, and tested over both with ``options``.
    """
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", store.url if request.param == "http" else store.https_url)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(store.ca_bundle))
    return store
