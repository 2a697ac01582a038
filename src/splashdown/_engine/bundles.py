"""Sinks whose objects appear together (archives): what they learn before a run, and what a failure means there."""

from __future__ import annotations

from dataclasses import replace

from splashdown.columns import columns
from splashdown.model import IfExists, Outcome, Plan, RunReport, Status
from splashdown.protocols import SupportsBundle

_WHY = "not stored: the archive is written as a whole, and another asset failed or was not tried"


def expect(bundle: SupportsBundle, plan: Plan) -> None:
    """Announce to the sink what comes. Raises ``ExistsError`` for what is there, unless all may be overwritten."""
    policies = set(columns(plan.transfers, "if_exists"))
    bundle.expect(list(columns(plan.transfers, "name")), replace=policies <= {IfExists.OVERWRITE})


def whole_or_nothing(report: RunReport) -> RunReport:
    """The report; where something did not land, nothing has, because nothing is left of the rest either."""
    if report.ok:
        return report
    return replace(report, outcomes=[_undone(outcome) for outcome in report.outcomes])


def _undone(outcome: Outcome) -> Outcome:
    if outcome.status in {Status.FAILED, Status.NOT_TRIED}:
        return outcome
    return replace(outcome, status=Status.NOT_TRIED, location="", error_type="StoreError", error=_WHY)
