"""``splashdown demo``: the whole way, on a small back-end that runs in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from splashdown._cli import render

if TYPE_CHECKING:
    from splashdown.results import JobResults


@click.command("demo")
@click.argument("folder", default="splashdown-demo")
def command(folder: str) -> None:
    """Download a finished job from a back-end inside this process to FOLDER; needs no network and no account.

    Example: splashdown demo data/demo
    """
    from splashdown._demo.service import demo_service
    from splashdown.builtins.download import run_download
    from splashdown.session import Session

    with demo_service() as service, Session(discover=False) as session:
        click.echo(f"A small openEO back-end runs in this process; its finished job is {service.job_url}")
        results = session.open(service.job_url)
        done = run_download(results, folder)
        render.report_table(done.report)
        click.echo(f"The STAC document that describes these files is {done.metadata}")
        _show_series(results)
    click.echo(
        "Next, with a job of your own:\n"
        "  export SPLASHDOWN_TOKEN=...      # what follows 'Bearer '; or SPLASHDOWN_USER and SPLASHDOWN_PASSWORD\n"
        "  splashdown ls https://openeo.example/openeo/1.2/jobs/JOB\n"
        "  splashdown download https://openeo.example/openeo/1.2/jobs/JOB data/\n"
        f"or with what has just landed:\n  splashdown ls {done.metadata}"
    )


def _show_series(results: JobResults) -> None:
    """Load the JSON asset of the job and show its first values."""
    asset = next(asset for asset in results if asset.media_type == "application/json")
    series = asset.load_json()
    click.echo(f"{asset.key}, loaded as JSON: {len(series)} dates")
    for date, values in list(series.items())[:3]:
        click.echo(f"  {date}: {values}")
