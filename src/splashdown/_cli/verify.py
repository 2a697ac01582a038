"""``splashdown verify``: whether what was downloaded is still there and unchanged."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from splashdown._cli import render
from splashdown._cli.help import Command
from splashdown._cli.main import EXIT_FAILED
from splashdown._cli.source import make_session
from splashdown._display.text import counted, printable, readable
from splashdown.redact import redact_target

if TYPE_CHECKING:
    from splashdown._receipts.checking import VerifyReport


@click.command("verify", cls=Command, short_help="Check that what was downloaded is still whole.")
@click.argument("target", default=".")
@click.option("--quick", is_flag=True, help="Compare sizes alone; read nothing.")
@click.option("--jobs", type=click.IntRange(1, 512), default=8, show_default=True, metavar="N", help="Files at a time.")
@click.option("--strict", is_flag=True, help="Fail for files that no receipt knows, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--quiet", is_flag=True, help="Show only what is not as it was stored, on stderr.")
@click.option("-o", "--option", metavar="PLUGIN.NAME=VALUE", multiple=True, help="A plugin's option.")
def command(
    target: str, quick: bool, jobs: int, strict: bool, as_json: bool, quiet: bool, option: tuple[str, ...]
) -> int:
    """Check every file in TARGET, a folder or a URL, against the receipt that a download left there.

    Example: splashdown verify data/

    Exit code 0: all is as it was stored; 1: something is missing or changed; 3: there is no receipt.
    """
    from splashdown._receipts.checking import State, verify_target

    with closing(make_session(option).sink(target)) as sink:
        report = verify_target(sink, target, jobs=jobs, read=not quick)
    ok = report.ok and not (strict and report.of(State.EXTRA))
    if as_json:
        files = [
            {"name": f.name, "state": str(f.state), "size": f.size, "checked": list(f.checked), "detail": f.detail}
            for f in report.files
        ]
        render.echo_json({"target": redact_target(target), "ok": ok, "files": files})
    elif quiet:
        for file in report.files:
            if file.state is not State.OK and (strict or file.state is not State.EXTRA):
                detail = f": {file.detail}" if file.detail else ""
                click.echo(printable(f"{file.state}: {file.name}{detail}"), err=True)
    else:
        _show(report)
    return 0 if ok else EXIT_FAILED


def _show(report: VerifyReport) -> None:
    """Each file, or of very many only those that are not as they were stored; and how many there are of each kind."""
    from splashdown._receipts.checking import State

    every = len(report.files) <= render.MOST_ROWS
    rows = [
        (f.name, readable(f.size), str(f.state), f.detail or ", ".join(f.checked))
        for f in report.files
        if every or f.state is not State.OK
    ]
    if rows:
        render.table(("file", "size", "state", "checked"), rows, right=("size",))
    right, extra = len(report.of(State.OK)), len(report.of(State.EXTRA))
    bad = len(report.files) - right - extra
    said = [f"{counted(right, 'file')} as stored"]
    said += [f"{bad} missing or changed"] if bad else []
    said += [f"{extra} that no receipt knows"] if extra else []
    click.echo(", ".join(said))
