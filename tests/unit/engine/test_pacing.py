"""How fast a host is, measured from what its files have cost, and the number of files at once that follows."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from splashdown._engine import pacing
from splashdown._engine.pace import FEW, MOST, START
from splashdown._engine.pacing import Pacing, bounds
from splashdown._engine.retry import Throttle
from splashdown._engine.schedule import Schedule
from splashdown._engine.settings import Settings

KIB = 1024


class Clock:
    """Time that passes as a test says."""

    def __init__(self):
        self.now = self.busy = 0.0

    def monotonic(self):
        return self.now

    def process_time(self):
        return self.busy


class Bench:
    """A run of files from one host, whose threads are played by the test."""

    def __init__(self, clock, files=500, **settings):
        self.clock, self.seen = clock, []
        self.context = SimpleNamespace(
            settings=Settings(**settings), remote=SimpleNamespace(throttle=Throttle()), under_way=set()
        )
        self.pacing = Pacing(context=self.context, hosts={"h"})
        self.schedule = Schedule(["h"] * files, self.pacing.limits)
        self.queue = self.schedule.queues["h"]
        observe = self.pacing._hosts["h"].pace.observe
        self.pacing._hosts["h"].pace.observe = lambda window: (self.seen.append(window), observe(window))[1]
        self.begin()

    def begin(self):
        while self.queue.free > 0:
            self.schedule.take()

    def end(self, files, seconds, size=0):
        for _ in range(files):
            self.schedule.exchange("h", seconds, size)

    def look(self, after):
        self.clock.now += after
        tick = self.pacing.look(self.schedule)
        self.begin()
        return tick


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(pacing, "time", clock)
    return clock


def test_the_rate_is_the_number_under_way_by_the_time_of_a_file(clock):
    bench = Bench(clock)
    bench.end(START, 0.05)
    bench.look(after=0.06)
    assert [window.rate for window in bench.seen] == [pytest.approx(START / 0.05)]
    assert bench.queue.limit == 2 * START


def test_bytes_count_beside_the_request(clock):
    bench = Bench(clock)
    bench.end(START, 0.5, 128 * KIB)
    bench.look(after=0.6)
    assert bench.seen[0].rate == pytest.approx(3 * START / 0.5)


def test_too_few_files_and_too_short_a_time_decide_nothing(clock):
    bench = Bench(clock)
    bench.end(START - 1, 0.05)
    assert bench.look(after=0.9) == 0.02
    assert bench.seen == []
    bench.end(1, 0.05)
    bench.look(after=0.0)
    assert len(bench.seen) == 1
    bench.end(100, 0.001)
    bench.look(after=0.04)
    assert len(bench.seen) == 1


def test_of_files_that_take_long_the_bytes_that_have_come_count(clock):
    bench = Bench(clock)
    source = SimpleNamespace(transfer=SimpleNamespace(asset=SimpleNamespace(href="http://h/a")), moved=0)
    bench.context.under_way = [source]
    bench.look(after=0.5)
    source.moved = 6400 * KIB
    bench.look(after=0.6)
    assert bench.seen[0].rate == pytest.approx(100 / 1.1)


def test_a_time_in_which_nothing_comes_decides_nothing(clock):
    bench = Bench(clock)
    bench.look(after=30.0)
    assert bench.seen == []


def test_the_processor_time_of_the_process_is_seen(clock):
    bench = Bench(clock)
    bench.end(START, 0.05, size=1024 * KIB)
    clock.busy = 0.09
    bench.look(after=0.1)
    assert bench.seen[0].busy == pytest.approx(0.9)
    assert bench.queue.limit == START


def test_small_files_of_a_busy_process_lead_to_few_threads(clock):
    bench = Bench(clock)
    bench.end(START, 0.05, size=64 * KIB)
    clock.busy = 0.09
    bench.look(after=0.1)
    assert bench.seen[0].small
    assert bench.queue.limit == FEW


def test_a_host_that_has_refused_requests_gets_what_it_serves(clock):
    bench = Bench(clock)
    places = bench.context.remote.throttle.places("h")
    places.limit = 3
    bench.end(START, 0.05)
    assert bench.look(after=0.1) == 0.25
    assert bench.seen == []
    assert (bench.queue.limit, places.at_once) == (3, 3)


def test_the_host_is_known_to_serve_files_of_the_straight_line(clock):
    bench = Bench(clock)
    places = bench.context.remote.throttle.places("h")
    assert not places.serves_others
    bench.end(1, 0.05)
    bench.look(after=0.1)
    assert places.serves_others


def test_a_number_of_the_user_is_not_measured(clock):
    bench = Bench(clock, jobs=12)
    bench.end(12, 0.05)
    assert bench.look(after=0.1) == 0.25
    assert (bench.seen, bench.queue.limit) == ([], 12)


@pytest.mark.parametrize(
    ("settings", "hosts", "expected"),
    [
        ({}, 1, (START, MOST)),
        ({}, 3, (2, MOST)),
        ({}, 100, (1, MOST)),
        ({"per_host": 4}, 1, (4, 4)),
        ({"per_host": 20}, 1, (START, 20)),
        ({"jobs": 5}, 1, (5, 5)),
        ({"jobs": 200}, 9, (200, 200)),
        ({"jobs": 20, "per_host": 2}, 9, (2, 2)),
    ],
)
def test_where_a_host_begins_and_ends(settings, hosts, expected):
    assert bounds(Settings(**settings), hosts) == expected
