"""What an interrupted run leaves, and what the next one makes of it."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import DATA, SMALL, Body, ScriptedTransport, Store, plan_of, remote_of, sha256

from splashdown._engine import attempt, records
from splashdown._engine.journal import Journal
from splashdown._engine.records import Entry
from splashdown._engine.run import Run, run_plan
from splashdown._folders import owner
from splashdown._folders.folder import Folder
from splashdown._receipts.memory import TargetMemory
from splashdown.builtins.local import LocalSink
from splashdown.errors import HttpStatusError, StoreError
from splashdown.model import IfExists, Part, Status, StoredPart, Upload

ONE = replace(SMALL, range_connections=1)


def breaking_after(count):
    """A fault that lets ``count`` bytes through and then refuses everything for good."""

    def fault(request):
        if request.start >= count:
            raise HttpStatusError("gone", status=400)
        return count - request.start

    return fault


def run(body, sink, settings=ONE, plan=None, **more):
    bodies = {"http://h/a.bin?sig=SECRET": body}
    transport = ScriptedTransport(bodies, 300)
    plan = plan or plan_of(bodies)
    plan = replace(
        plan, transfers=tuple(replace(t, name="a.bin", asset=replace(t.asset, key="a")) for t in plan.transfers)
    )
    report = run_plan(Run(plan=plan, sink=sink, **more), remote_of(transport, settings))
    return report.outcomes[0], transport


def interrupted(tmp_path, body, at=12_345, settings=ONE):
    body.faults = [breaking_after(at)] * 50
    outcome, _ = run(body, LocalSink(tmp_path), settings)
    assert outcome.status is Status.FAILED
    body.faults = []


def hidden(tmp_path):
    return sorted(p.name for p in (tmp_path / ".splashdown").iterdir()) if (tmp_path / ".splashdown").exists() else []


def test_the_next_run_goes_on_after_the_last_whole_part(tmp_path):
    body = Body(DATA)
    interrupted(tmp_path, body)
    assert [p.name for p in tmp_path.iterdir()] == [".splashdown"]
    outcome, transport = run(body, LocalSink(tmp_path))
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert outcome.checksum == sha256(DATA)
    assert transport.requests[0].start == 12_000
    assert outcome.bytes_moved == len(DATA) - 12_000
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_a_file_over_one_connection_is_remembered_in_smaller_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(attempt, "_ONE_CONNECTION", 5_000)
    body, settings = Body(DATA), replace(ONE, part_size=50_000, range_cutoff=10**9)
    interrupted(tmp_path, body, settings=settings)
    outcome, transport = run(body, LocalSink(tmp_path), settings)
    assert outcome.checksum == sha256(DATA)
    assert transport.requests[0].start == 10_000
    assert outcome.bytes_moved == len(DATA) - 10_000


def test_the_journal_holds_no_secret_and_no_href(tmp_path):
    interrupted(tmp_path, Body(DATA))
    text = b"".join(p.read_bytes() for p in (tmp_path / ".splashdown").glob("*.journal"))
    assert text
    assert b"SECRET" not in text
    assert b"http" not in text


def test_another_version_on_the_server_starts_again(tmp_path):
    body = Body(DATA)
    interrupted(tmp_path, body)
    body.data, body.etag = DATA[::-1], '"v2"'
    outcome, _ = run(body, LocalSink(tmp_path))
    assert (tmp_path / "a.bin").read_bytes() == DATA[::-1]
    assert outcome.checksum == sha256(DATA[::-1])
    assert hidden(tmp_path) == []


def test_without_a_validator_nothing_is_kept(tmp_path):
    sink = LocalSink(tmp_path)
    body = Body(DATA, etag=None, faults=[breaking_after(5000)] + [breaking_after(0)] * 9)
    run(body, sink)
    sink.close()
    assert not [n for n in hidden(tmp_path) if n.endswith(".part")]


def test_no_resume_leaves_nothing(tmp_path):
    sink = LocalSink(tmp_path)
    run(Body(DATA, faults=[breaking_after(12_000)] * 9), sink, replace(ONE, resume=False))
    sink.close()
    assert list(tmp_path.iterdir()) == []


def test_no_resume_removes_what_an_earlier_run_has_left(tmp_path):
    body = Body(DATA)
    interrupted(tmp_path, body)
    _, transport = run(body, LocalSink(tmp_path), replace(ONE, resume=False))
    assert transport.requests[0].start == 0
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_partial_data_of_before_a_crash_of_the_machine_is_not_believed(tmp_path, monkeypatch):
    body = Body(DATA)
    interrupted(tmp_path, body)
    from splashdown.builtins.local import sink

    monkeypatch.setattr(sink, "boot", lambda: "another boot")
    outcome, transport = run(body, LocalSink(tmp_path))
    assert transport.requests[0].start == 0
    assert outcome.checksum == sha256(DATA)
    assert hidden(tmp_path) == []


def test_a_store_goes_on_too_but_what_it_cannot_hash_is_not_called_verified(tmp_path):
    sink = Store(state_dir=tmp_path / "state")
    body = Body(DATA, faults=[breaking_after(20_500)] * 50)
    outcome, _ = run(body, sink)
    assert outcome.status is Status.FAILED
    assert len(sink.uploads) == 1
    body.faults = []
    outcome, _ = run(body, sink)
    assert sink.objects["a.bin"] == DATA
    assert outcome.bytes_moved < len(DATA) - 15_000
    assert outcome.checksum is None
    assert outcome.verified == ("length",)
    assert not (tmp_path / "state").exists()


def test_a_store_begins_again_where_a_checksum_has_to_hold(tmp_path):
    sink = Store(state_dir=tmp_path / "state")
    body = Body(DATA, faults=[breaking_after(20_500)] * 50)
    bodies = {"http://h/a.bin?sig=SECRET": body}
    plan = plan_of(bodies, checksum=sha256(DATA))
    run(body, sink, plan=plan)
    body.faults = []
    outcome, _ = run(body, sink, plan=plan)
    assert outcome.verified == ("length", "checksum")
    assert sink.uploads == {}


def test_files_that_a_killed_run_has_stored_are_known_without_a_receipt(tmp_path):
    bodies = {f"http://h/{n}": Body(DATA[: n + 1]) for n in range(5)}
    plan = plan_of(bodies)
    transport = ScriptedTransport(bodies)
    sink = LocalSink(tmp_path)

    class Killed(BaseException):
        pass

    def die(report):
        raise Killed

    with TargetMemory(sink) as memory, pytest.raises(Killed):
        run_plan(Run(plan=plan, sink=sink, memory=memory, before_cleanup=die), remote_of(transport, ONE))
    assert len(transport.requests) == 5
    with TargetMemory(LocalSink(tmp_path)) as memory:
        report = run_plan(Run(plan=plan, sink=LocalSink(tmp_path), memory=memory), remote_of(transport, ONE))
        memory.finish(lambda known: True)
    assert [o.status for o in report.outcomes] == [Status.SKIPPED] * 5
    assert report.bytes_moved == 0
    assert hidden(tmp_path) == []


class TestOwnership:
    UPLOAD = Upload(key="a", token={})

    def test_a_live_process_keeps_its_journal(self, tmp_path):
        first = Journal(tmp_path, keep=True)
        first.open(self.UPLOAD)
        assert not owner.claim(Folder.named(str(tmp_path)), ".journal", ".taken", time.time)
        assert Journal(tmp_path, keep=True).surplus() == []

    def test_a_dead_process_loses_it_to_one_other_only(self, tmp_path):
        child = os.fork()
        if child == 0:
            Journal(tmp_path, keep=True).open(self.UPLOAD)
            os._exit(0)
        os.waitpid(child, 0)
        first, second = Journal(tmp_path, keep=True), Journal(tmp_path, keep=True)
        assert first.surplus() == [self.UPLOAD]
        assert second.surplus() == []

    def test_a_journal_that_was_given_back_is_free(self, tmp_path):
        first = Journal(tmp_path, keep=True)
        first.open(self.UPLOAD)
        first.close()
        assert Journal(tmp_path, keep=True).surplus() == [self.UPLOAD]

    def test_another_machines_journal_is_taken_only_when_it_is_old(self, tmp_path):
        journal = tmp_path / "0123456789ab-17-99-abcdef012345.journal"
        journal.write_bytes(records.line(records.opened("1", self.UPLOAD)))
        assert Journal(tmp_path, keep=True).surplus() == []
        os.utime(journal, (1, 1))
        assert Journal(tmp_path, keep=True).surplus() == [self.UPLOAD]

    def test_a_journal_that_cannot_be_written_does_not_fail_the_run(self, tmp_path, caplog):
        (tmp_path / "file").write_text("")
        journal = Journal(tmp_path / "file" / "below", keep=True)
        journal.open(self.UPLOAD)
        journal.open(self.UPLOAD)
        assert sum("cannot be resumed" in r.getMessage() for r in caplog.records) == 1


CUT = (Part(number=1, start=0, stop=1),)


class TestUploadsThatNobodyCanGoOnWith:
    UPLOAD = Upload(key="a", token={"part": "x"})

    def killed(self, folder):
        """What a process leaves that is killed: one upload under way, one that it has ended before."""
        child = os.fork()
        if child == 0:
            journal = Journal(folder, keep=True)
            done = journal.open(Upload(key="b", token={}))
            journal.end(done)
            journal.end(journal.open(Upload(key="c", token={})))
            journal.open(self.UPLOAD)
            os._exit(0)
        os.waitpid(child, 0)

    def test_the_next_run_aborts_them(self, tmp_path):
        self.killed(tmp_path)
        assert Journal(tmp_path, keep=True).surplus() == [self.UPLOAD]

    @pytest.mark.parametrize("keep", [True, False])
    def test_a_run_that_does_not_come_to_it_leaves_them_to_the_one_after(self, tmp_path, keep):
        self.killed(tmp_path)
        Journal(tmp_path, keep=keep).close()
        journal = Journal(tmp_path, keep=True)
        assert journal.surplus() == [self.UPLOAD]
        journal.close()
        assert not tmp_path.exists()

    def test_what_is_under_way_when_a_run_ends_is_left_to_the_next(self, tmp_path):
        journal = Journal(tmp_path, keep=False)
        number = journal.open(self.UPLOAD)
        assert journal.loose == [(number, self.UPLOAD)]
        journal.close()
        assert Journal(tmp_path, keep=False).surplus() == [self.UPLOAD]

    def test_what_was_ended_is_forgotten(self, tmp_path):
        journal = Journal(tmp_path / "state", keep=False)
        journal.end(journal.open(self.UPLOAD))
        journal.close()
        assert not (tmp_path / "state").exists()

    def test_without_a_folder_nothing_piles_up(self):
        journal = Journal(None, keep=True)
        for _ in range(3):
            journal.end(journal.open(self.UPLOAD))
        assert journal.loose == []
        assert journal._ended == []

    def test_an_unfinished_upload_of_a_name_that_has_landed_since_is_aborted(self, tmp_path):
        first = Journal(tmp_path, keep=True)
        first.begin(Entry(identity="i", upload=self.UPLOAD, size=1, validator='"v"', at=time.time(), cut=CUT))
        first.close()
        second = Journal(tmp_path, keep=True)
        assert second.leftovers(frozenset()) == []
        assert second.leftovers(frozenset({"a"})) == [self.UPLOAD]


def test_unknown_partial_files_are_removed_after_two_weeks(tmp_path):
    hidden = tmp_path / ".splashdown"
    hidden.mkdir()
    for name, age in (("0a-1.part", 0), ("0b-1.part", 1_300_000), ("thesis.part", 1_300_000)):
        (hidden / name).touch()
        os.utime(hidden / name, (time.time() - age,) * 2)
    LocalSink(tmp_path).close()
    assert sorted(path.name for path in hidden.iterdir()) == ["0a-1.part", "thesis.part"]


#: Names, tokens and ETags as they are in journals: they lead nowhere but below the target.
names = st.text(st.characters(codec="utf-8", exclude_characters="/.\0"), min_size=1, max_size=8)
etags = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=8)


@st.composite
def entries(draw):
    steps = draw(st.lists(st.integers(1, 1000), min_size=1, max_size=6))
    bounds = [sum(steps[:n]) for n in range(len(steps) + 1)]
    parts = tuple(Part(number=n + 1, start=bounds[n], stop=bounds[n + 1]) for n in range(len(steps)))
    held = draw(st.lists(st.sampled_from(parts), unique=True))
    return Entry(
        identity=draw(st.uuids()).hex,
        upload=Upload(key=draw(names), token=draw(st.dictionaries(names, names, max_size=3))),
        size=bounds[-1],
        validator=draw(etags),
        at=draw(st.floats(0, 2e9)),
        cut=parts,
        parts=[StoredPart(part=p, tag=draw(names)) for p in held],
    )


loose = st.builds(Upload, key=names, token=st.dictionaries(names, names, max_size=3))


@given(st.lists(entries(), max_size=4), st.lists(loose, max_size=4))
def test_a_journal_says_what_was_written(uploads, surplus):
    rest = records.Replayed(entries={e.identity: e for e in uploads}, surplus=surplus)
    again = records.replay([records.line(r) for r in records.rewritten(rest)])
    assert again.entries == rest.entries
    assert again.surplus == surplus


@given(st.lists(entries(), min_size=1, max_size=3), st.data())
def test_a_torn_journal_never_claims_more_than_the_whole_one(uploads, data):
    rest = records.Replayed(entries={e.identity: e for e in uploads})
    whole = b"".join(records.line(r) for r in records.rewritten(rest))
    torn = whole[: data.draw(st.integers(0, len(whole)))]
    again = records.replay(torn.splitlines(keepends=True))
    assert records.replay(whole.splitlines(keepends=True)).entries == rest.entries
    for identity, entry in again.entries.items():
        full = rest.entries[identity]
        assert entry.upload == full.upload
        assert entry.cut == full.cut
        assert entry.parts == full.parts[: len(entry.parts)]


@given(st.lists(st.binary(max_size=60), max_size=10))
def test_garbage_in_a_journal_is_ignored(lines):
    found = records.replay(lines)
    assert found.entries == {}


@given(st.lists(st.sampled_from(["begin", "open", "part", "end", "stored", "x"]), max_size=8), st.data())
def test_records_with_wrong_fields_are_ignored(kinds, data):
    import json

    junk = st.none() | st.integers() | names | st.lists(st.integers(), max_size=3)
    lines = [
        json.dumps(
            {"do": kind, **{f: data.draw(junk) for f in ("id", "of", "name", "token", "size", "cut", "n")}}
        ).encode()
        for kind in kinds
    ]
    assert records.replay(lines).entries == {}
    assert records.replay(lines).surplus == []


def test_two_processes_on_one_target_do_not_disturb_each_other(tmp_path):
    body = Body(DATA)
    first, second = LocalSink(tmp_path), LocalSink(tmp_path)
    plan = plan_of({"http://h/a.bin": body})
    plan = replace(plan, transfers=tuple(replace(t, if_exists=IfExists.OVERWRITE) for t in plan.transfers))
    transport = ScriptedTransport({"http://h/a.bin": body}, 300)
    inner = []

    def meanwhile(request):
        if not inner:
            inner.append(run_plan(Run(plan=plan, sink=second), remote_of(transport, ONE)))

    body.faults = [meanwhile]
    outer = run_plan(Run(plan=plan, sink=first), remote_of(transport, ONE))
    assert outer.ok
    assert inner[0].ok
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_room_is_needed_only_for_what_is_not_there_yet(tmp_path):
    class Small(LocalSink):
        def free_space(self):
            return len(DATA) - 12_000

    body = Body(DATA)
    plan = plan_of({"http://h/a.bin?sig=SECRET": body}, size=len(DATA))
    with pytest.raises(StoreError, match="free"):
        run(body, Small(tmp_path), plan=plan)
    interrupted(tmp_path, body)
    outcome, _ = run(body, Small(tmp_path), plan=plan)
    assert outcome.checksum == sha256(DATA)
