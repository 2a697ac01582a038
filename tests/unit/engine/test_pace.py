"""The number of files at once follows what was measured: it rises where that helps, and stays within its bounds."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from splashdown._engine.pace import FEW, MOST, START, Pace, Window

windows = st.builds(
    Window,
    rate=st.floats(1e-6, 1e9),
    seconds=st.floats(0.01, 100),
    busy=st.floats(0, 4),
    waiting=st.booleans(),
)


def run(pace, rate_of, count=60, **more):
    """The numbers while a server is observed whose rate depends on the number."""
    return [pace.observe(Window(rate=rate_of(pace.limit), seconds=0.5, **more)) for _ in range(count)]


@given(st.integers(1, 100), st.integers(1, 600), st.lists(windows, max_size=60))
def test_the_number_stays_within_its_bounds(start, most, seen):
    pace = Pace(start=start, most=most)
    for one in seen:
        pace.observe(one)
        assert 1 <= pace.limit <= most


@given(st.integers(1, 200), st.floats(0.001, 10))
def test_it_comes_near_what_a_server_serves_at_a_time(capacity, latency):
    def rate_of(number):
        return min(number, capacity) / latency

    pace = Pace()
    found = run(pace, rate_of)
    best = rate_of(MOST)
    assert rate_of(found[-1]) >= 0.6 * best
    # No more wait in line than are served, but for a try now and then.
    assert sorted(found)[len(found) // 2] <= max(START, 2 * capacity)


@given(st.integers(8, 40))
def test_a_server_that_slows_down_under_load_is_left_at_what_it_bears(capacity):
    found = run(Pace(), lambda number: number if number <= capacity else capacity / (number - capacity + 1))
    assert sum(number > capacity for number in found) <= len(found) / 3
    assert found[-1] >= min(START, capacity)


def test_a_line_with_latency_is_at_the_most_after_three_doublings():
    found = run(Pace(), float, count=7)
    assert found == [16, 16, 32, 32, 64, 64, 64]


def test_a_busy_process_tries_no_more_threads():
    assert set(run(Pace(), float, busy=0.9)) == {START}


def test_threads_that_wait_for_the_interpreter_become_one():
    found = run(Pace(), lambda number: 1000.0 - number, busy=0.9, small=True)
    assert found[-1] == 1
    assert FEW in found
    assert set(run(Pace(), lambda number: 1000.0 - number, busy=0.7, small=True)[-5:]) != {FEW}


def test_few_threads_stay_where_one_does_less():
    rates = {1: 700.0, FEW: 1000.0}
    found = run(Pace(), lambda number: rates.get(number, 1000.0), busy=0.9, small=True)
    assert found[-1] == FEW


def test_few_threads_are_given_up_where_more_do_more():
    found = run(Pace(), float, busy=0.9, small=True)
    assert found[-1] == START
    assert found.count(START) > len(found) / 2


def test_few_threads_become_more_once_the_process_is_no_longer_busy():
    pace = Pace()
    run(pace, lambda number: 1000.0 - number, busy=0.9, small=True)
    assert run(pace, float, busy=0.1)[-1] > START


def test_without_waiting_files_nothing_is_tried():
    assert set(run(Pace(), float, waiting=False)) == {START}


def test_a_number_that_does_not_help_is_given_up_and_tried_ever_less_often():
    found = run(Pace(), lambda _: 100.0, count=200)
    tries = [at for at, (one, other) in enumerate(itertools.pairwise(found)) if other > one]
    pauses = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert pauses == sorted(pauses)
    assert pauses[-1] > 4 * pauses[0]
    assert sum(number > START for number in found) < len(found) / 7


def test_a_rate_that_falls_for_long_leads_to_fewer_where_they_do_as_much():
    pace = Pace()
    run(pace, float, count=7)
    assert pace.limit == 64
    found = run(pace, lambda _: 10.0)
    assert START <= found[-1] < 64


def test_one_slow_window_leads_to_nothing():
    pace = Pace()
    run(pace, float, count=7)
    assert pace.observe(Window(rate=1.0, seconds=0.5)) == 64
    assert set(run(pace, float)) == {64}
