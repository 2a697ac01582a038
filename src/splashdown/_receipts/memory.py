"""The memory of one target while a run is active: what receipts and fragments say, and the run's own fragment.

``docs/explanation/target.md`` says why this order of reading, writing and removing loses nothing, whoever is killed.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from splashdown._foreign.calls import Tolerated, close
from splashdown._receipts.fragments import Candidates, Fragment, storing_line, unite, unstored_line
from splashdown._receipts.names import NAMES, OTHER
from splashdown._receipts.notes import Notes, notes_of
from splashdown._receipts.packed_records import Records, pack
from splashdown._receipts.reading import TargetRecords, read_all_receipts, read_receipts
from splashdown.checksums import hash_of, same
from splashdown.errors import SplashdownError
from splashdown.model import Member, Stored, StoredRecord
from splashdown.protocols import Sink, SupportsRead, SupportsStat
from splashdown.redact import redact_target

_log = logging.getLogger("splashdown")

#: How often the notes of others are looked through again while a file is waited for.
_LOOK_SECONDS = 0.2
#: How often two runs that end at once look at each other before they leave the rest to the next.
_ROUNDS = 4
#: Room that is kept for a receipt: of the document, and of each asset in it.
_RESERVED_BYTES, _RESERVED_EACH = 256 * 1024, 2 * 1024


class TargetMemory:
    """The records of a target. The sink belongs to the caller; close the memory before it.

    ``parts`` are the sources that have a receipt in the target, each in its folder. ``writes`` says that this run will
    store files: it has a fragment of its own then.
    """

    def __init__(self, sink: Sink, parts: Sequence[Member] = (), *, target: str = "", writes: bool = True) -> None:
        self._sink, self._parts, self._target = sink, parts, redact_target(target) if target else "the target"
        self._notes: Notes | None = notes_of(sink)
        self._writes = writes and self._notes is not None
        self._lock = threading.Lock()
        self._looked = -math.inf  #: when the notes of others were last looked through
        self._others: tuple[Mapping[str, Fragment], bool] = ({}, False)  #: what they said, and whether one is active
        self._contested: Candidates = {}  #: what other runs have noted of names, while this one was active
        self._patience: float | None = None  #: until when names that are in no note are waited for
        self._stored = 0  #: files in this run's fragment
        self._told = False
        self._adopted: set[str] = set()  #: fragments of this run's workers, whose outcomes are in its report
        self.alone = True  #: whether no other run is active, as far as the fragments said when they were read last
        self.documents: tuple[str, ...] = ()  #: names of the receipts that were read
        # Before anything is read: whoever sees no fragment of this run has written all that this run will read.
        if self._notes is not None and self._writes:
            self._notes.begin()
        try:
            fragments = self._fragments()
            # Whether others have been here while this run was active: perhaps, where it could not say that it is.
            self._shared = bool(fragments) or (self._writes and not self.fragment)
            self._known: Records = self._chosen(fragments)
        except SplashdownError:  # this run ends: the next one need not wait for it
            self.close()
            raise
        if self._notes is not None and self._writes and parts:
            self._notes.reserve(_RESERVED_BYTES + _RESERVED_EACH * sum(len(part.results.assets) for part in parts))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def recorded(self) -> Mapping[str, StoredRecord]:
        """What was stored under each name, by any run. It grows while others store files."""
        return self._known

    @property
    def notes_are_dear(self) -> bool:
        """Whether noting a file costs a request, so that several should share one."""
        return self._writes and self._notes is not None and self._notes.dear

    def storing(self, records: Mapping[str, StoredRecord]) -> None:
        """Note by name, just before the first of some files gets its name, what each will be."""
        if self._notes is not None and self._writes:
            with self._lock:
                self._stored += len(records)
            at = self._notes.now()
            self._notes.append(*[storing_line(name, record, at) for name, record in records.items()])

    def unstored(self, name: str) -> None:
        """Note that it did not get its name."""
        if self._notes is not None and self._writes:
            with self._lock:
                self._stored -= 1
            self._notes.append(unstored_line(name))

    @property
    def fragment(self) -> str:
        """The name of this run's own fragment; empty where it has none."""
        return self._notes.name if self._notes is not None and self._writes else ""

    def adopt(self, fragment: str) -> None:
        """Take the fragment of a worker of this run, whose outcomes are known, for one's own."""
        self._adopted.add(fragment)

    def update(self, names: Iterable[str]) -> None:
        """Read what workers that were lost have noted of names."""
        if self._notes is None:
            return
        foreign = self._foreign(self._notes.read(self._adopted)[0])
        self._shared = True
        wanted = set(names)
        united = unite(*({n: one.stored[n] for n in wanted & one.stored.keys()} for one in foreign.values()))
        for name, candidates in united.items():
            before = self._known.get(name)
            every = unite({name: candidates}, {name: [before] if before else []})[name]
            self._known[name] = choose(self._sink, name, every)

    def _foreign(self, fragments: Mapping[str, Fragment]) -> dict[str, Fragment]:
        return {name: one for name, one in fragments.items() if name not in self._adopted}

    def beat(self) -> None:
        """Show others that this run is active; called a few times a second."""
        if self._notes is not None and self._writes:
            with Tolerated():  # what waits to be written is written with the next beat
                self._notes.beat()

    def look_again(self, name: str, wait: Callable[[float], bool]) -> bool:
        """Whether another run has noted something about a name since; ``wait`` sleeps, and is true when the run stops.

        A run notes a file before it gets its name, so that one look is enough, unless the store has refused the note.
        For those this waits while another run is active: once a run, not for each of thousands of unknown files.
        """
        if self._notes is None:
            return False
        while True:
            found, active = self._look(name, time.monotonic())
            if self._patience is None:
                self._patience = time.monotonic() + 2 * self._notes.step
            if found or not active or time.monotonic() > self._patience or wait(_LOOK_SECONDS):
                return found

    def finish(self, write: Callable[[Mapping[str, StoredRecord]], bool], *, whole: bool = True) -> None:
        """Write the receipt, and remove the fragments that are in it unless another run is active.

        ``write`` gets all that is known, as :attr:`recorded`; it returns whether it wrote a receipt. Without one, a run
        that did not store everything (``whole``) leaves its fragment, for the next run to know its own files.
        """
        if self._notes is None or not self._writes:
            write(self._known)
            return
        self._notes.release()
        for _ in range(_ROUNDS):
            fragments, others = self._notes.read(self._adopted)
            foreign = self._foreign(fragments)
            self._contested = unite(*(fragment.stored for fragment in foreign.values()))
            self._tell(active=others)
            seen = self._notes.seen()
            if foreign or self._shared:  # else no other run has written a receipt since they were read
                self._shared = True
                self._known = self._chosen(foreign)
            written = write(self._known)
            if not written:
                self._forget(fragments, whole=whole)
                return
            active = self._notes.read(self._adopted)[1]
            # One that was killed since may have given names to files that the receipt was written without.
            if not others and not active and self._notes.seen() == seen:
                self._notes.drop([*fragments])
                return
            self._shared = True
            if active:
                self._notes.leave()
                # Of two runs that end at once one sees here that it is the last.
                if self._notes.read(self._adopted)[1] or not self._notes.retake():
                    return

    @property
    def contested(self) -> Candidates:
        """The names that other runs have noted since the receipt was last written, with what they noted."""
        return self._contested

    def actual(self, name: str, own: StoredRecord) -> StoredRecord:
        """The record of what has a name that this run has stored, and another run perhaps after it."""
        others = self._contested.get(name)
        return choose(self._sink, name, unite({name: others}, {name: own})[name]) if others else own

    def _forget(self, fragments: Mapping[str, Fragment], *, whole: bool) -> None:
        """Remove what no later run needs, where no receipt was written."""
        assert self._notes is not None
        needed = not whole or self._is_described()
        if self._stored and needed:
            return
        # Once all is stored, nothing has to be known of it: files without a receipt are not managed.
        empty = [name for name, one in self._foreign(fragments).items() if not one.stored]
        self._notes.drop(() if self._notes.read(self._adopted)[1] else [*fragments] if not needed else empty)

    def close(self) -> None:
        """Give back what is open. What this run stored stays noted, unless ``finish`` has united it."""
        if self._notes is not None:
            with Tolerated():  # the run is over, and its report is worth more
                if self._writes and not self._stored:
                    self._notes.drop(())  # an empty fragment helps no run
            close(self._notes)

    def _fragments(self) -> dict[str, Fragment]:
        if self._notes is None:
            return {}
        fragments, active = self._notes.read()
        self._tell(active=active)
        return fragments

    def _chosen(self, fragments: Mapping[str, Fragment]) -> Records:
        """Of all fragments and receipts; the receipts are read last, because what leaves a fragment is in one then."""
        receipts = [*self._receipts()]
        if not fragments and len(receipts) == 1:
            return pack(receipts[0])
        united = unite(*(fragment.stored for fragment in fragments.values()), *receipts)
        return {name: choose(self._sink, name, candidates) for name, candidates in united.items()}

    def _receipts(self) -> Iterator[Mapping[str, StoredRecord]]:
        self.documents = ()
        for part in self._parts:
            found = read_receipts(self._sink, part.prefix)
            self.documents += tuple(part.prefix + name for name in found.documents)
            yield part.united_records(found.records)

    def _look(self, name: str, asked: float) -> tuple[bool, bool]:
        assert self._notes is not None
        with self._lock:
            if self._looked < asked:  # else another thread has looked while this one waited for it
                self._looked = time.monotonic()
                self._others = self._notes.read(self._adopted)
            fragments, active = self._others
            self._tell(active=active)
            before = self._known.get(name)
            candidates = (
                unite(*({name: one.stored.get(name, ())} for one in fragments.values()))[name] if fragments else ()
            )
            if not candidates:
                return False, active
            after = choose(self._sink, name, unite({name: candidates}, {name: [before] if before else []})[name])
            self._known[name] = after
            return after != before, active

    def _is_described(self) -> bool:
        """Whether a receipt of an earlier run describes files here, so that what this run stored has to be known."""
        stat = self._sink.stat if isinstance(self._sink, SupportsStat) else None
        if stat is None:
            return False
        names = (part.prefix + name for part in self._parts for name in (*NAMES.values(), OTHER))
        with suppress(OSError, SplashdownError):
            return any(stat(name) is not None for name in names)
        return False

    def _tell(self, *, active: bool) -> None:
        self.alone = not active
        if active and self._writes and not self._told:
            self._told = True
            _log.warning(
                "another run is active in %s: what it has stored is not fetched again, and what both store is kept",
                self._target,
            )


