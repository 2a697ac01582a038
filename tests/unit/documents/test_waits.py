"""Documents for which a server asks to wait: within limits, said, and never longer than the client is needed."""

import threading

import pytest
from fault_server import FaultServer
from faults import Status

from splashdown._connections.waits import retry_after
from splashdown._documents.client import Client
from splashdown.errors import SplashdownError

ITEM = b'{"id": "a"}'


@pytest.fixture
def server():
    with FaultServer() as running:
        running.add("/a.json", ITEM)
        yield running


@pytest.fixture
def client():
    made = Client()
    yield made
    made.close()


@pytest.fixture
def waits(client):
    """The waits of the client, which take no time."""
    found = []
    client._closed.wait = found.append
    return found


def refused(client, url):
    with pytest.raises(SplashdownError):
        client.get(url)


@pytest.mark.parametrize("status", [429, 503, 202])
def test_a_wait_for_a_document_is_kept_and_said(server, client, waits, caplog, status):
    server.script("/a.json", Status(status, Retry_After="30"))
    assert client.get(f"{server.url}/a.json?key=SECRET").body == {"id": "a"}
    assert waits == [30]
    (said,) = caplog.messages
    assert said == f"{server.url}/a.json?...: the server answered {status}; trying again in 30.0 s"


def test_a_longer_wait_than_allowed_fails_at_once_and_says_so(server, client, waits):
    server.always("/a.json", Status(429, Retry_After="1200"))
    with pytest.raises(SplashdownError, match="asks to wait 1200 seconds, max_retry_after allows 600"):
        client.get(f"{server.url}/a.json")
    assert (waits, len(server.seen)) == ([], 1)


def test_a_document_in_preparation_is_waited_for_so_long_altogether(server, client, waits):
    server.always("/a.json", Status(202, Retry_After="100"))
    with pytest.raises(SplashdownError, match=r"still prepares it .HTTP 202.; try again later"):
        client.get(f"{server.url}/a.json")
    assert waits == [100] * 6


def test_a_header_that_makes_no_sense_asks_for_no_wait(server, client, waits):
    server.script("/a.json", Status(503, Retry_After="soon"))
    assert client.get(f"{server.url}/a.json").body == {"id": "a"}
    assert sum(waits) < 1


def test_closing_ends_a_wait(server, client, caplog):
    server.always("/a.json", Status(503, Retry_After="500"))
    said = threading.Event()
    caplog.handler.addFilter(lambda _: said.set() or True)
    thread = threading.Thread(target=refused, args=(client, f"{server.url}/a.json"))
    thread.start()
    assert said.wait(30)
    client.close()
    thread.join(30)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("date", "seconds"),
    [("Fri, 31 Dec 2100 23:59:29 GMT", 30), ("Fri, 31 Dec 2100 23:59:59 GMT", 0), ("Sat, 01 Jan 2101 10:00:00 GMT", 0)],
)
def test_a_date_counts_from_the_clock_of_the_server(date, seconds):
    assert retry_after({"retry-after": "Fri, 31 Dec 2100 23:59:59 GMT", "date": date}) == seconds
    quota = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "4133980799", "date": date}
    assert retry_after(quota) == seconds
