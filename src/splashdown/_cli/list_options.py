"""The options of lists of jobs; what they do is in ``job_lists``, which is imported where there is a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from splashdown._cli.help import F, was_given, with_options

BACKEND = click.option(
    "--backend", metavar="[NAME=]URL", multiple=True, help="The back-end of the ids, by its name if there are several."
)


def interval_option(seconds: float) -> Callable[[F], F]:
    """How often to look, by default every so many seconds."""
    return click.option(
        "--interval",
        type=click.FloatRange(1),
        default=seconds,
        show_default=True,
        metavar="SECONDS",
        help="How often to look.",
    )


def list_options(function: F) -> F:
    """Give a command the options of lists of jobs."""
    options = (
        click.option("--jobs-from", metavar="LIST", help="A folder for each job of this CSV, Parquet, text, or URL."),
        BACKEND,
        interval_option(60.0),
        click.option("--timeout", type=click.FloatRange(0), metavar="SECONDS", help="Wait this long at most."),
    )
    return with_options(function, options)


def take_list(given: dict[str, Any]) -> dict[str, Any] | None:
    """Take these options out of a command's; ``None`` where there is no list."""
    taken = {name: given.pop(name) for name in ("jobs_from", "backend", "interval", "timeout")}
    if taken["jobs_from"] is None:
        wrong: tuple[str, ...] = ("backend", "interval", "timeout")
        needed = "--jobs-from"
    else:
        wrong, needed = (() if given["wait"] else ("interval", "timeout")), "--wait"
    for name in wrong:
        if was_given(name):
            raise click.UsageError(f"--{name} is for {needed}")
    return None if taken["jobs_from"] is None else taken
