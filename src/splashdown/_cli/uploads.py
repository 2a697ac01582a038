"""``splashdown uploads``: lists and removes what crashed runs left in a target."""

from __future__ import annotations

import datetime as dt
import math
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from splashdown._cli import render
from splashdown._cli.exit_codes import EXIT_FAILED
from splashdown._cli.help import Group
from splashdown._cli.source import make_session, plugin_option
from splashdown._display.text import counted, printable, readable

if TYPE_CHECKING:
    from splashdown.model import Unfinished
    from splashdown.protocols import Sink

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")


def _seconds(_context: click.Context, _parameter: click.Parameter, age: str) -> float:
    match = re.fullmatch(r"([0-9]+)([smhdw]?)", age)
    if match is None:
        raise click.BadParameter(f"{age!r} is not an age; write 90s, 30m, 12h, 1d or 2w")
    return float(int(match[1]) * _UNITS[match[2]])


@click.group("uploads", cls=Group, short_help="List and remove what unfinished runs left in a store.")
def command() -> None:
    """List and remove unfinished uploads.

    A run that was killed leaves the parts that it has stored, so that the next run of the same command goes on from
    there. Stores count such parts, and charge for them, until they are removed.

    Example: splashdown uploads list s3://bucket/prefix/
    """


@command.command("list", short_help="Show every unfinished upload below a target.")
@click.argument("target")
@_json
@plugin_option
def list_(target: str, as_json: bool, option: tuple[str, ...]) -> int:
    """Show every unfinished upload below TARGET, those of running downloads and of other programs included.

    Example: splashdown uploads list s3://bucket/prefix/
    """
    with _unfinished(target, option) as (_, found):
        rows = sorted(found, key=lambda one: (one.upload.key, one.begun or 0.0))
    if as_json:
        render.echo_json({"target": target, "uploads": [_record(one) for one in rows]})
        return 0
    if rows:
        shown = [(one.upload.key, readable(one.size), _when(one)) for one in rows]
        render.table(("key", "size", "begun"), shown, right=("size",))
    click.echo(
        f"{counted(len(rows), 'unfinished upload')} below {target}, {readable(sum(one.size or 0 for one in rows))}"
    )
    return 0


@command.command("clean", short_help="Abort the unfinished uploads below a target.")
@click.argument("target")
@click.option(
    "--older-than",
    callback=_seconds,
    default="1d",
    show_default=True,
    metavar="AGE",
    help="Leave younger ones: 90s, 12h, 2w, ...",
)
@click.option("--dry-run", is_flag=True, help="Show what would be removed; remove nothing.")
@_json
@plugin_option
def clean(target: str, older_than: float, dry_run: bool, as_json: bool, option: tuple[str, ...]) -> int:
    """Abort the unfinished uploads below TARGET and remove what they hold; objects are not touched.

    Uploads of downloads that still run are unfinished, too: choose an age that they do not reach.

    Example: splashdown uploads clean s3://bucket/prefix/ --older-than 12h
    """
    # No age is all of them: the clock of a store may be ahead, and some round to the next second.
    latest = time.time() - older_than if older_than else math.inf
    removed: list[Unfinished] = []
    failed: list[tuple[Unfinished, str]] = []
    young = 0
    with _unfinished(target, option) as (sink, found):
        for one in found:
            if one.begun is not None and one.begun > latest:
                young += 1
            elif (error := "" if dry_run else _abort(sink, one)) == "":
                removed.append(one)
            else:
                failed.append((one, error))
    for one, error in failed:
        click.echo(f"Failed: {printable(one.upload.key)}: {error}", err=True)
    if as_json:
        render.echo_json({"target": target, "removed": [_record(one) for one in removed], "left": young + len(failed)})
    else:
        _summary(removed, young, target, dry_run=dry_run)
    return EXIT_FAILED if failed else 0


def _summary(removed: list[Unfinished], young: int, target: str, *, dry_run: bool) -> None:
    size = readable(sum(one.size or 0 for one in removed))
    for one in removed:
        click.echo(f"{'would abort' if dry_run else 'aborted'} {printable(one.upload.key)}")
    left = f"; {young} younger ones are left (--older-than)" if young else ""
    gone = "would be gone" if dry_run else "removed"
    click.echo(f"{counted(len(removed), 'unfinished upload')} below {target} {gone}, {size}{left}")


def _abort(sink: Sink, one: Unfinished) -> str:
    """Remove one upload; returns the error where that fails, so that the others are still removed."""
    from splashdown.errors import error_text

    try:
        sink.abort(one.upload)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return error_text(error)
    return ""


@contextmanager
def _unfinished(target: str, option: tuple[str, ...]) -> Iterator[tuple[Sink, Iterator[Unfinished]]]:
    from splashdown._foreign.calls import Closing, Named
    from splashdown.errors import TargetError
    from splashdown.protocols import SupportsUnfinished

    with Closing(make_session(option).sink(target)) as sink:
        if not isinstance(sink, SupportsUnfinished):
            raise TargetError(f"unfinished uploads below {target} cannot be listed: its sink has no unfinished()")
        with Named(f"the sink of {target}"):
            yield sink, sink.unfinished()


def _record(one: Unfinished) -> dict[str, object]:
    return {"key": one.upload.key, "begun": _when(one) or None, "size": one.size, "id": one.upload.token.get("upload")}


def _when(one: Unfinished) -> str:
    if one.begun is None:
        return ""
    return dt.datetime.fromtimestamp(one.begun, dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
