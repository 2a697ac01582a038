"""A store that cannot be listed for a moment: other runs count as active, and what they noted is left alone."""

import pytest

from splashdown._receipts.fragments import storing_line
from splashdown._receipts.object_notes import ObjectNotes
from splashdown.errors import StoreError
from splashdown.model import StoredRecord
from splashdown.testing import MemorySink


class Moody(MemorySink):
    """Lists its objects, unless it does not want to."""

    willing = True

    def list(self, prefix=""):
        if not self.willing:
            raise StoreError("cannot list: try again")
        return super().list(prefix)


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
