"""How many files at once: what servers bear is found while a run goes on, and those that refuse lose nothing by it."""

from __future__ import annotations

import pytest
from limited_server import BODY, LimitedServer
from stac_item import stac_item

from splashdown import RetryPolicy, Session, Settings
from splashdown._engine.pace import START

RETRY = RetryPolicy(base=0.05)


def download(server, folder, count, **settings):
    """The number of files that came as they are."""
    assets = {f"{n}.bin": {"href": f"{server.url}/{n}.bin"} for n in range(count)}
    with Session(config=False) as session:
        session.open(stac_item(assets)).download_files(folder, settings=Settings(retry=RETRY, **settings))
    return sum(path.read_bytes() == BODY for path in folder.glob("*.bin"))


def test_a_line_with_latency_gets_more_files_at_once(tmp_path):
    with LimitedServer(latency=0.1, at_a_time=1000) as server:
        assert download(server, tmp_path, 500) == 500
        assert server.most >= 32


@pytest.mark.parametrize("jobs", [1, 3, 12])
def test_never_more_files_than_the_user_says_are_under_way(tmp_path, jobs):
    with LimitedServer(latency=0.02, at_a_time=1000) as server:
        assert download(server, tmp_path, 60, jobs=jobs) == 60
        assert server.most == jobs


def test_never_more_files_than_a_host_may_serve_are_under_way(tmp_path):
    with LimitedServer(latency=0.05, at_a_time=1000) as server:
        assert download(server, tmp_path, 200, per_host=10) == 200
        assert START < server.most <= 10


def test_a_server_whose_requests_wait_in_line_gets_few_more_than_it_serves(tmp_path):
    with LimitedServer(latency=0.1, at_a_time=8) as server:
        assert download(server, tmp_path, 300) == 300
        assert server.most <= 24


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_refuses_what_is_too_much_serves_every_file(tmp_path, status):
    with LimitedServer(latency=0.05, at_a_time=20, beyond=status) as server:
        assert download(server, tmp_path, 500) == 500
        assert server.most > START, "it was tried"
        # Those of one try are refused together, and each later try of one more costs one.
        assert 0 < server.refused < 100


def test_a_server_that_says_when_to_come_back_serves_every_file(tmp_path):
    with LimitedServer(latency=0.05, at_a_time=20, beyond=429, retry_after=1) as server:
        assert download(server, tmp_path, 300) == 300
        # After the pause it is asked for fewer at a time, or all of them would be refused once more.
        assert 0 < server.refused < 40


def test_a_server_that_refuses_connections_serves_every_file(tmp_path):
    with LimitedServer(latency=0.05, at_a_time=12, beyond="connection") as server:
        assert download(server, tmp_path, 300) == 300