def choose(sink: Sink, name: str, candidates: Sequence[StoredRecord]) -> StoredRecord:
    """Which candidate the file is: by its size, then by its checksum, else the newest."""
    if len(candidates) == 1 or not isinstance(sink, SupportsStat):
        return candidates[0]
    try:
        there = sink.stat(name)
    except (OSError, SplashdownError):
        there = None
    if there is None:
        return candidates[0]
    fitting = [one for one in candidates if one.size == there.size]
    if len({one.checksum for one in fitting}) < 2:
        return (fitting or candidates)[0]
    return next((one for one in fitting if _has(sink, name, there, one)), fitting[0])


def _has(sink: Sink, name: str, there: Stored, record: StoredRecord) -> bool:
    if record.checksum is None:
        return False
    if there.checksum is not None:
        return same(there.checksum, record.checksum)
    if not isinstance(sink, SupportsRead):
        return False
    try:
        with sink.read(name) as chunks:
            digest = hash_of(chunks, record.checksum)
    except (OSError, SplashdownError):
        return False
    return digest is not None and same(digest, record.checksum)


def read_target(sink: Sink, *, everywhere: bool = False) -> TargetRecords:
    """What receipts and fragments say, without a run; ``everywhere`` asks for receipts in every folder below."""
    notes = notes_of(sink)
    fragments: Mapping[str, Fragment] = {}
    if notes is not None:
        try:
            fragments, _ = notes.read()
        finally:
            notes.close()
    found = read_all_receipts(sink) if everywhere else read_receipts(sink)
    if not fragments:
        return found
    united = unite(*(one.stored for one in fragments.values()), found.records)
    records = {name: choose(sink, name, candidates) for name, candidates in united.items()}
    return TargetRecords(documents=found.documents, records=records, noted=frozenset(records.keys() - found.records))
