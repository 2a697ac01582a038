"""Two lines in the log ``splashdown`` for each run: its plan, and its result.

Level INFO, also when files failed: the caller gets an exception or a report, and a program without a logging
configuration should show none of this.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from typing import TYPE_CHECKING

from splashdown.hookspecs import hookimpl
from splashdown.redact import redact

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
