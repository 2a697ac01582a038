"""Runs on one target whose steps are mixed in any order and which are killed at any step: no file is forgotten.

A step is one system call in the target's folders, or one request to the store. Each run has a thread, and only one of
them moves at a time: which one, Hypothesis decides.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import tempfile
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splashdown._folders import owner
from splashdown._folders.folder import Folder
from splashdown._receipts import document as receipt
from splashdown._receipts import object_notes
from splashdown._receipts.checking import verify_target
from splashdown._receipts.folder_notes import FolderNotes
from splashdown._receipts.memory import TargetMemory, read_target
from splashdown.actions import State
from splashdown.builtins.local import LocalSink
from splashdown.builtins.memory import MemorySink
from splashdown.model import Asset, Member, Outcome, ResultSet, Status, StoredRecord, Transfer

NAMES = [f"{number}.bin" for number in range(5)]
RESULTS = ResultSet(
    id="c",
    kind="collection",
    assets=tuple(Asset(key=name, href=f"https://host.example/{name}") for name in NAMES),
    document={"type": "Collection", "id": "c"},
)
PARTS = [Member(folder="", results=RESULTS)]
#: Longer than any run takes: such a run is not killed.
NEVER = 10_000
#: A number that no process has.
DEAD = 2**31


class Killed(BaseException):
    """The process is no more: nothing catches this, and nothing else happens in its thread."""


class Scheduler:
    """Lets one thread at a time go on to its next step."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: set[Run] = set()
        self._going: Run | None = None
        self._mine = threading.local()

    def step(self, made: Iterable[str] = ()) -> None:
        """Wait for the turn of this thread's run, which may make files then; outside of runs nothing waits."""
        run: Run | None = getattr(self._mine, "run", None)
        if run is None:
            return
        run.files.update(made)
        run.steps += 1
        if run.steps > run.lives:
            raise Killed
        with self._changed:
            self._waiting.add(run)
            if self._going is run:
                self._going = None
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._going is run)

    def play(self, runs: list[Run], order: list[int]) -> None:
        """Until all have ended: the next is the one that ``order`` says, of those that are left."""
        threads = [threading.Thread(target=self._live, args=(run,), daemon=True) for run in runs]
        for thread in threads:
            thread.start()
        number = 0
        while able := self._able(runs):
            with self._changed:
                self._going = able[order[number % len(order)] % len(able)]
                self._waiting.discard(self._going)
                self._changed.notify_all()
            number += 1
        for thread in threads:
            thread.join()

    def _able(self, runs: list[Run]) -> list[Run]:
        """Those that can go on, once none is between two steps."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._going is None and all(run in self._waiting or run.over for run in runs)
            )
            return [run for run in runs if not run.over]

    def _live(self, run: Run) -> None:
        self._mine.run = run
        try:
            run.live()
        except Killed:
            self._mine.run = None
            run.bury()
        except BaseException as error:
            run.error = error
        finally:
            with self._changed:
                run.over = True
                if self._going is run:
                    self._going = None
                self._changed.notify_all()


class Store(MemorySink):
    """A store each of whose requests is a step."""

    def __init__(self, store, scheduler):
        super().__init__(store)
        self.scheduler = scheduler

    def commit(self, upload, tags):
        self.scheduler.step()
        return super().commit(upload, tags)

    def stat(self, key):
        self.scheduler.step()
        return super().stat(key)

    def read(self, key):
        self.scheduler.step()
        return super().read(key)

    def list(self, prefix=""):
        self.scheduler.step()
        return iter([*super().list(prefix)])

    def delete(self, key):
        self.scheduler.step()
        super().delete(key)


@dataclass(eq=False)
class Run:
    """One process: it begins, stores its files, and writes the receipt; ``lives`` steps long at most."""

    sink: object
    names: tuple[str, ...]
    lives: int
    stored: set[str] = field(default_factory=set)
    steps: int = 0
    over: bool = False
    error: BaseException | None = None
    files: set[str] = field(default_factory=set)  #: names of hidden files that it has made

    def live(self):
        memory = TargetMemory(self.sink, PARTS)
        landed = []
        for name in self.names:
            data = name.encode()
            digest = "1220" + hashlib.sha256(data).hexdigest()
            memory.storing({name: StoredRecord(size=len(data), checksum=digest, identity=(None, name))})
            receipt.store_bytes(self.sink, name, data, "")
            self.stored.add(name)
            transfer = Transfer(asset=next(one for one in RESULTS.assets if one.key == name), name=name)
            landed.append(
                Outcome(transfer=transfer, status=Status.STORED, location=name, size=len(data), checksum=digest)
            )

        def write(known):
            if not landed:
                return False
            kept = {name: record for name, record in known.items() if name not in self.names}
            receipt.write(self.sink, "collection.json", receipt.receipt_document(RESULTS, landed, kept))
            return True

        memory.finish(write)
        memory.close()
        self.sink.close()

    def bury(self):
        """Others see that the process is dead: on disk by its number, in a store after a while."""
        if isinstance(self.sink, MemorySink):
            return
        for path in (self.sink.root / ".splashdown").glob("*"):
            found = re.fullmatch(r"([0-9a-f]{12})-\d+-\d+-([0-9a-f]{12})(\..*)", path.name)
            if found and path.name in self.files:
                path.rename(path.with_name(f"{found[1]}-{DEAD}-1-{found[2]}{found[3]}"))


def age(store):
    """Two minutes go by in which nobody writes."""
    for name, data in store.items():
        if name.startswith(".splashdown/"):
            store[name] = re.sub(rb'("do":"alive","at":)[0-9.e+]+', rb"\g<1>1.0", data)


def described(sink):
    with sink.read("collection.json") as chunks:
        document = json.loads(b"".join(bytes(chunk) for chunk in chunks))
    return {entry["href"][2:] for entry in document["assets"].values() if "splashdown:key" in entry}


def check(look, left, runs):
    """All that got its name is known before and after a last run, which leaves one document and nothing else."""
    assert [run.error for run in runs if run.error is not None] == []
    stored = set().union(*(run.stored for run in runs))
    known = read_target(look()).records
    assert stored <= set(known)
    states = {one.name: one.state for one in verify_target(look(), "target").files} if known else {}
    assert {name: states[name] for name in stored} == dict.fromkeys(stored, State.OK)
    Run(look(), (NAMES[-1],), NEVER).live()
    assert stored | {NAMES[-1]} <= described(look())
    assert left() == []


lives = st.sampled_from([NEVER, NEVER]) | st.integers(1, 60)
processes = st.lists(
    st.tuples(st.lists(st.sampled_from(NAMES[:-1]), min_size=1, max_size=2, unique=True), lives), min_size=2, max_size=4
)
orders = st.lists(st.integers(0, 3), min_size=1, max_size=120)


@given(processes, orders, st.booleans())
@settings(max_examples=60, deadline=None)
def test_in_a_store_no_order_of_requests_loses_a_file(planned, order, late):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(object_notes, "_GONE_WAITS", (0.0, 0.0))  # time does not pass here
        in_a_store(planned, order, late=late)


def in_a_store(planned, order, *, late):
    scheduler, store = Scheduler(), dict[str, bytes]()
    runs = [Run(Store(store, scheduler), tuple(names), lives) for names, lives in planned]
    for batch in [runs[:1], runs[1:]] if late else [runs]:
        scheduler.play(batch, order)
        age(store)
    check(lambda: MemorySink(store), lambda: [name for name in store if name.startswith(".splashdown/")], runs)


@given(processes, orders, st.booleans())
@settings(max_examples=60, deadline=None)
def test_in_a_folder_no_order_of_system_calls_loses_a_file(planned, order, late):
    scheduler = Scheduler()
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as scratch:
        for owner_of, name in [
            *((Folder, name) for name in ("create", "open", "stat", "rename", "unlink", "rmdir", "scan", "child")),
            (FolderNotes, "_write"),
        ]:
            patch.setattr(owner_of, name, stepping(scheduler, getattr(owner_of, name)))
        root = Path(scratch) / "out"
        runs = [Run(LocalSink(root), tuple(names), lives) for names, lives in planned]
        for batch in [runs[:1], runs[1:]] if late else [runs]:
            scheduler.play(batch, order)
        hidden = root / ".splashdown"
        check(lambda: LocalSink(root), lambda: [*hidden.glob("*.records"), *hidden.glob("*.reserve")], runs)


def stepping(scheduler, method):
    def step(*arguments, **more):
        makes = method.__name__ in {"create", "rename"}
        scheduler.step(one for one in arguments if makes and isinstance(one, str))
        return method(*arguments, **more)

    return step


def test_a_name_of_a_dead_process_is_one_that_is_left_behind():
    name = f"{owner._machine()}-{DEAD}-1-{secrets.token_hex(6)}.records"
    assert owner.is_left_behind(name, 0.0, lambda: 0.0)
