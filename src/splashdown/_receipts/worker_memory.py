"""The memory of a worker's part of a run: it notes what it stores, and knows what its coordinator has sent.

The coordinator has read the receipts and the notes of other runs; it unites this worker's notes with its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from splashdown._foreign.calls import Tolerated, close
from splashdown._receipts.fragments import storing_line, unite, unstored_line
from splashdown._receipts.memory import choose
from splashdown._receipts.notes import Notes, notes_of
from splashdown.model import StoredRecord
from splashdown.protocols import Sink


class WorkerMemory:
    """Records of the files of one batch, and a fragment of its own. ``stopped`` ends the batch."""

    alone = False  # the other workers store files meanwhile

    def __init__(
        self, sink: Sink, recorded: Mapping[str, StoredRecord], stopped: Callable[[], bool] | None = None
    ) -> None:
        self._sink, self._stopped = sink, stopped
        self.recorded: dict[str, StoredRecord] = dict(recorded)
        self._notes: Notes | None = notes_of(sink)
        self._stored = 0
        self.fragment = ""  #: the name of the fragment, once it is closed
        if self._notes is not None:
            self._notes.begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._notes is None:
            return
        with Tolerated():
            if not self._stored:
                self._notes.drop(())  # an empty fragment helps no run
        close(self._notes)
        self.fragment = self._notes.name

    @property
    def notes_are_dear(self) -> bool:
        """Whether noting a file costs a request, so that several should share one."""
        return self._notes is not None and self._notes.dear

    def storing(self, records: Mapping[str, StoredRecord]) -> None:
        """Note by name, just before the first of some files gets its name, what each will be."""
        if self._notes is not None:
            self._stored += len(records)  # a count that is too low by a race is more than none
            at = self._notes.now()
            self._notes.append(*[storing_line(name, record, at) for name, record in records.items()])

    def unstored(self, name: str) -> None:
        """Note that it did not get its name."""
        if self._notes is not None:
            self._notes.append(unstored_line(name))

    def look_again(self, name: str, wait: Callable[[float], bool]) -> bool:  # noqa: ARG002 - the protocol's signature
        """Whether another worker, or another run, has noted something about a name."""
        if self._notes is None:
            return False
        fragments, _ = self._notes.read()
        found = [one.stored[name] for one in fragments.values() if name in one.stored]
        before = self.recorded.get(name)
        if not found:
            return False
        candidates = unite(*({name: records} for records in found), {name: [before] if before else []})[name]
        after = choose(self._sink, name, candidates)
        self.recorded[name] = after
        return after != before

    def beat(self) -> None:
        """Show others that this run is active; raises ``KeyboardInterrupt`` once the coordinator has stopped it."""
        if self._stopped is not None and self._stopped():
            raise KeyboardInterrupt
        if self._notes is not None:
            with Tolerated():
                self._notes.beat()
