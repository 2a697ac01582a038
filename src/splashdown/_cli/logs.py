"""``splashdown logs``: the log of an openEO job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from splashdown._cli import render
from splashdown._cli.help import Command
from splashdown._cli.source import credentials, make_session, sign_in_options
from splashdown._display.text import printable


@click.command("logs", cls=Command, short_help="Print the log of an openEO job.")
@click.argument("job")
@click.option(
    "--level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="debug",
    show_default=True,
    help="Only entries of at least this level.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
@sign_in_options
def command(job: str, level: str, as_json: bool, **given: Any) -> None:
    """Print the log of JOB, the URL of an openEO job.

    Example: splashdown logs https://openeo.example/openeo/1.2/jobs/JOB --level error
    """
    from splashdown.backend import job_at

    entries = job_at(job, auth=credentials(given), session=make_session()).logs(level)
    if as_json:
        render.echo_json(entries)
        return
    for entry in entries:
        click.echo(_line(entry))


def _line(entry: Mapping[str, Any]) -> str:
    parts = (entry.get("time"), entry.get("level"), entry.get("code"), entry.get("message"))
    # One line an entry: back-ends put whole tracebacks into a message.
    text = "  ".join(" ".join(str(part).split()) for part in parts if part)
    return printable(text)
