"""Idle connections are kept for the hosts that were used last: descriptors do not run out over many hosts."""

import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st
from raw_server import raw_server

from splashdown.builtins.http.hosts import Hosts
from splashdown.connections import MOST_HOSTS, RecentlyUsed, close_idle
from splashdown.http import HttpOptions, HttpTransport
from splashdown.model import ReadRequest

BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def descriptors():
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_many_hosts_cost_few_descriptors():
    servers = 3 * MOST_HOSTS
    transport = HttpTransport(HttpOptions())
    before = descriptors()
    with ExitStack() as stack:
        urls = [stack.enter_context(raw_server(lambda _, n: BODY, host=f"127.0.0.{n + 1}")).url for n in range(servers)]
        listening = descriptors() - before
        for url in urls * 2:
            with transport.stream(ReadRequest(href=url + "/a")) as stream:
                assert b"".join(map(bytes, stream)) == b"ok"
        # Two for each open connection: this process is the server too.
        assert descriptors() - before - listening <= 2 * MOST_HOSTS + 8
    transport.close()


@pytest.mark.parametrize("connections", [1, 5])
def test_a_pool_whose_idle_connections_were_closed_still_serves(connections):
    with raw_server(lambda _, n: BODY) as server, urllib3.connection_from_url(server.url, maxsize=connections) as pool:
        assert pool.urlopen("GET", "/").data == b"ok"
        close_idle(pool)
        assert pool.urlopen("GET", "/").data == b"ok"
        assert pool.urlopen("GET", "/").data == b"ok"
        assert len(server.connections) == 2


@given(st.lists(st.sampled_from("abcdefgh"), max_size=40), st.integers(1, 4))
def test_what_was_used_last_is_kept_and_no_more_than_allowed(keys, most):
    gone = []
    cache = RecentlyUsed(lambda key: [key], lambda value: gone.append(value[0]), most=most)
    alive = set()
    for key in keys:
        before = len(gone)
        assert cache.get(key) == [key]
        alive = (alive | {key}) - set(gone[before:])
        assert len(alive) <= most
        assert key in alive
    cache.clear()
    assert sorted(gone[-len(alive) :]) == sorted(alive) if alive else not gone[len(gone) :]


def test_threads_share_one_value_for_a_key():
    made = []
    cache = RecentlyUsed(lambda key: made.append(key) or [key], lambda value: None)
    together = threading.Barrier(8)

    def ask():
        together.wait()
        cache.get("a")

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == ["a"]


def test_a_host_that_came_back_is_made_again():
    hosts = Hosts(HttpOptions(pool_size=2))
    first = hosts.get("http://h0.invalid")
    for n in range(1, 2 * MOST_HOSTS + 1):
        hosts.get(f"http://h{n}.invalid")
    assert hosts.get("http://h0.invalid") is not first
    assert hosts.get("http://h0.invalid") is hosts.get("http://h0.invalid")
