"""Links that have ended: one reading of the source serves all that is read of its results."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scripted import Body, ScriptedTransport, raising

import splashdown
from splashdown.errors import LinkExpiredError
from splashdown.model import Asset, ResultSet

KEYS = ("a", "b", "c")


class Source:
    """Results whose first links have ended; reading the source again gives others."""

    def __init__(self, *, broken=False):
        ended = raising(LinkExpiredError("the signed link has expired"))
        bodies = {f"http://h/old/{key}": Body(b"", faults=[ended] * 9) for key in KEYS}
        bodies |= {f"http://h/new/{key}": Body(key.encode()) for key in KEYS}
        self.transport, self.broken, self.readings = ScriptedTransport(bodies), broken, 0

    def results(self, session):
        return splashdown.JobResults(session, self.listed("old"))

    def listed(self, age):
        assets = tuple(Asset(key=key, href=f"http://h/{age}/{key}") for key in KEYS)
        return ResultSet(
            id="j", kind="job", assets=assets, document={}, transport=lambda href: self.transport, refresh=self.read
        )

    def read(self):
        self.readings += 1
        if self.broken:
            raise OSError("the back-end is down")
        return self.listed("new")


@pytest.fixture
def session():
    with splashdown.Session(discover=False, config=False) as made:
        yield made


def test_one_renewal_serves_downloads_reads_and_selections(session, tmp_path):
    source = Source()
    results = source.results(session)
    assert results.select(keys="a").load_bytes() == b"a"
    assert [one.open().bytes() for one in results] == [b"a", b"b", b"c"]
    assert results.transfer(results.plan(tmp_path)).ok
    assert source.readings == 1


def test_settings_of_one_run_do_not_cost_its_renewed_links(session, tmp_path):
    source = Source()
    results = source.results(session)
    for folder in ("one", "two"):
        assert results.transfer(results.plan(tmp_path / folder), settings=splashdown.Settings(jobs=1)).ok
    assert source.readings == 1


def test_links_past_their_time_are_renewed_before_a_read(session):
    source = Source()
    results = splashdown.JobResults(session, replace(source.listed("old"), expires=1.0))
    assert results.load_bytes("a") == b"a"
    assert [request.href for request in source.transport.requests] == ["http://h/new/a"]


def test_a_source_that_cannot_be_read_is_asked_once_not_for_each_asset(session, tmp_path):
    source = Source(broken=True)
    results = source.results(session)
    report = results.transfer(results.plan(tmp_path))
    assert len(report.failed) == len(KEYS)
    assert source.readings == 1
