"""A host that asks for a pause gets one, up to the longest that a run waits; one that refuses gets fewer requests."""

import threading

import pytest

from splashdown._engine.retry import Throttle
from splashdown.errors import HttpStatusError, NetworkError, TransferError


def busy(seconds):
    return HttpStatusError("busy", status=429, retry_after=seconds)


class Watched(threading.Event):
    """An event that notes how long it was waited for, and does not wait."""

    def __init__(self):
        super().__init__()
        self.waits = []

    def wait(self, timeout=None):
        self.waits.append(timeout)
        return True


@pytest.mark.parametrize(("asked", "waits"), [(60.0, 1), (600.0, 1), (600.5, 0), (1e9, 0)])
def test_a_pause_longer_than_allowed_does_not_stop_the_host(asked, waits):
    throttle, stop = Throttle(), Watched()
    throttle.note("data.example", busy(asked), 600.0)
    throttle.wait("data.example", stop)
    assert len(stop.waits) == waits


def status(code, retry_after=None):
    return HttpStatusError("no", status=code, retry_after=retry_after)


@pytest.mark.parametrize(
    ("error", "alone", "among_others", "counts"),
    [
        (status(429), 4, 4, False),
        (status(429, 1.0), 4, 4, True),
        (status(503), None, 4, False),
        (status(503, 1.0), None, 4, True),
        (NetworkError("no", refused=True), None, 4, False),
        (NetworkError("broken"), None, None, True),
        (status(500), None, None, True),
        (TransferError("other"), None, None, True),
    ],
)
def test_a_refusal_halves_the_requests_if_the_host_serves_others(error, alone, among_others, counts):
    for served, expected in [(0, alone), (5, among_others)]:
        throttle = Throttle()
        places = throttle.enter("data.example", threading.Event())
        places.served = served
        refused = throttle.refused(places, error)
        assert places.limit == expected
        assert throttle.limited == (expected is not None)
        assert refused == (expected is not None and not counts)


def test_the_number_of_a_run_is_what_a_first_refusal_halves():
    throttle = Throttle()
    places = throttle.enter("data.example", threading.Event())
    places.at_once = 40
    throttle.refused(places, status(429))
    assert places.limit == 20


def test_one_more_than_a_host_serves_is_given_up_for_the_number_before(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("splashdown._engine.places.time.monotonic", lambda: now[0])
    throttle, stop = Throttle(), threading.Event()
    places = throttle.enter("data.example", stop)
    places.at_once = 10
    throttle.refused(places, status(429))
    places.leave(well=False)
    while places.limit == 5:
        throttle.enter("data.example", stop).leave(well=True)
    assert places.limit == 6
    for _ in range(6):
        throttle.enter("data.example", stop)
    now[0] = 10.0
    throttle.refused(places, status(429))
    assert places.limit == 5
    now[0] = 20.0
    places.leave(well=False)
    throttle.refused(places, status(429))
    assert places.limit == 2, "what was served before is refused now"
