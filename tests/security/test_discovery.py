"""A back-end's list of its APIs does not take credentials to another origin."""

import json

import pytest
from raw_server import raw_server

import splashdown
from splashdown import connect
from splashdown._documents.document import Document
from splashdown.builtins.openeo.discovery import discover
from splashdown.errors import ResolveError


def answer(body, status=b"200 OK", more=b""):
    data = json.dumps(body).encode()
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s" % (status, len(data), more, data)


def versions(url):
    return {"versions": [{"url": url, "api_version": "1.2.0", "production": True}]}


CAPABILITIES = {"api_version": "1.2.0", "stac_version": "1.0.0", "type": "Catalog", "id": "x", "endpoints": []}


def of(way):
    """Two servers: the one the user names, and the one that it leads to."""

    def elsewhere(_, n):
        return answer(versions("/openeo/") if b"well-known" in other.requests[-1] else CAPABILITIES)

    def named(_, n):
        if b"well-known" not in server.requests[-1]:
            return answer({"code": "NotFound", "message": "no API here"}, b"404 Not Found")
        if way == "redirect":
            return answer({}, b"302 Found", b"Location: %s/.well-known/openeo\r\n" % other.url.encode())
        return answer(versions(f"{other.url}/openeo/"))

    with raw_server(elsewhere, host="localhost") as other, raw_server(named) as server:
        yield server, other


@pytest.mark.parametrize("way", ["redirect", "listed"])
def test_a_token_is_not_taken_to_another_origin(way):
    for server, other in of(way):
        with pytest.raises(ResolveError, match=r"another origin.*use that address instead"):
            connect(server.url, auth="TOKEN-X")
        with pytest.raises(ResolveError, match=r"another origin.*use that address instead"):
            splashdown.Session(discover=False, config=False).open(f"{server.url}/jobs/j", auth="TOKEN-X")
        assert not any(b"TOKEN-X" in request for request in other.requests)


@pytest.mark.parametrize("way", ["redirect", "listed"])
def test_without_credentials_a_back_end_may_be_anywhere(way):
    for server, other in of(way):
        assert connect(server.url).url == f"{other.url}/openeo"


@pytest.mark.parametrize(
    ("backend", "api", "fine"),
    [
        ("https://h.invalid", "https://h.invalid/openeo/1.2", True),
        ("https://h.invalid", "https://h.invalid:443/openeo/1.2", True),
        ("https://H.invalid", "https://h.invalid/openeo/1.2", True),
        ("http://h.invalid", "https://h.invalid/openeo/1.2", True),
        ("https://h.invalid", "https://h.invalid:8443/openeo/1.2", False),
        ("http://h.invalid:8080", "https://h.invalid/openeo/1.2", False),
        ("https://h.invalid", "https://api.h.invalid/openeo/1.2", False),
        ("https://h.invalid", "https://h.invalid\\@evil.invalid/", False),
        ("https://h.invalid", "//evil.invalid/openeo", False),
    ],
)
def test_credentials_stay_at_the_origin_or_at_its_host_with_tls(backend, api, fine):
    def get(url):
        return Document(place=url, body=versions(api))

    if fine:
        assert discover(backend, get, bound=True)
    else:
        with pytest.raises(ResolveError, match="another origin"):
            discover(backend, get, bound=True)
