"""``--delete-source``: what a download adds to become a move."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from splashdown._cli.exit_codes import EXIT_FAILED
from splashdown._cli.help import F, with_options
from splashdown._display.text import counted, printable
from splashdown.actions import Download, SourceDeletion
from splashdown.redact import safely_shown

if TYPE_CHECKING:
    from splashdown.results import JobResults


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Moved(Download):
    """A download, and what was deleted at the source after it."""

    deleted: tuple[str, ...] = ()
    left: Mapping[str, str] = field(default_factory=dict)


def move_options(function: F) -> F:
    """Give a command the options of a move."""
    options = (
        click.option(
            "--delete-source", "move", is_flag=True, help="Delete at the source what is proven to be in TARGET."
        ),
        click.option(
            "--delete-below",
            "move_below",
            metavar="PREFIX",
            help="With --delete-source: the folder that may be emptied.",
        ),
        click.option("--yes", is_flag=True, help="With --delete-source: do not ask."),
    )
    return with_options(function, options)


def take_move(given: dict[str, Any], *, key: str | None) -> dict[str, Any] | None:
    """Take these options out of a command's; ``None`` without ``--delete-source``."""
    wanted, below, yes = (given.pop(name) for name in ("move", "move_below", "yes"))
    if not wanted:
        if below is not None or yes:
            raise click.UsageError(f"--{'yes' if yes else 'delete-below'} goes with --delete-source only")
        return None
    if given["no_metadata"] or key is not None:
        raise click.UsageError("--delete-source needs the receipt, which --key and --no-metadata do without")
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("--delete-source asks before it deletes: answer on a terminal, or add --yes")
    return {"below": below, "confirm": _listed if yes else _confirmed}


def _listed(hrefs: Sequence[str]) -> bool:
    for href in hrefs:
        click.echo(f"proven, to be deleted: {printable(href)}", err=True)
    return True


def _confirmed(hrefs: Sequence[str]) -> bool:
    _listed(hrefs)
    return click.confirm(f"Delete {counted(len(hrefs), 'file')} at the source?", err=True)


def refuse_move(results: JobResults, target: str, options: Mapping[str, Any]) -> None:
    """Raise ``UsageError`` before the first byte where nothing could be deleted."""
    results.dry_run("delete_source", target=target, below=options["below"])


def moved(results: JobResults, done: Any, target: str, options: Mapping[str, Any]) -> tuple[Any, int]:
    """Delete at the source after a download that landed as a whole; the outcome, and the exit code of the deletion."""
    if not isinstance(done, Download):
        return done, 0
    if not done.report.ok or results.result_set.unresolved:
        click.echo("Nothing was deleted at the source: not everything landed.", err=True)
        return done, 0
    found = results.run("delete_source", target=target, **options)
    if not isinstance(found, SourceDeletion):
        return done, EXIT_FAILED
    for href, why in found.left.items():
        click.echo(f"left at the source: {printable(href)}: {printable(why)}", err=True)
    click.echo(f"{counted(len(found.removed), 'file')} deleted at the source, {len(found.left)} left", err=True)
    code = EXIT_FAILED if found.left and not found.declined else 0
    return Moved(report=done.report, documents=done.documents, deleted=found.removed, left=found.left), code
