"""``splashdown config``: what is configured, and where each value came from."""

from __future__ import annotations

import os

import click

from splashdown._cli import render
from splashdown._cli.help import Group
from splashdown._cli.source import make_session


@click.group("config", cls=Group, short_help="Show the configuration.")
def command() -> None:
    """Show the configuration.

    Example: splashdown config show
    """


@command.command("show", short_help="Show what is set, and where.")
@click.option("--all", "everything", is_flag=True, help="Also what has its default.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def show(everything: bool, as_json: bool) -> int:
    """Show what is set and where: a file, a variable of the environment, or the default.

    Example: splashdown config show --all
    """
    from splashdown._engine.settings import Settings
    from splashdown._plugins.trace import trace, unknown_variables

    session = make_session()
    rows = list(trace(session.config, session.registry, Settings, os.environ))
    for line in unknown_variables(rows, os.environ):
        click.echo(f"Warning: {line}", err=True)
    if as_json:
        render.echo_json([{"key": r.key, "value": r.value, "origin": r.origin, "variable": r.variable} for r in rows])
        return 0
    shown = [r for r in rows if everything or not r.origin.startswith("default")]
    files = ", ".join(str(path) for path, _ in session.config.files) or "none"
    click.echo(f"files: {files}")
    if shown:
        render.table(("key", "value", "from"), [(r.key, str(r.value), r.origin) for r in shown])
    if len(shown) < len(rows):
        click.echo(f"{len(rows) - len(shown)} values have their defaults; --all shows them")
    return 0
