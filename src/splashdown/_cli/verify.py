"""``splashdown verify``: whether the files of a download are still there and unchanged, here and at their source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from splashdown._cli.help import Command, was_given
from splashdown._cli.source import filter_options, make_session, open_source, source_options
from splashdown.redact import redact_target

if TYPE_CHECKING:
    from splashdown.results import JobResults


@click.command("verify", cls=Command, short_help="Check that what was downloaded is still whole.")
@click.argument("target", default=".")
@click.option("--against", metavar="SOURCE", help="Compare with what the source says today, too.")
@click.option("--repair", is_flag=True, help="Fetch again what is missing or damaged, and nothing else.")
@click.option("--write-sums", is_flag=True, help="Write SHA256SUMS for 'sha256sum -c', where nothing is damaged.")
@click.option("--quick", is_flag=True, help="Compare sizes and metadata alone; read nothing, ask no server for files.")
@click.option("--jobs", type=click.IntRange(1, 512), default=8, show_default=True, metavar="N", help="Files at a time.")
@click.option("--strict", is_flag=True, help="Fail for files that no receipt knows, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--quiet", is_flag=True, help="Show only what is not as it was stored, on stderr.")
@filter_options
@source_options
def command(target: str, against: str | None, as_json: bool, quiet: bool, **given: Any) -> int:
    """Check every file in TARGET, a folder or a URL, against the receipt that a download left there.

    Example: splashdown verify data/ --against https://openeo.example/openeo/1.2/jobs/JOB

    Exit code 0: all is as it was stored; 1: something is missing or changed; 3: there is no receipt; 6: nothing is
    damaged, and the source has something else now.
    """
    from splashdown._cli.show import perform, show, style_of
    from splashdown._cli.transfer import log_of_files, print_warnings, progress_display

    jobs, quick, strict = given.pop("jobs"), given.pop("quick"), given.pop("strict")
    repair, sums, style = given.pop("repair"), given.pop("write_sums"), style_of(as_json=as_json, quiet=quiet)
    chosen = {
        "jobs": jobs if was_given("jobs") else None,
        "read": False if quick else None,
        "strict": strict or None,
        "write_sums": sums or None,
    }
    options = {name: value for name, value in chosen.items() if value is not None}
    if against is None and not repair:
        plugin_options = given.pop("option")
        _refuse_without_source(given)
        return show(make_session(plugin_options).run("verify", target, **options), style)
    results = _opened(target, against, quiet=quiet, given=given)
    print_warnings(results)
    options |= {"compare": against is not None, "repair": repair}
    if repair:
        shown = progress_display(results.session, quiet=quiet)
        options["listeners"] = [*shown, *log_of_files(results.session)]
    return show(perform(results.run, "verify", target=target, **options), style, results.result_set)


def _opened(target: str, against: str | None, *, quiet: bool, given: dict[str, Any]) -> JobResults:
    return open_source(against or _remembered(target), action="verify", quiet=quiet, **given)


def _remembered(target: str) -> str:
    """The source of the last run to a target. Raises ``click.UsageError`` where it is not known as a whole."""
    from splashdown._cli.last_run import last_run

    found = last_run(target)
    source, narrowed = (found.get("source"), found.get("narrowed")) if found else (None, None)
    if not isinstance(source, str) or not source:
        raise click.UsageError(
            f"the source of {redact_target(target)} is not remembered here: give it with --against SOURCE"
        )
    if source.endswith("?...") or narrowed:
        how = "and its signature is not kept" if not narrowed else f"opened with --{' and --'.join(narrowed)}"
        raise click.UsageError(f"the source was {source}, {how}: give it with --against, as in the download")
    return source


def _refuse_without_source(given: dict[str, Any]) -> None:
    # A configuration may give some for all commands.
    source_of = click.get_current_context().get_parameter_source
    useless = [name for name in given if source_of(name) is ParameterSource.COMMANDLINE]
    if useless:
        raise click.UsageError(f"--{useless[0].replace('_', '-')} is about a source: give one with --against")
