"""``splashdown verify``: whether the files of a download are still there and unchanged."""

from __future__ import annotations

import click

from splashdown._cli.help import Command, was_given
from splashdown._cli.source import make_session, plugin_option


@click.command("verify", cls=Command, short_help="Check that what was downloaded is still whole.")
@click.argument("target", default=".")
@click.option("--quick", is_flag=True, help="Compare sizes alone; read nothing.")
@click.option("--jobs", type=click.IntRange(1, 512), default=8, show_default=True, metavar="N", help="Files at a time.")
@click.option("--strict", is_flag=True, help="Fail for files that no receipt knows, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--quiet", is_flag=True, help="Show only what is not as it was stored, on stderr.")
@plugin_option
def command(
    target: str, quick: bool, jobs: int, strict: bool, as_json: bool, quiet: bool, option: tuple[str, ...]
) -> int:
    """Check every file in TARGET, a folder or a URL, against the receipt that a download left there.

    Example: splashdown verify data/

    Exit code 0: all is as it was stored; 1: something is missing or changed; 3: there is no receipt.
    """
    from splashdown._cli.show import show, style_of

    chosen = {"jobs": jobs if was_given("jobs") else None, "read": False if quick else None, "strict": strict or None}
    options = {name: value for name, value in chosen.items() if value is not None}
    report = make_session(option).run("verify", target, **options)
    return show(report, style_of(as_json=as_json, quiet=quiet))
