"""The limit of bytes a second: what passes, who waits, and for how long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splashdown import Settings, UsageError
from splashdown._engine.rate import RateLimit


class Clock:
    """Time that passes by waiting alone."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def wait(self, seconds):
        self.now += seconds


@given(st.lists(st.integers(1, 300_000), min_size=1, max_size=50), st.integers(1000, 10_000_000))
def test_bytes_never_come_faster_than_the_rate(chunks, rate):
    clock = Clock()
    limit = RateLimit(rate, clock)
    for chunk in chunks:
        limit.take(chunk, clock.wait)
    assert sum(chunks) / rate == pytest.approx(clock.now - 100.0, abs=0.251)


def test_time_without_a_byte_is_not_saved_up():
    clock = Clock()
    limit = RateLimit(1000, clock)
    clock.now += 3600
    limit.take(10_000, clock.wait)
    assert clock.now - 3700 == pytest.approx(9.75)


def test_a_run_that_ends_waits_no_longer():
    limit, asked = RateLimit(1, Clock()), []
    limit.take(3600, asked.append)
    assert asked == [3599.75]


@pytest.mark.parametrize("rate", [0, -1])
def test_a_rate_below_one_byte_is_refused(rate):
    with pytest.raises(UsageError, match="limit_rate must be at least 1"):
        Settings(limit_rate=rate)
