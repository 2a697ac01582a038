"""Copies that a store makes by itself: checked afterwards, and taken back when they are wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scripted import DATA, Body, ScriptedTransport, Store, plan_of, remote_of, sha256

from splashdown._engine.context import Forgetful
from splashdown._engine.run import Run, run_plan
from splashdown.model import Status, Stored


class Copying(Store):
    """A store that copies whatever it holds under an href, and says what it made."""

    def __init__(self, held: bytes, checksum: str | None = None) -> None:
        super().__init__()
        self.held, self.checksum = held, checksum

    def copy_source(self, href):
        return Stored(size=len(self.held), checksum=self.checksum) if href.startswith("http://h/") else None

    def copy_from(self, href, key, content):
        if not href.startswith("http://h/"):
            return None
        self.objects[key] = self.held
        return Stored(size=len(self.held), checksum=self.checksum, location=f"store:{key}")


class Deleting(Copying):
    def list(self, prefix=""):
        yield from ((key, len(data)) for key, data in self.objects.items())

    def delete(self, key):
        self.objects.pop(key, None)


def copy(sink, href="http://h/a", **asset):
    bodies = {href: Body(DATA)}
    transport = ScriptedTransport(bodies)
    report = run_plan(Run(plan=plan_of(bodies, **asset), sink=sink), remote_of(transport))
    return report.outcomes[0], transport


def test_a_copy_moves_no_byte_and_says_what_was_checked():
    sink = Deleting(DATA, sha256(DATA))
    outcome, transport = copy(sink, size=len(DATA), checksum=sha256(DATA))
    assert outcome.status is Status.STORED
    assert outcome.verified == ("size", "checksum")
    assert outcome.bytes_moved == 0
    assert transport.requests == []


@pytest.mark.parametrize("wrong", [{"size": 5}, {"checksum": sha256(b"other")}])
def test_a_copy_that_is_not_what_was_promised_is_removed(wrong):
    sink = Deleting(DATA, sha256(DATA))
    outcome, _ = copy(sink, **wrong)
    assert outcome.error_type == "ChecksumError"
    assert "the copy was removed" in outcome.error
    assert sink.objects == {}


def test_a_wrong_copy_that_cannot_be_removed_is_named_as_such():
    outcome, _ = copy(Copying(DATA), size=5)
    assert outcome.error_type == "ChecksumError"
    assert "still there, do not use it" in outcome.error

    class Denying(Deleting):
        def delete(self, key):
            raise PermissionError("denied")

    outcome, _ = copy(Denying(DATA), size=5)
    assert "could not be removed, do not use it (PermissionError: denied)" in outcome.error


def test_what_the_store_cannot_copy_is_streamed():
    sink = Deleting(b"never")
    outcome, transport = copy(sink, href="http://elsewhere/a")
    assert outcome.checksum == sha256(DATA)
    assert transport.requests


class Noting(Forgetful):
    """Keeps what a run notes, in its order."""

    def __init__(self):
        super().__init__()
        object.__setattr__(self, "noted", [])

    def storing(self, records):
        self.noted.extend((name, record.size, record.checksum) for name, record in records.items())

    def unstored(self, name):
        self.noted.append((name, None, None))


def noted_by(sink, **asset):
    bodies, memory = {"http://h/a": Body(DATA)}, Noting()
    run = Run(plan=plan_of(bodies, **asset), sink=sink, memory=memory)
    sink.before = lambda: list(memory.noted)
    run_plan(run, remote_of(ScriptedTransport(bodies)))
    return memory.noted


class Watched(Deleting):
    """A store that looks at the notes when it makes a copy; ``made`` is what it says then."""

    def __init__(self, held, made=None, **more):
        super().__init__(held, **more)
        self.made, self.seen = made, None

    def copy_from(self, href, key, content):
        self.seen = self.before()
        stored = super().copy_from(href, key, content)
        if self.made == "refused":
            del self.objects[key]
            return None
        if self.made == "killed":
            raise KeyboardInterrupt
        return replace(stored, checksum=self.made) if self.made else stored


def test_a_copy_is_noted_before_it_is_visible():
    sink = Watched(DATA, checksum=sha256(DATA))
    noted = noted_by(sink)
    assert noted == sink.seen == [("a", len(DATA), sha256(DATA))]


def test_a_copy_of_which_only_the_result_has_a_checksum_is_noted_twice():
    sink = Watched(DATA, made=sha256(DATA))
    assert [checksum for _, _, checksum in noted_by(sink)] == [None, sha256(DATA)]


@pytest.mark.parametrize("asset", [{"size": 5}, {"checksum": sha256(b"other")}])
def test_a_wrong_copy_is_not_noted_any_more(asset):
    assert noted_by(Watched(DATA, checksum=sha256(DATA)), **asset)[-1] == ("a", None, None)


def test_a_copy_that_the_store_refuses_is_not_noted_any_more():
    noted = noted_by(Watched(DATA, made="refused", checksum=None))
    assert noted[:2] == [("a", len(DATA), None), ("a", None, None)]
    assert noted[2] == ("a", len(DATA), sha256(DATA))  # streamed then
