"""The values of a list of jobs, and of how each job ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from splashdown._display.text import counted, printable, readable
from splashdown.redact import redact, redact_target, safely_shown


class JobState(StrEnum):
    """How one job of a list ended."""

    LANDED = "landed"  #: all of its files are in the target, at least one of them since now
    PRESENT = "present"  #: all of its files were there already
    FAILED = "failed"  #: it failed at the back-end, could not be read, or not all of its files landed
    UNFINISHED = "unfinished"  #: it has no results yet
    REFUSED = "refused"  #: its row in the list cannot be used
    NOT_TRIED = "not_tried"  #: the run ended before it was its turn


#: States of jobs whose files are all in the target.
COMPLETE = frozenset({JobState.LANDED, JobState.PRESENT})


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ListedJob:
    """A row of a list: the id of a job, or a URL, and the folder that its files get below the target."""

    source: str
    row: int = 0  #: the line or row in the list, from 1; 0 where there was no list
    backend: str = ""  #: the name of its back-end, as the list has it
    title: str = ""
    folder: str = ""

    @property
    def label(self) -> str:
        """The job in messages: its id, or its URL without secrets, and its title."""
        shown = redact(self.source) if "://" in self.source else self.source
        return printable(f"{shown} ({self.title})" if self.title else shown)


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RefusedRow:
    """A row that cannot be used, and what to do about it."""

    row: int
    reason: str


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class JobList:
    """A list of jobs as it was read: the usable rows, the others, and how many repeat an earlier row."""

    jobs: tuple[ListedJob, ...]
    refused: tuple[RefusedRow, ...] = ()
    repeated: int = 0
    place: str = ""  #: where it was read
    remote: bool = False  #: whether that was a web server


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class JobOutcome:
    """How one job ended. ``files`` counts those in its folder now, ``bytes_moved`` what came over the wire."""

    job: ListedJob
    state: JobState
    files: int = 0
    bytes_moved: int = 0
    status: str = ""  #: of the job at its back-end, where it has no results yet
    error: str = ""
    error_type: str = ""

    @property
    def line(self) -> str:
        """The outcome in one line."""
        if self.state is JobState.REFUSED:
            return f"row {self.job.row}: {printable(self.error)}"
        said = f"{self.job.label}: {str(self.state).replace('_', ' ')}"
        if self.state is JobState.LANDED:
            return f"{said}, {counted(self.files, 'file')}, {readable(self.bytes_moved)} moved"
        if self.state is JobState.PRESENT:
            return f"{said}, {counted(self.files, 'file')}"
        return f"{said}: {printable(self.error)}" if self.error else said


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class JobsReport:
    """The outcome of every row of a list, in its order; rows that cannot be used are among them."""

    target: str
    outcomes: Sequence[JobOutcome]
    repeated: int = 0  #: rows that repeat an earlier one
    stopped: str = ""  #: why the rest was not tried, where a back-end failed again and again

    @property
    def failed(self) -> tuple[JobOutcome, ...]:
        """The outcomes of jobs whose files are not all in the target."""
        return tuple(one for one in self.outcomes if one.state not in COMPLETE)

    @property
    def ok(self) -> bool:
        """Whether all files of all jobs are in the target."""
        return not self.failed

    @property
    def bytes_moved(self) -> int:
        """Bytes that came over the wire."""
        return sum(one.bytes_moved for one in self.outcomes)

    @property
    def counts(self) -> str:
        """The outcomes in words: ``2 of 5 jobs landed, 1 present, 2 failed``."""
        states = Counter(one.state for one in self.outcomes)
        others = [f"{states[s]} {str(s).replace('_', ' ')}" for s in JobState if s is not JobState.LANDED and states[s]]
        repeats = [f"{counted(self.repeated, 'row')} repeated"] if self.repeated else []
        landed = f"{states[JobState.LANDED]} of {counted(len(self.outcomes), 'job')} landed"
        return ", ".join([landed, *others, *repeats])

    def __repr__(self) -> str:
        return f"<JobsReport for {redact_target(self.target)!r}: {self.counts}>"
