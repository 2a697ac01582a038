"""``splashdown demo``: the whole way, on a small back-end that runs in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from splashdown._cli import render
from splashdown._cli.help import Command
from splashdown._cli.source import make_session

if TYPE_CHECKING:
    from splashdown.results import JobResults


_NEXT = """
Next, with what has just landed:
  {program} ls {document}
  {program} load {document} timeseries.json
  {program} verify {folder}
With a job of your own, after 'export SPLASHDOWN_USER=...':
  {program} jobs https://openeo.example
  {program} download https://openeo.example/openeo/1.2/jobs/JOB data/
Instead of a user, SPLASHDOWN_TOKEN may hold what follows 'Bearer '."""


@click.command("demo", cls=Command, short_help="Download a small finished job from a back-end in this process.")
@click.argument("folder", default="splashdown-demo")
def command(folder: str) -> None:
    """Download a finished job from a back-end inside this process to FOLDER; needs no network and no account.

    Example: splashdown demo data/demo
    """
    from splashdown._demo.service import demo_service

    # Without installed plugins: the first thing that a new user sees does not depend on them.
    with demo_service() as service, make_session(discover=False) as session:
        session.registry.action("download_files")  # refuses the whole demo where it is disabled
        click.echo(f"A small openEO back-end runs in this process. Its finished job is\n{service.job_url}")
        results = session.open(service.job_url)
        done = results.run("download_files", target=folder)
        render.report_table(done.report)
        click.echo(f"The STAC document that describes these files is {done.metadata}\n")
        _show_series(results)
    click.echo(_NEXT.format(program=render.program(), document=done.metadata, folder=folder))


def _show_series(results: JobResults) -> None:
    """Load the JSON asset of the job and show its first values."""
    asset = next(asset for asset in results if asset.media_type == "application/json")
    series = asset.load_json()
    click.echo(f"{asset.key}, loaded as JSON: {len(series)} dates")
    for date, values in list(series.items())[:3]:
        click.echo(f"  {date}: {values}")
