"""``splashdown jobs``: the jobs on an openEO back-end, so that an id can be picked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from splashdown._cli import render
from splashdown._cli.help import Command
from splashdown._cli.source import credentials, make_session, sign_in_options
from splashdown._display.text import counted

if TYPE_CHECKING:
    from splashdown.backend import Job


#: openEO API, ``GET /jobs``.
_STATUSES = ("created", "queued", "running", "canceled", "finished", "error")


@click.command("jobs", cls=Command, short_help="List your jobs on an openEO back-end.")
@click.argument("backend")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Not more than N jobs.")
@click.option(
    "--status",
    type=click.Choice(_STATUSES),
    metavar="STATUS",
    multiple=True,
    help="Only jobs with this status; repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
@sign_in_options
def command(backend: str, limit: int | None, status: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """List your jobs on BACKEND, the address of an openEO back-end.

    Example: splashdown jobs https://openeo.example --status finished
    """
    from itertools import islice

    from splashdown.backend import connect

    handle = connect(backend, auth=credentials(given), session=make_session())
    wanted = (job for job in handle.jobs() if not status or job.metadata.get("status") in status)
    jobs = list(islice(wanted, limit))
    if as_json:
        render.echo_json([{**job.metadata, "url": job.url} for job in jobs])
        return
    if jobs:
        render.table(("id", "status", "created", "title"), [_row(job) for job in jobs])
    click.echo(f"{counted(len(jobs), 'job')} on {handle.url}")
    if jobs:
        click.echo(f"Next: {render.program()} download {handle.url}/jobs/ID FOLDER")


def _row(job: Job) -> tuple[str, str, str, str]:
    metadata = job.metadata
    return job.id, job.known_status, str(metadata.get("created") or ""), str(metadata.get("title") or "")
