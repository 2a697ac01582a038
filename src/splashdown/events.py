"""Events of reading sources and of runs, as values for listeners. Session and engine deliver them."""

from __future__ import annotations

from dataclasses import dataclass

from splashdown.model import Outcome, Plan, RunReport, Transfer
from splashdown.redact import safely_shown


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Waiting:
    """A request for a document has to be repeated, and is so after ``delay`` seconds.

    Documents are what sources are read from, sign-ins, jobs and searches too. ``place`` is the URL without its secrets.
    """

    place: str
    delay: float
    reason: str


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Reading:
    """A source that takes long to read: so many documents, which pages of a search are too, and items so far."""

    place: str
    documents: int
    items: int


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RunStarted:
    """Before the first transfer. ``workers`` says where the files are moved, empty for this process."""

    plan: Plan
    workers: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferStarted:
    """A transfer's first answer arrived.

    ``size`` is that of the file in bytes, where it is known; ``offset`` counts the bytes that an earlier run stored.
    """

    transfer: Transfer
    size: int | None
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The bytes stored so far of one transfer, emitted at most ten times a second for it.

    ``done`` decreases when a transfer starts again at its first byte.
    """

    transfer: Transfer
    done: int
    size: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkersProgress:
    """The files that have ended and the bytes so far of all batches that run on workers, about once a second.

    When a batch ends both decrease by what it had, then its files get their own events, and then this one comes again.
    Some executors have no such news.
    """

    finished: int
    done: int


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Retried:
    """An attempt failed, and another one follows after ``delay`` seconds. ``error`` is ``Type: message``."""

    transfer: Transfer
    attempt: int
    delay: float
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferFinished:
    """A transfer ended: stored, skipped or failed."""

    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """After the last transfer."""

    report: RunReport


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInterrupted:
    """The run ended by an exception, Ctrl-C for example. It has no report, and no event follows."""

    plan: Plan


Event = (
    Waiting
    | Reading
    | RunStarted
    | TransferStarted
    | Progress
    | WorkersProgress
    | Retried
    | TransferFinished
    | RunFinished
    | RunInterrupted
)
