"""Documents for which a server asks to wait: within limits, said, an event, and no longer than the client is needed."""

import threading

import pytest
from fault_server import FaultServer
from faults import Status

from splashdown import RetryPolicy, Session, Settings
from splashdown._connections.waits import retry_after
from splashdown._documents.client import Client
from splashdown.errors import SplashdownError
from splashdown.events import Waiting

ITEM = b'{"id": "a"}'
STAC = b'{"type": "Feature", "stac_version": "1.0.0", "id": "a", "links": [], "assets": {}}'


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
    client._pauses.closed.wait = found.append
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
    still = ", it still prepares it" if status == 202 else ""
    assert said == f"{server.url}/a.json?...: the server answered {status}{still}; trying again in 30.0 s"


def test_a_longer_wait_than_allowed_fails_at_once_and_says_so(server, client, waits):
    server.always("/a.json", Status(429, Retry_After="1200"))
    with pytest.raises(SplashdownError, match="asks to wait 1200 seconds, max_retry_after allows 600"):
        client.get(f"{server.url}/a.json")
    assert (waits, len(server.seen)) == ([], 1)


def test_a_document_in_preparation_is_waited_for_so_long_altogether(server, client, waits):
    server.always("/a.json", Status(202, Retry_After="100"))
    with pytest.raises(SplashdownError, match=r"still prepares it .HTTP 202.; max_retry_after allows to wait 600"):
        client.get(f"{server.url}/a.json")
    assert waits == [100] * 6


def test_a_document_in_preparation_is_asked_for_less_and_less_often(server, client, waits):
    server.script("/a.json", *[Status(202)] * 12)
    assert client.get(f"{server.url}/a.json").body == {"id": "a"}
    assert waits == [*(0.2 * 2**n for n in range(9)), 60, 60, 60]


def test_a_job_that_is_accepted_is_waited_for_and_a_document_is_not(server, client, waits):
    server.script("/a.json", Status(202, b'{"type": "process", "links": [], "status": "accepted"}'))
    assert client.get(f"{server.url}/a.json").body == {"id": "a"}
    server.always("/b.json", Status(202, STAC))
    assert client.get(f"{server.url}/b.json").body["stac_version"] == "1.0.0"
    assert waits == [0.2]


POLICY = RetryPolicy(attempts=2, base=0.0, max_retry_after=40)


@pytest.mark.parametrize("status", [429, 503, 202])
@pytest.mark.parametrize(
    ("how", "given"),
    [
        ({"settings": Settings(retry=POLICY)}, {}),
        ({}, {"SPLASHDOWN_RETRY_MAX_RETRY_AFTER": "40"}),
        ({"hosts": {"127.0.0.1": {"max_retry_after": 40}}}, {}),
    ],
)
def test_a_wait_for_a_document_is_within_the_settings_of_the_user(server, monkeypatch, status, how, given):
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    server.always("/a.json", Status(status, Retry_After="50"))
    with Session(config=False, **how) as session, pytest.raises(SplashdownError, match=r"max_retry_after allows .*40"):
        session.open(f"{server.url}/a.json")
    assert len(server.seen) == 1


def test_a_document_is_asked_for_as_often_as_the_settings_say(server):
    server.always("/a.json", Status(500))
    with Session(config=False, settings=Settings(retry=POLICY)) as session, pytest.raises(SplashdownError):
        session.open(f"{server.url}/a.json")
    assert len(server.seen) == POLICY.attempts


def test_the_settings_of_a_session_count_more_than_profiles_in_a_file(server, tmp_path):
    config = tmp_path / "splashdown.toml"
    config.write_text('[hosts."127.0.0.1"]\nattempts = 5\n[settings.retry]\nattempts = 4\nbase = 0.0\n')
    server.always("/a.json", Status(500))
    for settings, attempts in ((None, 5), (Settings(retry=POLICY), 2)):
        asked = len(server.seen)
        with Session(config=config, settings=settings) as session, pytest.raises(SplashdownError):
            session.open(f"{server.url}/a.json")
        assert len(server.seen) - asked == attempts


def test_each_wait_for_a_document_is_an_event_without_secrets(server):
    server.add("/a.json", STAC)
    server.script("/a.json", Status(503, Retry_After="0.01"), Status(202))
    events, failing = [], []

    def fail(event):
        failing.append(event)
        raise ValueError("a listener")

    policy = RetryPolicy(base=0.02)
    with Session(config=False, listeners=[fail, events.append], settings=Settings(retry=policy)) as session:
        session.open(f"{server.url}/a.json?token=SECRET")
    place = f"{server.url}/a.json?..."
    assert events == [
        Waiting(place=place, delay=0.01, reason="the server answered 503"),
        Waiting(place=place, delay=0.02, reason="the server answered 202, it still prepares it"),
    ]
    assert failing == events[:1]


def test_the_listeners_of_a_session_get_the_events_of_its_runs(server, tmp_path):
    server.add("/a.json", STAC.replace(b"{}", b'{"b": {"href": "b.txt"}}'))
    server.add("/b.txt", b"b")
    events, own = [], []
    with Session(config=False, listeners=[events.append]) as session:
        session.open(f"{server.url}/a.json").download_files(tmp_path, listeners=[own.append])
    assert [type(one).__name__ for one in own][-1] == "RunFinished"
    assert events == own


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
