"""The options of lists of jobs; what they do is in ``job_lists``, which is imported where there is a list."""

from __future__ import annotations

from typing import Any

import click

from splashdown._cli.help import F, with_options

BACKEND = click.option(
    "--backend", metavar="[NAME=]URL", multiple=True, help="The back-end of the ids, by its name if there are several."
)
INTERVAL = click.option(
    "--interval",
    type=click.FloatRange(1),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How often to look.",
)


def list_options(function: F) -> F:
    """Give a command the options of lists of jobs."""
    options = (
        click.option("--jobs-from", metavar="LIST", help="A folder for each job of this CSV, Parquet, text, or URL."),
        BACKEND,
        INTERVAL,
        click.option("--timeout", type=click.FloatRange(0), metavar="SECONDS", help="Wait this long at most."),
    )
    return with_options(function, options)


def take_list(given: dict[str, Any]) -> dict[str, Any] | None:
    """Take these options out of a command's; ``None`` where there is no list."""
    taken = {name: given.pop(name) for name in ("jobs_from", "backend", "interval", "timeout")}
    if taken["jobs_from"] is not None:
        return taken
    for name in ("backend", "timeout"):
        if taken[name]:
            raise click.UsageError(f"--{name} is for --jobs-from")
    return None
