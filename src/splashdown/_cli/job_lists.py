"""``splashdown download --jobs-from``: a list of jobs in, a folder for each job out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from splashdown._cli import render
from splashdown._cli.exit_codes import EXIT_FAILED, EXIT_NOT_AUTHORISED, EXIT_STOPPED
from splashdown._cli.source import mirrored, notify, session_for, shaped
from splashdown._cli.transfer import log_of_files
from splashdown._display.text import counted, printable, readable
from splashdown.redact import redact, redact_target

if TYPE_CHECKING:
    from splashdown._cli.show import Style
    from splashdown.landing import JobOutcome, JobsReport
    from splashdown.session import Session

#: Options of one source, which do not say what to do with a list of them.
_OF_ONE = ("key", "resolver", "limit", "page_size", "collections", "ids")


def land_list(
    taken: dict[str, Any],
    target: str,
    given: dict[str, Any],
    *,
    style: Style,
    dry_run: bool,
    settings: dict[str, Any],
    as_collection: bool,
    options: dict[str, Any],
) -> int:
    """Land a list of jobs; the rest are the options of ``download``."""
    from splashdown.landing import land_jobs, read_jobs

    for name in _OF_ONE:
        if given.get(name):
            raise click.UsageError(f"--{name.replace('_', '-')} is for one source: leave it out with --jobs-from")
    session, auth = session_for(given)
    listed = read_jobs(taken["jobs_from"], session=session)
    if dry_run:
        return _show_list(listed.jobs, listed.refused, target, style)
    alternate = given.pop("alternate", None)
    lines = _Lines(style, len(listed.jobs) + len(listed.refused))
    wait = given.pop("wait")
    try:
        report = land_jobs(
            listed,
            target,
            backends=backends_of(taken["backend"]),
            auth=auth,
            session=session,
            wait=(True if taken["timeout"] is None else taken["timeout"]) if wait else False,
            interval=taken["interval"],
            partial=given.pop("partial"),
            as_collection=as_collection,
            opening={"alternate": alternate} if alternate else {},
            choose=lambda results: chosen(results, given),
            on_outcome=lines.add,
            notify=notify if style == "table" else None,
            settings=replace(session.settings, **settings),
            **listening(session),
            **options,
        )
    except KeyboardInterrupt:
        _show(lines.so_far(listed.jobs, target), style, lines.seconds)
        raise
    return _show(report, style, lines.seconds)


def chosen(results: Any, given: dict[str, Any]) -> Any:
    """What the options choose of the results of one job; it is done for each."""
    copy = deepcopy(given)
    return shaped(mirrored(results, copy), copy)


def listening(session: Session) -> dict[str, Any]:
    """The listeners of each run: the log. A display of progress is for one run, and here each job has a line."""
    return {"listeners": log_of_files(session), "progress": False}


def backends_of(values: Sequence[str]) -> dict[str, str]:
    """``NAME=URL`` by name; a URL alone is for all other names."""
    found: dict[str, str] = {}
    for value in values:
        name, equals, url = value.partition("=")
        if not equals or "/" in name:
            name, url = "", value
        if not url or name in found:
            raise click.UsageError(f"--backend {redact(value)}: write URL once, and NAME=URL for each other name")
        found[name] = url
    return found


class _Lines:
    """A line for each job, as it is known."""

    def __init__(self, style: Style, count: int) -> None:
        self._style, self._count = style, count
        self._begin = time.monotonic()
        self._outcomes: list[JobOutcome] = []

    @property
    def seconds(self) -> float:
        """Since the first job."""
        return time.monotonic() - self._begin

    def add(self, outcome: JobOutcome) -> None:
        """Print the line of one."""
        from splashdown.landing import COMPLETE

        self._outcomes.append(outcome)
        if outcome.state in COMPLETE:
            if self._style == "table":
                click.echo(f"{len(self._outcomes)}/{self._count} {outcome.line}")
        elif self._style != "json":
            click.echo(f"{len(self._outcomes)}/{self._count} {outcome.line}", err=True)

    def so_far(self, jobs: Sequence[Any], target: str) -> JobsReport:
        """The report of a run that was interrupted."""
        from splashdown.landing import JobOutcome, JobsReport, JobState

        ended = {one.job.row for one in self._outcomes}
        rest = [JobOutcome(job=job, state=JobState.NOT_TRIED) for job in jobs if job.row not in ended]
        return JobsReport(target=target, outcomes=(*self._outcomes, *rest))


def _show_list(jobs: Sequence[Any], refused: Sequence[Any], target: str, style: Style) -> int:
    if style == "json":
        rows = [{"row": j.row, "job": redact(j.source), "backend": j.backend, "folder": j.folder} for j in jobs]
        render.echo_json({"target": redact_target(target), "jobs": rows})
    else:
        if style == "table":
            render.table(("folder", "job"), [(job.folder, job.label) for job in jobs])
        click.echo(f"{counted(len(jobs), 'job')} would go to {redact_target(target)}; nothing was requested of them")
    for row in refused:
        click.echo(f"row {row.row}: {printable(row.reason)}", err=True)
    return EXIT_FAILED if refused else 0


def _show(report: JobsReport, style: Style, seconds: float) -> int:
    if style == "json":
        render.echo_json(_record(report))
    elif report.ok or style == "table":
        moved = f"{readable(report.bytes_moved)} moved in {seconds:.1f} s"
        click.echo(f"{report.counts} in {redact_target(report.target)}, {moved}")
    if report.ok:
        return 0
    click.echo(f"Error: {report.counts}; run the same command again for the rest", err=True)
    if report.stopped:
        click.echo(f"Error: the rest was not tried: {printable(report.stopped)}", err=True)
        return EXIT_STOPPED
    return EXIT_NOT_AUTHORISED if {one.error_type for one in report.outcomes} == {"AuthError"} else EXIT_FAILED


def _record(report: JobsReport) -> dict[str, Any]:
    return {
        "target": redact_target(report.target),
        "ok": report.ok,
        "bytes_moved": report.bytes_moved,
        "repeated": report.repeated,
        "stopped": report.stopped,
        "jobs": [
            {
                "row": one.job.row,
                "job": redact(one.job.source),
                "backend": one.job.backend,
                "folder": one.job.folder,
                "state": str(one.state),
                "status": one.status,
                "files": one.files,
                "bytes_moved": one.bytes_moved,
                "error_type": one.error_type,
                "error": one.error,
            }
            for one in report.outcomes
        ],
    }
