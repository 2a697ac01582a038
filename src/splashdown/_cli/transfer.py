"""What ``download`` and ``sync`` share: the options of a transfer, progress, and how failures are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from splashdown._cli.exit_codes import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_STOPPED, EXIT_TERMINATED
from splashdown._cli.help import F, with_options
from splashdown._display.text import bytes_in, printable

if TYPE_CHECKING:
    from splashdown.model import RunReport
    from splashdown.protocols import Listener
    from splashdown.results import JobResults
    from splashdown.session import Session


#: Options that are named as the settings which they switch on.
_FLAGS = ("fail_fast", "trust_metadata")


def _bytes_a_second(_context: click.Context, _option: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    if not (rate := bytes_in(value.removesuffix("/s"))):
        raise click.BadParameter(f"{value!r} is not a number of bytes a second: write for example 500k, 5MB or 1MiB")
    return rate


def transfer_options(function: F) -> F:
    """Give a command the options of moving files."""
    options = (
        click.option(
            "--if-exists",
            type=click.Choice(["auto", "skip", "overwrite", "error", "rename"]),
            default="auto",
            show_default=True,
            help="How to treat files that exist already.",
        ),
        click.option(
            "--trust-metadata",
            is_flag=True,
            help="Ask nothing about a stored file whose href, size and 'updated' are as they were.",
        ),
        click.option(
            "--jobs",
            type=click.IntRange(1, 512),
            metavar="N",
            help="Files at a time; without it as many as help.",
        ),
        click.option(
            "--limit-rate",
            metavar="RATE",
            callback=_bytes_a_second,
            help="Bytes a second at most, all files together, e.g. 5MB.",
        ),
        click.option(
            "--executor",
            metavar="NAME",
            help="Move files in other processes: processes:4, dask://HOST:PORT, ... Default: threads of this one.",
        ),
        click.option("--no-resume", is_flag=True, help="Keep nothing of an unfinished file."),
        click.option("--fail-fast", is_flag=True, help="Stop at the first failure."),
        click.option("--keep-going", is_flag=True, help="Try every file, even when all fail for the same reason."),
    )
    return with_options(function, options)


def take_settings(given: dict[str, Any]) -> dict[str, Any]:
    """Take these options out of a command's: those that were given. All else is configured, or the default."""
    names = ("jobs", "limit_rate", "no_resume", "keep_going", *_FLAGS)
    jobs, rate, no_resume, keep_going, *flags = (given.pop(name) for name in names)
    chosen = {
        "jobs": jobs,
        "limit_rate": rate,
        "resume": False if no_resume else None,
        "give_up_after": 0 if keep_going else None,
    }
    chosen |= {name: True if flag else None for name, flag in zip(_FLAGS, flags, strict=True)}
    return {name: value for name, value in chosen.items() if value is not None}


def settings_for(results: JobResults, chosen: dict[str, Any]) -> Any:
    """The session's settings with those of the command line."""
    return replace(results.session.settings, **chosen)


def progress_display(session: Session, *, quiet: bool) -> list[Listener]:
    """The listener that shows progress; none where its plugin is disabled, because the user did not ask for it."""
    from splashdown.errors import DisabledError

    try:
        return [] if quiet else [session.listener("progress")]
    except DisabledError:
        return []


def log_of_files(session: Session) -> list[Listener]:
    """The listener that logs each file, where the user wants a log."""
    chosen = click.get_current_context().find_root().params
    return [session.listener("log")] if chosen.get("verbose") or chosen.get("log_file") else []


def print_warnings(results: JobResults, *, dry_run: bool = False) -> None:
    """Print the warnings of the source; those that make the run fail are printed at its end, if it is not a dry run."""
    for warning in results.result_set.warnings:
        if dry_run or warning not in results.result_set.unresolved:
            click.echo(f"Warning: {printable(warning)}", err=True)


def hint_at_names(report: RunReport) -> None:
    """Say how files get names with an extension, where neither a URL nor a media type gave one."""
    from splashdown.columns import columns
    from splashdown.safe_names import split_suffix
    from splashdown.sources import is_url

    planned = columns(report.plan.transfers, "name", "asset.href")
    count = sum(1 for name, href in planned if not split_suffix(name)[1] and is_url(href))
    if count:
        files = "1 file has a name" if count == 1 else f"{count} files have names"
        click.echo(f"Note: {files} without an extension; --server-names asks the servers for names", err=True)


def print_failures(report: RunReport, unresolved: Sequence[str] = (), *, each: bool) -> int:
    """Print how many assets failed, and ``each`` of them where no progress display did; returns the exit code."""
    for outcome in report.failed if each else ():
        click.echo(f"Failed: {printable(outcome.asset.label)}: {outcome.error_type}: {outcome.error}", err=True)
    for line in unresolved:
        click.echo(f"Failed: {printable(line)}", err=True)
    if report.failed or report.not_tried:
        click.echo(f"Error: {report.counts}; run the same command again for the rest", err=True)
    if report.unwritten:
        click.echo(
            f"Error: the metadata document could not be written ({printable(report.unwritten)}); the next run of the"
            " same command writes it, and fetches nothing again",
            err=True,
        )
    if report.commands:
        from splashdown._cli.landed_commands import failures

        if line := failures(report.commands):
            click.echo(f"Error: {line}", err=True)
    if unresolved:
        count = (
            "1 source or linked document" if len(unresolved) == 1 else f"{len(unresolved)} sources or linked documents"
        )
        click.echo(f"Error: {count} could not be read; run the same command again for the rest", err=True)
    if report.stopped:
        click.echo(f"Error: the rest was not tried: {printable(report.stopped)}", err=True)
    if report.interrupted:
        return EXIT_TERMINATED if report.interrupted == "SIGTERM" else EXIT_INTERRUPTED
    if report.stopped:
        return EXIT_STOPPED
    return EXIT_FAILED if unresolved or not report.ok else 0
