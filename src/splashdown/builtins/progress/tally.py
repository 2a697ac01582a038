"""Counts files and bytes of a run, for the displays. Pure."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from splashdown._display.text import amount, counted, duration, readable, shared_start, total
from splashdown.columns import columns
from splashdown.events import Event, Progress, Retried, RunStarted, TransferFinished, TransferStarted, WorkersProgress
from splashdown.model import Outcome, Status

#: So many failures and retries of a large run have a line; then one line says that there are more.
MOST_TROUBLES = 50
MORE_TROUBLES = "more failures and retries are not shown here; the report has every failure"


@dataclass(slots=True)
class Moving:
    """A transfer under way, in bytes."""

    name: str
    size: int | None
    done: int = 0


class Tally:
    """Takes every event of a run; ``moving`` holds transfers under way by their ``id()``. ``clock`` is in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun = clock()
        self.files = 0  #: in the plan
        self.finished = 0
        self.failed = 0
        self.retried = 0  #: attempts that failed and were repeated
        self.size: int | None = None  #: bytes of the plan, if the metadata has the size of every asset
        self.moving: dict[int, Moving] = {}
        self.common = 0  #: how many characters at their beginning all names share
        self._waiting: dict[int, float] = {}  #: when a transfer tries again, by its ``id()``
        self._stored = self._over_the_wire = 0
        self._elsewhere = (0, 0)  #: files and bytes of batches that run on workers
        self._due = (0, 0)  #: the same of a batch that has ended, whose files are named one by one now

    def __call__(self, event: Event) -> None:
        """Take note of one event."""
        if isinstance(event, RunStarted):
            self._begun = self._clock()
            self.files = len(event.plan.transfers)
            self.size = total(columns(event.plan.transfers, "asset.size"))
            self.common = shared_start(columns(event.plan.transfers, "name"))
        elif isinstance(event, TransferStarted):
            self.moving[id(event.transfer)] = Moving(event.transfer.name, event.size, event.offset)
        elif isinstance(event, Progress):
            under_way = self.moving.setdefault(id(event.transfer), Moving(event.transfer.name, event.size))
            self._name(0, event.done - under_way.done)
            under_way.done, under_way.size = event.done, event.size
            self._waiting.pop(id(event.transfer), None)
        elif isinstance(event, Retried):
            self.retried += 1
            self._waiting[id(event.transfer)] = self._clock() + event.delay
        elif isinstance(event, TransferFinished):
            moved = self.moving.pop(id(event.outcome.transfer), None)
            self._name(1, (event.outcome.size or 0) - (moved.done if moved else 0))
            self._waiting.pop(id(event.outcome.transfer), None)
            self.finished += 1
            self.failed += is_failure(event.outcome)
            self._stored += event.outcome.size or 0
            self._over_the_wire += event.outcome.bytes_moved
        elif isinstance(event, WorkersProgress):
            files, size = self._elsewhere
            self._due = max(0, files - event.finished), max(0, size - event.done)
            self._elsewhere = event.finished, event.done

    def _name(self, files: int, size: int) -> None:
        """Count as named what was due, so that nothing counts twice, and the run never seems to go back."""
        due_files, due_bytes = self._due
        if due_files or due_bytes:
            self._due = max(0, due_files - files), max(0, due_bytes - max(0, size))

    @property
    def ended(self) -> int:
        """Files that have ended, also those that a worker has not named yet."""
        return self.finished + self._elsewhere[0] + self._due[0]

    @property
    def done(self) -> int:
        """Bytes that are at their destination, or on the way there."""
        return self._stored + self._unnamed + sum(each.done for each in self.moving.values())

    @property
    def _unnamed(self) -> int:
        return self._elsewhere[1] + self._due[1]

    @property
    def title(self) -> str:
        """The progress of the run: ``3 of 13 files, 1 failed``."""
        failed = f", {self.failed} failed" if self.failed else ""
        retried = f", {counted(self.retried, 'retry', 'retries')}" if self.retried else ""
        number = self.waiting
        waiting = f", {number} waiting" if number else ""
        return f"{self.ended} of {counted(self.files, 'file')}{failed}{retried}{waiting}"

    def title_within(self, width: int) -> str:
        """The progress and the files a second in so many characters; what matters less is left out."""
        whole = f"{self.title}, {self.files_a_second}"
        if len(whole) <= width:
            return whole
        title = f"{self.ended}/{counted(self.files, 'file')}"
        parts = {
            f"{self.failed} failed": self.failed,
            f"{self.waiting} waiting": self.waiting,
            f"{self._rate:.1f}/s": True,
            f"{self.retried} retried": self.retried,
        }
        for part, there in parts.items():
            if there and len(title) + len(part) + 2 <= width:
                title += f", {part}"
        return title

    @property
    def waiting(self) -> int:
        """Transfers that wait until they may try again."""
        now = self._clock()
        return sum(until > now for until in self._waiting.values())

    @property
    def speed(self) -> str:
        """Files and bytes a second since the run began: ``45.0 files/s, 20.1 MiB/s``."""
        elapsed = max(self._clock() - self._begun, 0.001)
        return f"{self.files_a_second}, {readable(self._moved() / elapsed)}/s"

    @property
    def files_a_second(self) -> str:
        """``45.0 files/s``."""
        return f"{self._rate:.1f} files/s"

    @property
    def _rate(self) -> float:
        return self.ended / max(self._clock() - self._begun, 0.001)

    @property
    def pace(self) -> str:
        """Speed, the time that has passed, and the time that is left as far as it is known."""
        elapsed = self._clock() - self._begun
        left = ""
        if 0 < self.ended < self.files:
            left = f", about {duration(elapsed / self.ended * (self.files - self.ended))} left"
        return f"{self.speed}, {duration(elapsed)}{left}"

    @property
    def state(self) -> str:
        """All of it in one line."""
        return f"{self.title}, {amount(self.done, self.size)}, {self.pace}"

    def _moved(self) -> int:
        return self._over_the_wire + self._unnamed + sum(each.done for each in self.moving.values())


def is_failure(outcome: Outcome) -> bool:
    """Whether the asset failed; a transfer that was stopped with the run did not."""
    return outcome.status is Status.FAILED


def summary(outcome: Outcome) -> str:
    """One line about the outcome of an asset."""
    name = outcome.transfer.name
    if outcome.status is Status.FAILED:
        return f"{name}: failed: {outcome.error_type}: {outcome.error}"
    if outcome.status is Status.NOT_TRIED:
        return f"{name}: not tried"
    if outcome.status is Status.SKIPPED:
        return f"{name}: skipped: {outcome.reason}"
    checked = f", checked by {' and '.join(outcome.verified)}" if outcome.verified else ", not verified"
    return f"{name}: stored, {readable(outcome.size)}{checked}"
