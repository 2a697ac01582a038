"""One configuration of HTTP holds for documents, sign-in, jobs, searches and assets alike."""

import ssl
import subprocess
import sys

import pytest
import trustme
from every_request import LARGE, SMALL, WAYS, furnish
from scripted_api import scripted_api

from splashdown import Session, Settings
from splashdown.errors import DownloadError, ResolveError

ONE = Settings(jobs=1, range_connections=1)


@pytest.fixture(autouse=True)
def no_configuration(monkeypatch):
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SPLASHDOWN_CONFIG", "")


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    """Certificates: of an authority, and of a client."""
    folder = tmp_path_factory.mktemp("papers")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    client = authority.issue_cert("client@data.example")
    client.private_key_and_cert_chain_pem.write_to_path(folder / "both.pem")
    client.private_key_pem.write_to_path(folder / "own.key")
    client.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    folder.joinpath("encrypted.pem").write_bytes(_with_passphrase(client))
    return folder, authority


def _with_passphrase(client):
    from cryptography.hazmat.primitives import serialization as s

    key = s.load_pem_private_key(client.private_key_pem.bytes(), None)
    locked = key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.BestAvailableEncryption(b"passphrase"))
    return locked + client.cert_chain_pems[0].bytes()


def server_of(authority, *, wants_certificate):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(tls)
    if wants_certificate:
        tls.verify_mode = ssl.CERT_REQUIRED
        authority.configure_trust(tls)
    return scripted_api(tls)


@pytest.mark.parametrize("way", WAYS)
def test_a_profile_holds_for_every_request_to_its_host(way, tmp_path):
    act, paths = WAYS[way]
    with scripted_api() as api:
        furnish(api)
        with Session(hosts={"127.0.0.1": {"user_agent": "one/1"}}, settings=ONE) as session:
            act(session, api.url, tmp_path)
        assert {asked.path.partition("?")[0] for asked in api.asked} >= paths
        assert {asked.headers["User-Agent"] for asked in api.asked} == {"one/1"}


def test_a_profile_says_nothing_about_another_host(tmp_path):
    with scripted_api() as api:
        furnish(api)
        with Session(hosts={"localhost": {"user_agent": "one/1"}}, settings=ONE) as session:
            WAYS["documents and assets"][0](session, api.url, tmp_path)
        assert "one/1" not in {asked.headers["User-Agent"] for asked in api.asked}


@pytest.mark.parametrize("files", [("both.pem",), ("cert.pem", "own.key")])
@pytest.mark.parametrize("given", ["profile", "option"])
@pytest.mark.parametrize("way", WAYS)
def test_a_client_certificate_is_presented_in_every_request(papers, way, files, given, tmp_path):
    folder, authority = papers
    fields = dict(zip(("cert", "key"), (str(folder / file) for file in files), strict=False))
    ca = str(folder / "ca.pem")
    how = {"hosts": {"127.0.0.1": fields | {"ca": ca}}} if given == "profile" else {}
    how |= {"options": {"http": fields | {"verify": ca}}} if given == "option" else {}
    act, paths = WAYS[way]
    with server_of(authority, wants_certificate=True) as api, Session(settings=ONE, **how) as session:
        furnish(api)
        act(session, api.url, tmp_path)
        assert {asked.path.partition("?")[0] for asked in api.asked} >= paths
    if way == "documents and assets":
        landed = {path.read_bytes() for path in tmp_path.rglob("*") if path.suffix != ".json" and path.is_file()}
        assert landed == {LARGE, *(name.encode() * 9 for name in SMALL)}


