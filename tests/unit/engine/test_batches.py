"""Small files that share one note: none gets its name before it is noted, and none suffers from another."""

from __future__ import annotations

import pytest
from scripted import Body, ScriptedTransport, plan_of

from splashdown._engine import batches
from splashdown._engine.journal import Journal
from splashdown._engine.remote import Remote, unsigned
from splashdown._engine.renew import Renewal
from splashdown._engine.run import Run, run_plan
from splashdown._engine.settings import RetryPolicy, Settings
from splashdown._receipts.memory import TargetMemory, read_target
from splashdown.builtins.memory import MemorySink
from splashdown.errors import StoreError
from splashdown.model import SmallBody, Status

ONE_THREAD = Settings(jobs=1, retry=RetryPolicy(base=0.0, attempts=2))
BODIES = {f"http://h/{n:02}": Body(f"{n:02} bytes".encode()) for n in range(40)}
CONTENTS = {href[9:]: body.data for href, body in BODIES.items()}


class Lending(ScriptedTransport):
    """Lends one buffer for all small files, as the transport of http hrefs does."""

    def __init__(self, bodies, log):
        super().__init__(bodies)
        self.buffer, self.log = bytearray(64), log

    def read_small(self, request, most):
        body = self.bodies[request.href]
        self.log.append(f"read {request.href[9:]}")
        if body.faults:
            return self.stream(request)
        self.buffer[: len(body.data)] = body.data
        return SmallBody(info=body.info, data=memoryview(self.buffer)[: len(body.data)])


class Watched(MemorySink):
    """Knows which names were noted before they were stored, and refuses some of them so many times."""

    def __init__(self, refused=None):
        super().__init__()
        self.log, self.refused, self.unknown, self.notes = [], dict(refused or {}), [], 0

    def put_whole(self, key, content, data):
        self.asked(key)
        return super().put_whole(key, content, data)

    def commit(self, upload, tags):
        if upload.key.startswith(".splashdown"):
            self.notes += 1
        else:
            self.asked(upload.key)
        return super().commit(upload, tags)

    def asked(self, key):
        if key not in read_target(self).records:  # it would be unknown after a kill
            self.unknown.append(key)
        self.log.append(f"store {key}")
        if self.refused.get(key):
            self.refused[key] -= 1
            raise StoreError(f"{key} is not taken")


@pytest.fixture(autouse=True)
def no_hurry(monkeypatch):
    """A busy machine must not make smaller batches."""
    monkeypatch.setattr(batches, "_MOMENT", 1000.0)


def run(sink, bodies=BODIES, settings=ONE_THREAD):
    transport = Lending(bodies, sink.log)
    remote = Remote(
        transport=lambda href: transport, settings=settings, renewal=Renewal(None, None),
        lane=lambda href: (transport, unsigned),
    )  # fmt: skip
    with TargetMemory(sink) as memory:
        report = run_plan(Run(plan=plan_of(bodies), sink=sink, memory=memory), remote)
        memory.close()
    assert sink.unknown == []
    stored = {name: data for name, data in sink.store.items() if not name.startswith(".splashdown")}
    return report, stored


def test_many_small_files_share_few_notes_and_each_is_noted_before_it_is_stored():
    sink = Watched()
    report, stored = run(sink)
    assert report.ok
    assert stored == CONTENTS
    assert sink.notes <= 6, "one at the beginning, three for batches, one for the last file, one at the end"


def test_a_file_that_is_not_taken_goes_the_general_way_and_the_others_do_not_wait():
    sink = Watched(refused={"07": 1})
    report, stored = run(sink)
    assert report.ok
    assert stored == CONTENTS


def test_a_file_that_cannot_be_stored_leaves_no_note_and_no_other_file_behind():
    sink = Watched(refused={"07": 1000})
    report, stored = run(sink)
    assert [one.transfer.name for one in report.outcomes if one.status is not Status.STORED] == ["07"]
    assert stored.keys() == CONTENTS.keys() - {"07"} == read_target(sink).records.keys()


def test_files_of_a_batch_that_was_stopped_are_not_stored_and_not_noted():
    sink = Watched(refused={"07": 1000})
    report, stored = run(sink, settings=Settings(jobs=1, fail_fast=True, retry=RetryPolicy(base=0.0, attempts=2)))
    assert {one.status for one in report.outcomes} == {Status.STORED, Status.FAILED, Status.NOT_TRIED}
    assert stored.keys() == read_target(sink).records.keys() == {f"{n:02}" for n in range(7)}


def test_an_odd_answer_is_stored_after_those_that_came_before_it():
    bodies = {href: Body(body.data, faults=[lambda _: None] * (href[9:] == "05")) for href, body in BODIES.items()}
    sink = Watched()
    report, stored = run(sink, bodies)
    assert report.ok
    assert stored == CONTENTS
    names = [one for one in sink.log if one.startswith("read")]
    assert names == [f"read {n:02}" for n in range(40)], "nothing is asked for twice"


def test_what_another_run_is_storing_is_waited_for_with_nothing_in_hand(monkeypatch):
    monkeypatch.setattr(Journal, "is_awaited", lambda _, name: name == "05")
    sink = Watched()
    report, _ = run(sink)
    assert report.ok
    assert sink.log.index("store 04") < sink.log.index("read 05")


def test_files_that_a_thread_may_not_hold_together_are_noted_one_by_one():
    sink = Watched()
    report, stored = run(sink, settings=Settings(jobs=1, memory=12, retry=RetryPolicy(base=0.0)))
    assert report.ok
    assert stored == CONTENTS
    assert sink.notes >= len(BODIES)
