"""What the span of a run says."""

from __future__ import annotations

from contextlib import AbstractContextManager

from opentelemetry import trace
from opentelemetry.trace import Span, Status, StatusCode

from splashdown.model import Plan, RunReport
from splashdown.redact import redact


def run_span(plan: Plan) -> AbstractContextManager[Span]:
    """The span of a run; it becomes the current one, so that spans of HTTP libraries are below it."""
    attributes: dict[str, str | int] = {
        "splashdown.target": redact(plan.target),
        "splashdown.source": redact(plan.source),
        "splashdown.files": len(plan.transfers),
        "splashdown.skipped": len(plan.skipped),
    }
    return trace.get_tracer("splashdown").start_as_current_span("splashdown.run", attributes=attributes)


def finish(span: Span, report: RunReport) -> None:
    """Add what became of the run."""
    span.set_attributes({"splashdown.failed": len(report.failed), "splashdown.bytes": report.bytes_moved})
    if not report.ok:
        span.set_status(Status(StatusCode.ERROR, f"{len(report.failed)} of {len(report.outcomes)} files failed"))
