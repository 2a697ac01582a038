"""Documents are read with the options of HTTP."""

import json
import ssl

import pytest
import trustme
from raw_server import raw_server
from requests.exceptions import InvalidSchema
from scripted_api import Answer, scripted_api

from splashdown.errors import ApiError, AuthError, ResolveError, TransferError
from splashdown.session import Session

ITEM = b'{"type": "Feature", "stac_version": "1.0.0", "id": "i", "assets": {}}'


def test_documents_are_read_with_the_user_agent_of_the_options():
    with scripted_api() as api, Session(config=False, options={"http": {"user_agent": "project/1"}}) as session:
        api.script["/i.json"] = Answer({"type": "Feature", "stac_version": "1.0.0", "id": "i", "assets": {}})
        session.open(f"{api.url}/i.json")
        assert api.sent("/i.json", "User-Agent") == ["project/1"]


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_documents_and_assets_trust_the_bundle_that_the_environment_names(tmp_path, monkeypatch, name):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    for each in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(name, str(tmp_path / "ca.pem"))
    item = json.loads(ITEM) | {"assets": {"a": {"href": "a.json"}}}

    def answer(_, number):
        body = b"{}" if number else json.dumps(item).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    with raw_server(answer, tls=tls) as server, Session(config=False) as session:
        assert session.open(f"{server.url}/i.json").load_json() == {}


def test_a_socks_proxy_without_its_package_names_the_extra_for_documents_and_files(monkeypatch, tmp_path):
    monkeypatch.setattr("requests.adapters.SOCKSProxyManager", _missing_socks)
    monkeypatch.setenv("HTTP_PROXY", "socks5://127.0.0.1:1080")
    (tmp_path / "i.json").write_bytes(ITEM.replace(b"{}", b'{"a": {"href": "http://h.example:8080/a.bin"}}'))
    with Session(config=False) as session:
        with pytest.raises(ResolveError, match=r"splashdown\[socks\]'\)$"):
            session.open("http://h.example/i.json")
        with pytest.raises(TransferError, match=r"http://h.example:8080: a SOCKS .*splashdown\[socks\]'$"):
            session.open(tmp_path / "i.json").load_bytes("a")


def _missing_socks(*_: object, **__: object) -> None:
    raise InvalidSchema("Missing dependencies for SOCKS support.")


def test_a_page_of_a_firewall_is_not_taken_for_a_refused_sign_in():
    with scripted_api() as api, Session(config=False) as session:
        api.script["/i.json"] = Answer(b"<html>blocked</html>", 403)
        with pytest.raises(ApiError, match="a firewall or proxy may refuse this program") as refused:
            session.open(f"{api.url}/i.json")
        assert not isinstance(refused.value, AuthError)
        with pytest.raises(AuthError):
            session.open(f"{api.url}/i.json", auth="refused")


def test_documents_are_read_with_the_authority_of_the_options(tmp_path, monkeypatch):
    own, other = trustme.CA(), trustme.CA()
    for name, authority in (("own.pem", own), ("other.pem", other)):
        authority.cert_pem.write_to_path(tmp_path / name)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.issue_cert("127.0.0.1").configure_cert(tls)
    # The option counts more than a bundle that the environment names.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "other.pem"))
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(ITEM), ITEM)
    with raw_server(lambda _, __: answer, tls=tls) as server:
        with Session(config=False, options={"http": {"verify": str(tmp_path / "own.pem")}}) as session:
            assert session.open(f"{server.url}/i.json").id == "i"
        with Session(config=False) as session, pytest.raises(ResolveError, match="SSLError"):
            session.open(f"{server.url}/i.json")
