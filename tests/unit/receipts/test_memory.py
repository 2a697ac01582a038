"""What several runs note in one target is united without a loss, whoever ends first and whoever is killed."""

from __future__ import annotations

import itertools
import json
import os
import random
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splashdown._receipts import document as receipt
from splashdown._receipts import memory, object_notes
from splashdown._receipts.checking import verify_target
from splashdown._receipts.fragments import Fragment, storing_line, unite, unstored_line
from splashdown._receipts.memory import TargetMemory, choose, read_target
from splashdown._receipts.worker_memory import WorkerMemory
from splashdown.actions import State
from splashdown.builtins.local import LocalSink
from splashdown.builtins.memory import MemorySink
from splashdown.errors import StoreError
from splashdown.model import Asset, Member, Outcome, ResultSet, Status, StoredRecord, Transfer

NAMES = [f"{n}.bin" for n in range(6)]
RESULTS = ResultSet(
    id="c",
    kind="collection",
    assets=tuple(Asset(key=name, href=f"https://host.example/{name}") for name in NAMES),
    document={"type": "Collection", "id": "c"},
)
PARTS = [Member(folder="", results=RESULTS)]

records = st.builds(
    StoredRecord,
    size=st.integers(0, 3),
    checksum=st.sampled_from([None, "1220" + "aa" * 32, "1220" + "bb" * 32]),
    validator=st.sampled_from([None, '"1"']),
    identity=st.tuples(st.none(), st.sampled_from("ab")),
    written_at=st.sampled_from([1.0, 2.0, 3.0]),
    version=st.sampled_from([None, "1", "2"]),
)
lines = st.lists(st.tuples(st.sampled_from(NAMES[:3]), records), max_size=5)


def fragment(noted):
    made = Fragment()
    made.add(storing_line(name, record, record.written_at) for name, record in noted)
    return made


