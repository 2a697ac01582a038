"""Which addresses are public, and that a gate lets connections through to no other ones."""

import pytest
from fault_server import FaultServer
from faults import Redirect
from hypothesis import given
from hypothesis import strategies as st

from splashdown import Session
from splashdown._connections.addresses import AddressError, Gate, address_class, literal_address
from splashdown._documents.client import Client
from splashdown.errors import ResolveError, TransferError
from splashdown.http import HttpOptions, HttpTransport
from splashdown.model import Asset, ReadRequest, ResultSet

CLASSES = {
    "127.0.0.1": "loopback",
    "127.8.9.1": "loopback",
    "::1": "loopback",
    "169.254.169.254": "link-local",
    "fe80::1%eth0": "link-local",
    "10.0.0.1": "private",
    "172.31.255.255": "private",
    "192.168.1.1": "private",
    "fd00::1": "unique local",
    "100.64.0.1": "shared (carrier-grade NAT)",
    "0.0.0.0": "unspecified",
    "::": "unspecified",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:10.0.0.1": "private",
    "::7f00:1": "loopback",
    "64:ff9b::a00:1": "private",
    "64:ff9b:1::7f00:1": "loopback",
    "2002:7f00:1::1": "loopback",
    "2001:0:4136:e378:8000:63bf:80ff:fffe": "loopback",
    "224.0.0.1": "reserved",
    "255.255.255.255": "reserved",
    "192.0.2.1": "reserved",
    "93.184.216.34": "",
    "172.32.0.1": "",
    "2606:2800:220:1::1": "",
    "64:ff9b::5db8:d822": "",
}


@pytest.mark.parametrize(("address", "kind"), CLASSES.items())
def test_each_address_has_its_class(address, kind):
    assert address_class(address) == kind


@given(st.ip_addresses(v=4))
def test_an_address_keeps_its_class_inside_one_of_version_six(address):
    for form in (f"::ffff:{address}", f"64:ff9b::{address}"):
        assert bool(address_class(form)) == bool(address_class(str(address)))


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::1]", "127.0.0.1"])
def test_odd_forms_of_an_address_are_the_address(host):
    assert address_class(literal_address(host) or "8.8.8.8") == "loopback"


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost"])
def test_a_gate_refuses_odd_forms_of_loopback(host):
    for check in (lambda gate: gate.addresses(host, 80), lambda gate: gate.check_literal(host)):
        with pytest.raises(AddressError, match=r"loopback .*--allow-private"):
            check(Gate(public=True))


@pytest.fixture
def server():
    with FaultServer() as running:
        running.add("/item.json", b'{"type": "Feature"}')
        yield running


def pretended(public="127.0.0.1", inside="127.0.0.2"):
    """A gate in a world where one loopback address is of the public web; names ending in .example resolve there."""
    return Gate(
        resolve=lambda host, _: [inside if host == "inside.example" else public],
        classify=lambda address: "" if address == public else "private",
    )


def test_a_public_document_leads_to_no_private_address(server):
    client = Client(gate=pretended())
    port = server.url.rpartition(":")[2]
    assert client.get(f"http://public.example:{port}/item.json").body
    with pytest.raises(ResolveError, match=r"inside\.example \(127\.0\.0\.2\) is a private address.*--allow-private"):
        client.get(f"http://inside.example:{port}/item.json")
    client.close()


def test_a_redirect_of_a_public_server_leads_to_no_private_address(server):
    port = server.url.rpartition(":")[2]
    server.script("/item.json", Redirect(f"http://inside.example:{port}/item.json"))
    client = Client(gate=pretended())
    with pytest.raises(ResolveError, match="private address"):
        client.get(f"http://public.example:{port}/item.json")
    client.close()


def test_a_private_document_leads_to_private_addresses(server):
    client = Client(gate=pretended(public="127.0.0.9", inside="127.0.0.1"))
    port = server.url.rpartition(":")[2]
    assert client.get(f"http://inside.example:{port}/item.json").body
    assert client.gate.public is False
    client.close()


def test_the_connection_is_made_to_the_address_that_was_looked_at(server):
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])  # a name that resolves to another address the second time
    asked = []

    def resolve(host, _):
        asked.append(host)
        return next(answers)

    gate = Gate(public=True, resolve=resolve, classify=lambda address: "" if address == "127.0.0.1" else "private")
    transport = HttpTransport(HttpOptions(), gate)
    url = f"http://rebound.example:{server.url.rpartition(':')[2]}/item.json"
    with transport.stream(ReadRequest(href=url)) as stream:
        assert b"".join(bytes(chunk) for chunk in stream)
    assert asked == ["rebound.example"]
    transport.close()
    with pytest.raises(TransferError, match="private"), transport.stream(ReadRequest(href=url)):
        pass


def results(url):
    return ResultSet(
        id="r", kind="item", assets=(Asset(key="a", href=url),), document={"type": "Feature"}, from_public_web=True
    )


@pytest.mark.parametrize("allowed", [False, True])
def test_assets_of_public_documents_are_refused_unless_allowed(server, tmp_path, allowed):
    from splashdown import JobResults

    url = server.add("/a.bin", b"content")
    with Session(discover=False, config=False, options={"http": {"allow_private": allowed}}) as session:
        opened = JobResults(session, results(url))
        report = opened.transfer(opened.plan(tmp_path))
    assert report.ok is allowed
    if not allowed:
        assert "127.0.0.1 is a loopback address" in report.failed[0].error
        assert server.seen == []


def test_a_proxy_is_asked_for_no_private_literal_address(server, monkeypatch):
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.setenv("no_proxy", "")
    transport = HttpTransport(HttpOptions(), Gate(public=True))
    with pytest.raises(TransferError, match=r"169\.254\.169\.254 is a link-local address"):
        transport.stream(ReadRequest(href="http://169.254.169.254/latest/meta-data")).__enter__()
    assert server.seen == []
    transport.close()
