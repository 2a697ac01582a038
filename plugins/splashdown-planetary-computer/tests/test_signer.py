"""Blobs are signed with tokens of a service on loopback that behaves as the Planetary Computer's."""

from __future__ import annotations

import datetime as dt
import pickle

import pytest
from planetary_computer.settings import Settings
from scripted_api import Answer, scripted_api
from splashdown_planetary_computer import BlobSigner
from stac_item import stac_item

from splashdown import Session, hookimpl
from splashdown.errors import HttpStatusError, NetworkError
from splashdown.specs import TransportSpec
from splashdown.testing import FakeTransport

BLOB = "https://acct.blob.core.windows.net/naip/v1/a.tif"
TOKEN = "st=2024-01-01&se=2034-01-01&sp=rl&sig=geheim%2Fx"


@pytest.fixture
def service(monkeypatch):
    with scripted_api() as api:
        monkeypatch.setenv("PC_SDK_SAS_URL", f"{api.url}/token")
        monkeypatch.setenv("PC_SDK_SUBSCRIPTION_KEY", "")
        Settings.get.cache_clear()
        api.script["/token/acct/naip"] = token()
        yield api
    Settings.get.cache_clear()


def token(lifetime=3600):
    end = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=lifetime)
    return Answer({"msft:expiry": end.isoformat(), "token": TOKEN})


def test_a_blob_gets_the_token_of_its_container_which_is_asked_for_once(service):
    signer = BlobSigner()
    assert signer.sign(BLOB) == (f"{BLOB}?{TOKEN}", {})
    assert signer.sign(BLOB.replace("a.tif", "b.tif"))[0].endswith(f"b.tif?{TOKEN}")
    assert service.paths() == ["/token/acct/naip"]


def test_a_query_that_is_there_is_kept(service):
    assert BlobSigner().sign(f"{BLOB}?snapshot=2024")[0] == f"{BLOB}?snapshot=2024&{TOKEN}"


def test_a_token_near_its_end_is_asked_for_again(service):
    service.script["/token/acct/naip"] = token(lifetime=5)
    signer = BlobSigner()
    signer.sign(BLOB)
    signer.sign(BLOB)
    assert len(service.paths()) == 2


def test_what_is_signed_already_stays_as_it_is(service):
    signed = f"{BLOB}?sv=2020&sig=own"
    assert BlobSigner().sign(signed) == (signed, {})
    assert service.paths() == []


def test_another_process_signs_with_a_token_of_its_own(service):
    with Session() as session:
        results = session.open(stac_item({"a": {"href": BLOB}}))
        assert results["a"].href == BLOB
        session.sign(BLOB)
        data = pickle.dumps(results["a"].open())
    assert b"geheim" not in data
    remote = pickle.loads(data)._remote
    assert remote.sign(BLOB) == (f"{BLOB}?{TOKEN}", {})
    assert service.paths() == ["/token/acct/naip"] * 2


@pytest.mark.parametrize("status", [400, 404])
def test_containers_that_the_service_does_not_know_are_read_as_they_are(service, status):
    service.script["/token/acct/naip"] = Answer({"detail": "unknown"}, status)
    signer = BlobSigner()
    assert signer.sign(BLOB) == (BLOB, {})
    asked = len(service.paths())
    assert signer.sign(BLOB) == (BLOB, {})
    assert len(service.paths()) == asked


def test_a_refusal_is_one_line_and_hides_the_key(service, monkeypatch):
    monkeypatch.setenv("PC_SDK_SUBSCRIPTION_KEY", "geheim")
    Settings.get.cache_clear()
    service.script["/token/acct/naip"] = Answer({"detail": "no"}, 403)
    with pytest.raises(HttpStatusError, match="no token for blobs of acct/naip: HTTP 403") as caught:
        BlobSigner().sign(BLOB)
    assert "geheim" not in str(caught.value)
    assert set(service.sent("/token/acct/naip", "Ocp-Apim-Subscription-Key")) == {"geheim"}


def test_a_service_that_cannot_be_reached_is_one_line_that_a_retry_may_mend(service, refusing_url, monkeypatch):
    monkeypatch.setenv("PC_SDK_SAS_URL", f"{refusing_url}/token")
    Settings.get.cache_clear()
    with pytest.raises(NetworkError, match="no token for blobs of acct/naip") as caught:
        BlobSigner().sign(BLOB)
    assert caught.value.retryable
    assert "\n" not in str(caught.value)


class Blobs:
    """Stands for Azure's storage: serves signed hrefs alone."""

    def __init__(self):
        self.transport = FakeTransport({f"{BLOB}?{TOKEN}": b"pixels"})

    @hookimpl
    def splashdown_transports(self):
        yield TransportSpec(name="blobs", schemes=("https",), create=lambda options: self.transport)


def test_a_download_signs_each_asset_and_writes_no_signature(service, tmp_path):
    item = stac_item({"a.tif": {"href": BLOB}})
    blobs = Blobs()
    with Session(plugins=[blobs], only=["planetary-computer"], disable=["http"], config=False) as session:
        session.open(item).download_files(tmp_path / "out")
    assert (tmp_path / "out" / "a.tif").read_bytes() == b"pixels"
    written = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert b"geheim" not in written


def test_the_user_chooses_the_origins(service, monkeypatch):
    monkeypatch.setenv("SPLASHDOWN_PLANETARY_COMPUTER_ORIGINS", "https://other.blob.core.windows.net")
    with Session(only=["planetary-computer"], config=False) as session:
        assert session.sign(BLOB) == (BLOB, {})


def test_the_profile_of_the_service_and_the_options_count(service, monkeypatch):
    monkeypatch.setenv("PC_SDK_SAS_URL", "https://elsewhere.invalid/token")
    Settings.get.cache_clear()
    monkeypatch.setenv("SPLASHDOWN_PLANETARY_COMPUTER_SUBSCRIPTION_KEY", "geheim")
    options = {"planetary_computer": {"sas_url": f"{service.url}/token/"}}
    hosts = {"127.0.0.1": {"user_agent": "wheat/1.0"}}
    with Session(only=["planetary-computer"], options=options, hosts=hosts, config=False) as session:
        assert session.sign(BLOB)[0].endswith(TOKEN)
        assert "geheim" not in repr(session)
    assert service.sent("/token/acct/naip", "User-Agent") == ["wheat/1.0"]
    assert service.sent("/token/acct/naip", "Ocp-Apim-Subscription-Key") == ["geheim"]


@pytest.mark.parametrize(
    "body", [b"", b"<html>", [], {}, {"token": TOKEN}, {"token": TOKEN, "msft:expiry": "soon"}, {"token": 5, "x": 1}]
)
def test_an_answer_without_a_token_is_one_line_that_does_not_quote_it(service, body):
    service.script["/token/acct/naip"] = Answer(body)
    with pytest.raises(NetworkError, match=r"no token for blobs of acct/naip: .*did not send a token") as caught:
        BlobSigner().sign(BLOB)
    assert "geheim" not in str(caught.value)
    assert "\n" not in str(caught.value)
