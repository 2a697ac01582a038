"""``az://`` against Azurite: the contracts, and blocks that become a blob at once or not at all."""

import secrets

import pytest
from azure.storage.blob import BlobServiceClient
from azurite import ACCOUNT, KEY, azurite
from splashdown_obstore import ObstoreOptions
from splashdown_obstore._options import MIB, MIN_BUFFER
from splashdown_obstore._sink import ObstoreSink

from splashdown.errors import StoreError
from splashdown.model import Content, Part
from splashdown.testing import SinkContract, TransportContract
from splashdown.testing.stores import data_of, reusing, store

pytestmark = pytest.mark.needs_npm


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    with azurite(tmp_path_factory.mktemp("azurite")) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def plain(service):
    """Azure's own client: how tests look at what the plugin did."""
    with BlobServiceClient(service, credential=KEY) as client:
        yield client


@pytest.fixture
def azure(service, plain, monkeypatch):
    """A container of its own: target and options; the credentials are in the environment."""
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", KEY)
    name = f"test-{secrets.token_hex(6)}"
    plain.create_container(name)
    return f"az://{name}/run", ObstoreOptions(config={"endpoint": service}, allow_http=True, buffer_size=MIN_BUFFER)


@pytest.fixture
def place(azure):
    return azure


class TestSink(SinkContract):
    def reopen(self, sink):
        return sink.again()


class TestTransport(TransportContract):
    pass


LARGE = data_of(13 * MIB)


def test_a_large_blob_is_not_visible_before_commit_and_keeps_its_media_type(sink, azure, plain):
    upload = sink.begin("big.tif", Content(size=len(LARGE), media_type="image/tiff"))
    tag = sink.put_part(upload, Part(number=1, start=0, stop=len(LARGE)), reusing(LARGE))
    container = plain.get_container_client(azure[0].split("/")[2])
    assert list(container.list_blob_names()) == []
    sink.commit(upload, [tag])
    found = container.get_blob_client("run/big.tif").get_blob_properties()
    assert (found.size, found.content_settings.content_type) == (len(LARGE), "image/tiff")


def test_an_aborted_blob_is_not_there_and_the_next_one_is_whole(sink, azure, plain):
    part = Part(number=1, start=0, stop=len(LARGE))
    upload = sink.begin("big.tif", Content(size=len(LARGE)))
    sink.put_part(upload, part, reusing(LARGE))
    sink.abort(upload)
    assert dict(sink.list()) == {}
    upload = sink.begin("big.tif", Content(size=len(LARGE)))
    sink.commit(upload, [sink.put_part(upload, part, reusing(LARGE))])
    with sink.read("big.tif") as chunks:
        assert b"".join(bytes(chunk) for chunk in chunks) == LARGE


def test_a_wrong_key_is_told_in_one_line_without_it(azure, monkeypatch):
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "aHVudGVyMjJodW50ZXIyMg==")
    with pytest.raises(StoreError, match=r"403 .*the credentials do not allow it") as error:
        store(ObstoreSink(*azure), "a.bin", b"x")
    assert not error.value.retryable
    assert "aHVudGVyMjJ" not in str(error.value)
    assert "\n" not in str(error.value)