@given(st.lists(lines, max_size=4), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_the_union_depends_neither_on_order_nor_on_repetition(runs, draw):
    sources = [fragment(noted).stored for noted in runs]
    whole = unite(*sources)
    shuffled = [*sources, *draw.sample(sources, k=len(sources) // 2)]
    draw.shuffle(shuffled)
    assert unite(*shuffled) == whole
    assert unite(unite(*sources[:2]), unite(*sources[2:])) == whole
    noted = {(name, record.size, record.checksum) for one in runs for name, record in one}
    assert {(name, one.size, one.checksum) for name, found in whole.items() for one in found} == noted


@given(lines, st.integers(0, 2000))
@settings(max_examples=25, deadline=None)
def test_a_torn_fragment_says_a_beginning_of_the_whole_one(noted, at):
    data = b"".join(storing_line(name, record, record.written_at) for name, record in noted)
    torn = Fragment()
    torn.add(line for line in data[:at].splitlines(keepends=True) if line.endswith(b"\n"))
    count = data[:at].count(b"\n")
    assert torn.stored == fragment(noted[:count]).stored


def test_a_file_that_did_not_get_its_name_is_not_noted():
    record = StoredRecord(size=1, identity=(None, "a"))
    made = Fragment()
    made.add([storing_line("a", record, 1.0), unstored_line("a")])
    assert made.stored == {}


class Run:
    """One run in this process: it notes, stores, and at its end writes the receipt, or dies before that."""

    def __init__(self, sink, names):
        self.sink, self.names, self.landed = sink, list(names), []
        self.memory = TargetMemory(sink, PARTS)

    def step(self):
        name = self.names.pop()
        record = StoredRecord(size=1, checksum="1220" + "cc" * 32, identity=(None, name), written_at=1.0)
        self.memory.storing({name: record})
        receipt.store_bytes(self.sink, name, b"x", "")
        asset = next(one for one in RESULTS.assets if one.key == name)
        transfer = Transfer(asset=asset, name=name)
        self.landed.append(
            Outcome(transfer=transfer, status=Status.STORED, location=name, size=1, checksum=record.checksum)
        )

    def finish(self):
        def write(known):
            moved = {one.transfer.name for one in self.landed}
            kept = {name: record for name, record in known.items() if name not in moved}
            receipt.write(self.sink, "collection.json", receipt.receipt_document(RESULTS, self.landed, kept))
            return True

        self.memory.finish(write)
        self.memory.close()

    def die(self):
        self.memory.close()


@pytest.fixture(params=["folder", "objects"])
def sink(request, tmp_path, monkeypatch):
    monkeypatch.setattr(object_notes, "STEP_SECONDS", 0.0)  # every line is a step of its own
    return LocalSink(tmp_path / "out") if request.param == "folder" else MemorySink()


def known(sink):
    return set(read_target(sink).records)


@pytest.mark.parametrize("seed", range(6))
def test_runs_that_interleave_and_die_lose_no_file(sink, seed):
    draw = random.Random(seed)
    left, active, stored = [*NAMES], [], set()
    draw.shuffle(left)
    while left or active:
        if left and (not active or draw.random() < 0.4):
            count = draw.randint(1, 2)
            active.append(Run(sink, left[:count]))
            del left[:count]
            continue
        run = draw.choice(active)
        if run.names and draw.random() < 0.8:
            stored.add(run.names[-1])
            run.step()
        else:
            active.remove(run)
            (run.die if draw.random() < 0.3 else run.finish)()
        assert known(sink) == stored
    Run(sink, []).finish()
    document = json.loads(b"".join(read(sink, "collection.json")))
    described = {entry["href"][2:] for entry in document["assets"].values() if "splashdown:key" in entry}
    assert described == stored


def read(sink, name):
    with sink.read(name) as chunks:
        return [bytes(chunk) for chunk in chunks]


def test_a_store_knows_each_file_before_it_has_its_name():
    sink = MemorySink()  # with the steps of a real store, not those of the fixture
    run = Run(sink, NAMES)
    while run.names:
        run.step()
        assert known(sink) == set(NAMES) - set(run.names)


def test_verify_does_not_miss_what_a_killed_run_has_only_noted(sink):
    run = Run(sink, NAMES[:1])
    run.step()
    run.memory.storing({NAMES[1]: StoredRecord(size=1, identity=(None, NAMES[1]), written_at=1.0)})
    assert [(one.name, one.state) for one in verify_target(sink, "target").files] == [(NAMES[0], State.CHANGED)]


def test_the_last_of_two_runs_leaves_one_document_and_nothing_else(sink):
    first, second = Run(sink, NAMES[:3]), Run(sink, NAMES[3:])
    for run in (first, second):
        while run.names:
            run.step()
    first.finish()
    assert known(sink) == set(NAMES)
    second.finish()
    sink.close()
    assert {name for name, _ in sink.list()} == {*NAMES, "collection.json"}
    if isinstance(sink, LocalSink):
        assert not (sink.root / ".splashdown").exists()


def test_a_run_that_starts_late_reads_what_an_earlier_one_has_left(sink):
    first, second = Run(sink, NAMES[:1]), Run(sink, [])
    first.step()
    first.finish()
    assert NAMES[0] not in second.memory.recorded
    assert second.memory.look_again(NAMES[0], lambda seconds: False)
    assert second.memory.recorded[NAMES[0]].size == 1


def test_a_process_that_dies_leaves_a_fragment_that_the_next_run_unites(tmp_path):
    child = os.fork()
    if child == 0:
        run = Run(LocalSink(tmp_path), NAMES[:2])
        run.step()
        os._exit(0)
    os.waitpid(child, 0)
    assert known(LocalSink(tmp_path)) == {NAMES[1]}
    Run(LocalSink(tmp_path), []).finish()
    assert not (tmp_path / ".splashdown").exists()
    assert known(LocalSink(tmp_path)) == {NAMES[1]}


def test_the_file_says_which_of_several_candidates_it_is():
    sink = MemorySink()
    receipt.store_bytes(sink, "a", b"old", "")
    old = StoredRecord(size=3, checksum=multihash(b"old"), written_at=1.0)
    for new in (b"newer", b"new"):
        other = StoredRecord(size=len(new), checksum=multihash(new), written_at=2.0)
        for order in itertools.permutations([old, other]):
            (candidates,) = unite({"a": order}).values()
            assert choose(sink, "a", candidates).checksum == old.checksum


def multihash(data):
    import hashlib

    return "1220" + hashlib.sha256(data).hexdigest()


def test_a_line_says_that_another_run_is_active(sink, caplog):
    first = Run(sink, [])
    assert "active" not in caplog.text
    second = Run(sink, [])
    assert caplog.text.count("another run is active") == 1
    second.finish()
    first.finish()


def test_files_that_no_run_has_noted_are_waited_for_once_a_run(monkeypatch):
    clock, waited = itertools.count(), []
    ticks = [0.0]

    def now():
        return ticks[0] + next(clock) * 1e-6

    def wait(seconds):
        ticks[0] += seconds
        waited.append(seconds)
        return False

    monkeypatch.setattr(memory, "time", SimpleNamespace(monotonic=now))
    store = MemorySink()
    other, run = Run(store, NAMES[:1]), TargetMemory(store, PARTS)
    for number in range(50):
        assert not run.look_again(f"foreign-{number}", wait)
    assert 0 < sum(waited) <= 3 * object_notes.STEP_SECONDS
    before = sum(waited)
    other.step()
    assert run.look_again(NAMES[0], wait)
    assert not run.look_again("foreign", wait)
    assert sum(waited) == before


class Refusing(MemorySink):
    """Refuses to store objects, for a while."""

    refuses = False

    def begin(self, key, content):
        if self.refuses:
            raise StoreError("cannot store: try again")
        return super().begin(key, content)


def test_a_run_that_could_not_say_that_it_is_active_overwrites_no_receipt():
    store = Refusing()
    store.refuses = True
    unseen = Run(store, NAMES[:1])
    store.refuses = False
    other = Run(store, NAMES[1:2])
    other.step()
    other.finish()
    unseen.step()
    unseen.finish()
    assert known(store) == {*NAMES[:2]}


class Counting(MemorySink):
    """Notes which objects are read."""

    def __init__(self):
        super().__init__()
        self.was_read = []

    def read(self, key):
        self.was_read.append(key)
        return super().read(key)


def test_notes_of_a_worker_that_has_returned_are_removed_and_not_read():
    sink = Counting()
    with TargetMemory(sink, PARTS) as coordinator:
        for name, returned in (("0.bin", True), ("1.bin", False)):
            with WorkerMemory(sink, {}) as worker:
                worker.storing({name: StoredRecord(size=1, checksum=None, validator=None, identity=(None, name))})
            if returned:
                coordinator.adopt(worker.fragment)
                adopted = worker.fragment
        sink.was_read.clear()
        known = []
        coordinator.finish(lambda records: bool(known.append(dict(records))) or True)
    assert not any(adopted in key for key in sink.was_read)
    assert known[-1].keys() == {"1.bin"}  # of a worker that was lost; the other's file is in the report
    assert not any(key.endswith(".records") for key in sink.store)
