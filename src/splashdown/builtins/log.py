"""Two lines in the log ``splashdown`` for each run: its plan, and its result. The listener ``log`` adds its files.

The two lines have level INFO, also when files failed: the caller gets an exception or a report, and a program without
a logging configuration should show none of this.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING

from splashdown.events import Event, Retried, TransferFinished
from splashdown.hookspecs import hookimpl
from splashdown.model import Outcome, Status
from splashdown.redact import redact
from splashdown.specs import ListenerSpec

if TYPE_CHECKING:
    from splashdown.model import Plan, RunReport

_log = logging.getLogger("splashdown")


@hookimpl(wrapper=True)
def splashdown_run_plan(plan: Plan) -> Generator[None, RunReport, RunReport]:
    """Log the run."""
    where = redact(plan.target) or "its sink"
    _log.info("run begins: %d files to %s, %d left out", len(plan.transfers), where, len(plan.skipped))
    try:
        report = yield
    except BaseException as error:
        _log.info("run to %s was ended by %s", where, type(error).__name__)
        raise
    _log.info(
        "run ends: %d of %d files are at %s, %d bytes moved in %.1f s",
        len(report.landed),
        len(report.outcomes),
        where,
        report.bytes_moved,
        report.seconds,
    )
    return report


_LEVELS = {Status.FAILED: logging.ERROR, Status.SKIPPED: logging.DEBUG, Status.NOT_TRIED: logging.DEBUG}


def log_file(event: Event) -> None:
    """The listener: a record for each file that has ended, and a warning for each attempt that failed.

    ``record.about`` holds the same as fields, for a formatter that writes JSON.
    """
    if isinstance(event, Retried):
        about = {"event": "retried", "name": event.transfer.name, "attempt": event.attempt, "error": event.error}
        _log.warning(
            "%s: attempt %d failed: %s; trying again in %.1f s",
            event.transfer.name,
            event.attempt,
            event.error,
            event.delay,
            extra={"about": about | {"delay": event.delay}},
        )
    elif isinstance(event, TransferFinished):
        outcome = event.outcome
        level = _LEVELS.get(outcome.status, logging.INFO)
        if _log.isEnabledFor(level):
            why = outcome.error or outcome.reason or f"{outcome.size} bytes in {outcome.seconds:.2f} s"
            _log.log(level, "%s: %s: %s", outcome.transfer.name, outcome.status, why, extra={"about": _about(outcome)})


def _about(outcome: Outcome) -> dict[str, object]:
    found = {
        "event": str(outcome.status),
        "name": outcome.transfer.name,
        "href": redact(outcome.asset.href),
        "size": outcome.size,
        "bytes_moved": outcome.bytes_moved,
        "attempts": outcome.attempts,
        "seconds": round(outcome.seconds, 3),
        "checksum": outcome.checksum,
        "error_type": outcome.error_type,
        "error": outcome.error,
        "reason": outcome.reason,
    }
    return {name: value for name, value in found.items() if value not in (None, "")}


@hookimpl
def splashdown_listeners() -> Iterable[ListenerSpec]:
    """Offer the record of files."""
    yield ListenerSpec(
        name="log", create=lambda _options: log_file, summary="a record of each file in the log 'splashdown'"
    )
