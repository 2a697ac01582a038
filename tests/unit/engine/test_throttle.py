"""A host that asks for a pause gets one, up to the longest that a run waits."""

import threading

import pytest

from splashdown._engine.retry import Throttle
from splashdown.errors import HttpStatusError


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
