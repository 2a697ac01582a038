"""Documents are read with the options of HTTP."""

import ssl

import pytest
import trustme
from raw_server import raw_server
from scripted_api import Answer, scripted_api

from splashdown.errors import ResolveError
from splashdown.session import Session

ITEM = b'{"type": "Feature", "stac_version": "1.0.0", "id": "i", "assets": {}}'


def test_documents_are_read_with_the_user_agent_of_the_options():
    with scripted_api() as api, Session(config=False, options={"http": {"user_agent": "project/1"}}) as session:
        api.script["/i.json"] = Answer({"type": "Feature", "stac_version": "1.0.0", "id": "i", "assets": {}})
        session.open(f"{api.url}/i.json")
        assert api.sent("/i.json", "User-Agent") == ["project/1"]


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
