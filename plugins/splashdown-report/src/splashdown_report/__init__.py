"""A page of HTML about what Splashdown has stored: a map, a timeline, thumbnails, and a table that can be searched.

Registers the action ``report``, which is ``splashdown report TARGET`` too.
"""

from __future__ import annotations

from collections.abc import Iterable

from splashdown.hookspecs import hookimpl
from splashdown.specs import ActionSpec
from splashdown_report._report import ReportOptions, WrittenReport, write_report

__all__ = ["WrittenReport", "write_report"]


@hookimpl
def splashdown_actions() -> Iterable[ActionSpec]:
    """``report``, on a target or on the JSON of a run, a plan or a verification."""
    yield ActionSpec(
        name="report",
        on_target=write_report,
        options=ReportOptions,
        command=True,
        summary="Write one HTML page about what is stored in a target.",
    )