def test_the_certificate_of_one_host_is_not_presented_to_another(papers, tmp_path):
    folder, authority = papers
    with server_of(authority, wants_certificate=True) as api:
        hosts = {"localhost": {"cert": str(folder / "both.pem")}}
        how = {"options": {"http": {"verify": str(folder / "ca.pem")}}, "settings": ONE}
        furnish(api)
        with Session(hosts=hosts, **how) as session:
            assert session.open(f"{api.other_name}/item.json").id == "i"
            # The assets are at the other name of the server, which wants one too.
            with pytest.raises(DownloadError, match="wants a client certificate"):
                session.open(f"{api.other_name}/item.json").download_files(tmp_path)
            with pytest.raises(ResolveError, match=r"wants a client certificate.*\[hosts\]"):
                session.open(f"{api.url}/item.json")


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("missing.pem", "cannot be read"),
        ("ca.pem", "cannot be used"),
        ("encrypted.pem", "without a passphrase"),
    ],
)
def test_a_certificate_that_cannot_be_used_is_one_line(papers, file, says, tmp_path):
    folder, authority = papers
    with server_of(authority, wants_certificate=True) as api:
        furnish(api)
        with Session(options={"http": {"cert": str(folder / file), "verify": str(folder / "ca.pem")}}) as session:
            with pytest.raises(ResolveError, match=says) as caught:
                session.open(f"{api.url}/item.json")
            assert "\n" not in str(caught.value)
            item = api.script["/item.json"].body
            with pytest.raises(DownloadError, match=says):
                session.open(item).download_files(tmp_path)


@pytest.fixture
def system_store(papers, tmp_path, monkeypatch):
    """A system whose store holds the authority, where only OpenSSL looks: requests does not know ``SSL_CERT_DIR``."""
    ca = papers[0] / "ca.pem"
    run = subprocess.run(["openssl", "x509", "-hash", "-noout", "-in", ca], capture_output=True, text=True, check=True)
    store = tmp_path / "store"
    store.mkdir()
    (store / f"{run.stdout.strip()}.0").write_bytes(ca.read_bytes())
    monkeypatch.setenv("SSL_CERT_DIR", str(store))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("given", ["profile", "option"])
def test_the_store_of_the_system_is_trusted_where_asked_for(papers, system_store, way, given, tmp_path):
    how = {"hosts": {"127.0.0.1": {"ca": "system"}}} if given == "profile" else {}
    how |= {"options": {"http": {"verify": "system"}}} if given == "option" else {}
    with server_of(papers[1], wants_certificate=False) as api:
        furnish(api)
        with Session(settings=ONE, **how) as session:
            WAYS[way][0](session, api.url, tmp_path / "out")


def test_the_store_of_the_system_comes_with_a_client_certificate(papers, system_store, tmp_path):
    options = {"http": {"verify": "system", "cert": str(papers[0] / "both.pem")}}
    with server_of(papers[1], wants_certificate=True) as api:
        furnish(api)
        with Session(settings=ONE, options=options) as session:
            WAYS["documents and assets"][0](session, api.url, tmp_path / "out")


def test_the_store_of_the_system_is_not_trusted_by_itself(papers, system_store):
    with server_of(papers[1], wants_certificate=False) as api, Session() as session:
        furnish(api)
        with pytest.raises(ResolveError, match=r"SSLError: .*; name the file of its authority with ca of this host"):
            session.open(f"{api.url}/item.json")


def test_with_the_store_of_the_system_no_other_authority_counts(papers, tmp_path, monkeypatch):
    # What the environment names is what the system trusts, for OpenSSL; here that is another authority.
    other = trustme.CA()
    other.cert_pem.write_to_path(tmp_path / "other.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "other.pem"))
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(papers[0] / "ca.pem"))
    with server_of(papers[1], wants_certificate=False) as api:
        furnish(api)
        with Session(options={"http": {"verify": "system"}}) as session, pytest.raises(ResolveError, match="SSLError"):
            session.open(f"{api.url}/item.json")


def test_the_store_of_the_system_without_its_package_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "truststore", None)
    options = {"http": {"verify": "system"}}
    with Session(options=options) as session, pytest.raises(ResolveError, match=r"splashdown\[truststore\]"):
        session.open("https://127.0.0.1:9/item.json")
