"""What happens during a run, as values for listeners. The dispatcher that delivers them is the engine's."""

from __future__ import annotations

from dataclasses import dataclass

from splashdown.model import Outcome, Plan, RunReport, Transfer


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """Before the first transfer."""

    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferStarted:
    """A transfer's first answer arrived; ``size`` is in bytes where it is known, ``offset`` what was resumed."""

    transfer: Transfer
    size: int | None
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Bytes stored so far of one transfer; at most ten a second each. Goes back when a transfer restarts."""

    transfer: Transfer
    done: int
    size: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """An attempt failed and another follows after ``delay`` seconds. ``error`` is ``Type: text``."""

    transfer: Transfer
    attempt: int
    delay: float
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferFinished:
    """A transfer ended, well or not."""

    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """After the last transfer."""

    report: RunReport


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInterrupted:
    """The run ended by an exception, Ctrl-C for example: there is no report, and no event follows."""

    plan: Plan


Event = RunStarted | TransferStarted | Progress | Retried | TransferFinished | RunFinished | RunInterrupted
