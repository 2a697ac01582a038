"""When failures in a row end a run, or what is left of one host."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splashdown._engine.breaker import Breaker
from splashdown.errors import (
    ChecksumError,
    HttpStatusError,
    LinkExpiredError,
    NetworkError,
    StalledError,
    StoreError,
)

HOST = "data.example"


def status(code):
    return HttpStatusError(f"https://data.example/{code}: refused", status=code)


def after(errors, limit=3):
    breaker = Breaker(limit)
    for error in errors:
        breaker.failed(HOST, error)
    return breaker


@pytest.mark.parametrize(
    "error",
    [
        *map(status, (401, 403, 429, 500, 503)),
        NetworkError("no route"),
        StalledError("no byte"),
        LinkExpiredError("late"),
    ],
)
def test_a_host_that_fails_three_times_in_the_same_way_is_given_up(error):
    assert after([error] * 2).reason == ""
    given_up = after([error] * 3)
    assert set(given_up.given_up) == {HOST}
    assert given_up.reason.startswith("data.example failed for 3 files in a row, the last time with ")
    assert given_up.stopped == ""


@pytest.mark.parametrize("error", [status(404), status(410), ChecksumError("other bytes"), ValueError("x")])
def test_what_concerns_one_file_alone_is_not_counted(error):
    assert after([error] * 50).reason == ""


def test_another_reason_starts_the_count_again():
    assert after([status(500), status(500), status(503), status(500), status(500)]).reason == ""


def test_failures_of_the_store_end_the_whole_run_whatever_the_file_is_called():
    breaker = after([StoreError(f"cannot store 'file-{n}.tif': No space left on device") for n in range(3)])
    assert breaker.stopped.startswith("the target failed for 3 files in a row, the last time with StoreError: cannot")


def test_other_failures_of_the_store_are_other_reasons():
    assert after([StoreError("cannot store 'a': no space"), StoreError("cannot store 'a': denied")] * 9).reason == ""


def test_a_file_that_lands_starts_the_count_again():
    breaker = after([StoreError("full"), StoreError("full"), status(500), status(500)])
    assert breaker.counting
    breaker.landed(HOST)
    assert not breaker.counting
    breaker.failed(HOST, StoreError("full"))
    breaker.failed(HOST, status(500))
    assert breaker.reason == ""


def test_hosts_are_counted_apart():
    breaker = after([status(500)] * 2)
    breaker.failed("other.example", status(500))
    assert breaker.reason == ""


def test_zero_never_gives_up():
    assert after([status(500)] * 100, limit=0).reason == ""


@given(st.lists(st.sampled_from(["landed", 401, 500, 404, "store"])), st.integers(1, 5))
def test_only_as_many_failures_in_a_row_give_up(events, limit):
    breaker, row, full, expected = Breaker(limit), (None, 0), 0, False
    for event in events:
        if event == "landed":
            breaker.landed(HOST)
            row, full = (None, 0), 0
        elif event == "store":
            breaker.failed(HOST, StoreError("full"))
            full += 1
        else:
            breaker.failed(HOST, status(event))
            if event != 404:
                row = (event, row[1] + 1 if row[0] == event else 1)
        expected = expected or row[1] >= limit or full >= limit
    assert bool(breaker.reason) is expected
