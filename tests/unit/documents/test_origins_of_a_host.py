"""``origins`` of a profile: where the credentials of a host may go besides, and nowhere else."""

import json

import pytest
from fault_server import FaultServer
from stac_item import stac_item

from splashdown import DownloadError, Session
from splashdown.auth import Netrc

SECRET = "cAnArYt0ken0123456789"
BEARER = f"Bearer {SECRET}"


@pytest.fixture(autouse=True)
def no_configuration(monkeypatch):
    monkeypatch.setenv("SPLASHDOWN_CONFIG", "")


@pytest.fixture
def server():
    with FaultServer() as running:
        yield running


@pytest.fixture
def source(server):
    """A document at 127.0.0.1, whose file is at localhost; both want the token."""
    needs = {"authorization": BEARER}
    server.add("/a.bin", b"x" * 10, needs=needs)
    item = stac_item({"a": {"href": f"{server.alias}/a.bin"}})
    return server.add("/item.json", json.dumps(item).encode(), needs=needs)


def authorizations(server, path):
    return [seen.headers.get("authorization") for seen in server.seen if seen.path == path]


def shares(server):
    return {"127.0.0.1": {"origins": [server.alias]}}


@pytest.mark.parametrize("way", ["auth of open", "auth of the session", "mapping", "callable", "several sources"])
def test_the_credentials_of_a_host_go_to_its_origins_too(server, source, tmp_path, way):
    listed = {server.url: SECRET} if way == "auth of the session" else None
    auth = {
        "auth of open": SECRET,
        "several sources": SECRET,
        "mapping": {server.url: SECRET},
        "callable": lambda: SECRET,
    }.get(way)
    with Session(hosts=shares(server), auth=listed) as session:
        opened = [source] if way == "several sources" else source
        assert len(session.open(opened, auth=auth).download_files(tmp_path)) == 2  # and the receipt
    assert set(authorizations(server, "/a.bin")) == {BEARER}


def test_without_a_profile_the_credentials_stay_at_home(server, source, tmp_path):
    with Session() as session, pytest.raises(DownloadError, match="credentials were withheld"):
        session.open(source, auth=SECRET).download_files(tmp_path)
    assert set(authorizations(server, "/a.bin")) == {None}


def test_a_profile_of_another_host_shares_nothing(server, source, tmp_path):
    with Session(hosts={"*.0.0.2": {"origins": [server.alias]}}) as session, pytest.raises(DownloadError):
        session.open(source, auth=SECRET).download_files(tmp_path)
    assert set(authorizations(server, "/a.bin")) == {None}


def test_an_origin_with_credentials_of_its_own_gets_those(server, source, tmp_path):
    own = {server.alias: "a-token-of-its-own", server.url: SECRET}
    with Session(hosts=shares(server)) as session, pytest.raises(DownloadError):
        session.open(source, auth=own).download_files(tmp_path)
    assert set(authorizations(server, "/a.bin")) == {"Bearer a-token-of-its-own"}


def test_a_token_is_renewed_at_the_origins_of_its_host(server, tmp_path):
    given = []

    def token():
        given.append(f"token-{len(given)}")
        return SECRET if len(given) > 1 else given[-1]

    server.add("/a.bin", b"x" * 10, needs={"authorization": BEARER})
    item = stac_item({"a": {"href": f"{server.alias}/a.bin"}})
    with Session(hosts=shares(server)) as session:
        session.open(item, auth={server.url: token}).download_files(tmp_path)
    assert authorizations(server, "/a.bin") == ["Bearer token-0", BEARER]


def test_values_for_one_kind_of_service_are_not_shared(server, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login jane password pw-of-jane\n")
    server.add("/a.bin", b"x" * 10)
    item = stac_item({"a": {"href": f"{server.alias}/a.bin"}})
    with Session(hosts=shares(server)) as session:
        session.open(item, auth=Netrc(path=netrc)).download_files(tmp_path / "out")
    assert authorizations(server, "/a.bin") == [None]
