"""Runs as spans of OpenTelemetry, and a listener that counts what they move.

Only the API of OpenTelemetry is used: without an SDK that is configured in the program, all of it does nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING

from splashdown.hookspecs import hookimpl
from splashdown.specs import ListenerSpec

if TYPE_CHECKING:
    from splashdown.model import Plan, RunReport
    from splashdown_opentelemetry._metrics import Meters


def _create(options: None) -> Meters:  # noqa: ARG001 - a listener spec's signature
    from splashdown_opentelemetry._metrics import Meters

    return Meters()


@hookimpl
def splashdown_listeners() -> Iterable[ListenerSpec]:
    """Counters."""
    yield ListenerSpec(name="opentelemetry", create=_create, summary="counters of files, bytes and retries")


@hookimpl(wrapper=True)
def splashdown_run_plan(plan: Plan) -> Generator[None, RunReport, RunReport]:
    """A span around the run."""
    if not _may_be_traced():
        return (yield)
    from splashdown_opentelemetry._spans import finish, run_span

    with run_span(plan) as span:
        report = yield
        finish(span, report)
        return report


def _may_be_traced() -> bool:
    """Whether anything can have set a provider of tracers: a program that imported the API, or the environment.

    Without one a span is nothing, and the API need not be imported.
    """
    return "opentelemetry.trace" in sys.modules or "OTEL_PYTHON_TRACER_PROVIDER" in os.environ
