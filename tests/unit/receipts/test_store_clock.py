"""Whether a run in a store is active is decided by the store's clock, which all machines see alike."""

import time
from dataclasses import replace

import pytest

from splashdown._folders.owner import STALE_SECONDS
from splashdown._receipts.notes import notes_of
from splashdown.builtins.memory import MemorySink

HOURS = 7200.0


class Dated(MemorySink):
    """A store that says when an object was written, by a clock of its own."""

    def __init__(self):
        super().__init__()
        self.ahead, self.written = 0.0, {}

    def commit(self, upload, tags):
        self.written[upload.key] = time.monotonic() + self.ahead
        return super().commit(upload, tags)

    def stat(self, key):
        found = super().stat(key)
        return found and replace(found, modified=self.written[key])


@pytest.fixture
def at(monkeypatch):
    """Set the clock of this machine; what is begun or read next happens on such a machine."""
    right = time.time
    return lambda skew: monkeypatch.setattr(time, "time", lambda: right() + skew)


@pytest.mark.parametrize("theirs", [-HOURS, HOURS])
@pytest.mark.parametrize("mine", [-HOURS, HOURS])
def test_clocks_of_machines_do_not_decide_who_is_active(at, theirs, mine):
    sink = Dated()
    at(theirs)
    notes_of(sink).begin()
    at(mine)
    run = notes_of(sink)
    run.begin()
    assert run.read()[1]
    # The other one writes nothing any more, and time goes by in the store alone.
    sink.ahead += STALE_SECONDS + 1
    late = notes_of(sink)
    late.begin()
    run.drop(())
    assert not late.read()[1]


def test_a_run_that_says_that_it_ended_is_not_active(at):
    sink = Dated()
    first, second = notes_of(sink), notes_of(sink)
    for one in (first, second):
        one.begin()
    first.leave()
    assert not second.read()[1]


def test_a_store_without_times_is_judged_by_what_runs_say(at):
    sink = MemorySink()
    notes_of(sink).begin()
    run = notes_of(sink)
    run.begin()
    assert run.read()[1]
    at(STALE_SECONDS + 1)
    assert not run.read()[1]
