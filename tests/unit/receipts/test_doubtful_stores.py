"""Stores that cannot be listed for a moment, or replace in two steps: what other runs have noted is not overlooked."""

import time
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from splashdown._receipts import object_notes
from splashdown._receipts.fragments import storing_line
from splashdown._receipts.object_notes import _STEP_LINES, ObjectNotes
from splashdown.errors import StoreError
from splashdown.model import StoredRecord
from splashdown.testing import MemorySink


class Moody(MemorySink):
    """Lists its objects, unless it does not want to; for so many listings there seem to be none, or their bytes."""

    willing = True
    unlisted = unread = 0

    def list(self, prefix=""):
        if not self.willing:
            raise StoreError("cannot list: try again")
        self.unlisted -= 1
        return iter(()) if self.unlisted >= 0 else super().list(prefix)

    @contextmanager
    def read(self, key):
        self.unread -= 1
        if self.unread >= 0:
            raise FileNotFoundError(key)
        with super().read(key) as chunks:
            yield chunks


@pytest.fixture
def sink():
    return Moody()


def test_a_listing_that_fails_later_says_that_others_are_active(sink):
    mine, theirs = ObjectNotes(sink), ObjectNotes(sink)
    mine.begin()
    theirs.begin()
    theirs.append(storing_line("a.bin", StoredRecord(size=1), theirs.now()))
    assert [one.stored.keys() for one in mine.read()[0].values()] == [{"a.bin"}]
    sink.willing = False
    assert mine.read() == ({}, True)
    sink.willing = True
    assert [one.stored.keys() for one in mine.read()[0].values()] == [{"a.bin"}]


def test_a_store_that_can_never_be_listed_does_not_hold_up_its_runs(sink):
    sink.willing = False
    notes = ObjectNotes(sink)
    notes.begin()
    assert notes.read() == ({}, False)


@pytest.mark.parametrize("step", ["unlisted", "unread"])
@pytest.mark.parametrize("times", [1, 2])
def test_an_object_that_is_being_replaced_is_looked_for_again(sink, step, times):
    mine, theirs = ObjectNotes(sink), ObjectNotes(sink)
    mine.begin()
    theirs.begin()
    theirs.append(storing_line("a.bin", StoredRecord(size=1), theirs.now()))
    assert mine.read()[1]
    setattr(sink, step, times)
    found, active = mine.read()
    assert [one.stored.keys() for one in found.values()] == [{"a.bin"}]
    assert active


def test_a_run_that_has_ended_is_not_looked_for_for_long(sink):
    mine, theirs = ObjectNotes(sink), ObjectNotes(sink)
    mine.begin()
    theirs.begin()
    assert mine.read()[1]
    theirs.drop(())
    assert mine.read() == ({}, False)
    sink.unlisted = 1  # one look is enough from now on
    assert mine.read() == ({}, False)
    assert sink.unlisted == 0


class Replaced(dict):
    """Objects by name; ``absent`` counts for each how many listings lack it since it was replaced."""

    def __init__(self):
        super().__init__()
        self.absent = {}

    def __setitem__(self, name, data):
        if name in self:
            self.absent[name] = 3
        super().__setitem__(name, data)


class InTwoSteps(MemorySink):
    """Replaces an object so that the next three listings lack it, as WebDAV may."""

    def list(self, prefix=""):
        for name, size in super().list(prefix):
            left = self.store.absent.get(name, 0)
            self.store.absent[name] = left - 1
            if left <= 0:
                yield name, size


@pytest.mark.parametrize("lines", [1, 2, _STEP_LINES + 1, _STEP_LINES + 2])
def test_a_run_unseen_before_is_not_overlooked_while_it_replaces(lines):
    sink = InTwoSteps(Replaced())
    theirs = ObjectNotes(sink)
    theirs.begin()
    for number in range(lines):
        theirs.append(storing_line(f"{number}.bin", StoredRecord(size=1), theirs.now()))
    found, active = ObjectNotes(sink).read()
    assert active
    assert [len(one.stored) for one in found.values()] == [lines]


def test_a_run_that_has_noted_nothing_is_doubted_once(sink, monkeypatch):
    waits = []
    monkeypatch.setattr(
        object_notes, "time", SimpleNamespace(sleep=waits.append, time=time.time, monotonic=time.monotonic)
    )
    mine, theirs = ObjectNotes(sink), ObjectNotes(sink)
    theirs.begin()
    for _ in range(5):
        assert mine.read()[1]
    assert len(waits) == len(object_notes._GONE_WAITS)


def test_the_object_that_shows_a_run_is_stored_once(sink):
    notes = ObjectNotes(sink)
    notes.begin()
    ((first, data),) = sink.store.items()
    notes.append(storing_line("a.bin", StoredRecord(size=1), notes.now()))
    notes.close()
    assert len(sink.store) == 2
    assert sink.store[first] is data
