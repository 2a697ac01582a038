"""``splashdown retry``: repeat what failed in the last run to a target, or in the one whose ``--json`` was kept."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from splashdown._cli.exec_options import exec_options, runner, take_command
from splashdown._cli.help import Command, F, with_options
from splashdown._cli.source import PARTS_OF_FILES, open_source, source_options
from splashdown._cli.transfer import (
    log_of_files,
    print_warnings,
    progress_display,
    settings_for,
    take_settings,
    transfer_options,
)
from splashdown._display.text import counted, printable
from splashdown.redact import redact_target

if TYPE_CHECKING:
    from splashdown.model import RunReport
    from splashdown.results import JobResults

Identity = tuple[str | None, str]
#: Statuses of a report that are repeated.
_AGAIN = ("failed", "not_tried")


def parts_of_files(function: F) -> F:
    """The options that say of which parts of files the report is."""
    return with_options(function, PARTS_OF_FILES)


@click.command("retry", cls=Command, short_help="Repeat what failed in an earlier download.")
@click.argument("report", metavar="TARGET|REPORT.json")
@transfer_options
@exec_options
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--quiet", is_flag=True, help="Show one line at the end, and warnings and errors.")
@parts_of_files
@source_options
def command(report: str, as_json: bool, quiet: bool, **given: Any) -> int:
    """Repeat what failed or was not tried in an earlier download, under the same names and in the same target.

    Example: splashdown retry data/

    TARGET is that of the download: what failed in the last one is remembered for the user who ran it. REPORT.json is
    what "download --json" printed; "-" reads it from standard input. The source is read again, so that links that have
    expired are new.
    """
    from splashdown._cli.last_run import remember
    from splashdown._cli.show import perform, show, style_of
    from splashdown.actions import Download
    from splashdown.model import Plan, RunReport

    program = take_command(given)
    settings, given_rule, executor = take_settings(given), given.pop("if_exists"), given.pop("executor")
    earlier = _read(report)
    wanted = dict(_unfinished(earlier))
    if not wanted:
        empty = RunReport(plan=Plan(target=earlier["target"], transfers=(), source=earlier["source"]), outcomes=())
        return show(empty, style_of(as_json=as_json, quiet=quiet))
    for word in ("clip", "unpack"):
        if word in (earlier.get("narrowed") or ()) and not given.get(word):
            raise click.UsageError(f"the report is of a run with --{word}: write it here as it was written there")
    results = open_source(earlier["source"], action="retry", quiet=quiet, **given)
    print_warnings(results)
    options = {"report": _rebuilt(results, earlier, wanted, given_rule), "settings": settings_for(results, settings)}
    options |= {"executor": executor} if executor else {}
    shown = progress_display(results.session, quiet=quiet or program is not None)
    listeners = [*shown, *log_of_files(results.session)]
    done = perform(runner(results, program), "retry", listeners=listeners, progress=False, **options)
    report_of_this = done.report if isinstance(done, Download) else done
    remember(report_of_this, str(earlier.get("metadata") or ""), results.result_set.narrowed)
    return show(done, style_of(as_json=as_json, quiet=quiet), results.result_set, failures=not shown)


def _read(place: str) -> Mapping[str, Any]:
    """The report, with the fields that are used here. Raises ``click.UsageError`` for anything else."""
    found = _last_run(place) if place != "-" and not Path(place).is_file() else _document(place)
    if found["source"].endswith("?..."):
        raise click.UsageError(
            f"the source was {found['source']}, and a report does not hold its signature: run the same command again,"
            " which keeps what is complete"
        )
    return found


def _last_run(target: str) -> Mapping[str, Any]:
    from splashdown._cli.last_run import failed_run

    found = failed_run(target)
    if found is None or not _is_report(found):
        raise click.UsageError(
            f"no download to {redact_target(target)} that failed is remembered here: run the same command again, which"
            " keeps what is complete, or give the report that 'download --json' printed"
        )
    return found


def _document(place: str) -> Mapping[str, Any]:
    try:
        text = sys.stdin.read() if place == "-" else Path(place).read_text(encoding="utf-8")
        found = json.loads(text)
    except OSError as error:
        raise click.UsageError(f"{place} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise _not_a_report(place) from None
    if not isinstance(found, dict) or not _is_report(found):
        raise _not_a_report(place)
    return found


def _is_report(found: Mapping[str, Any]) -> bool:
    named = all(isinstance(found.get(name), str) and found[name] for name in ("source", "target"))
    return named and isinstance(found.get("outcomes"), list)


def _not_a_report(place: str) -> click.UsageError:
    return click.UsageError(f"{place} is not the report of a download: keep what 'download --json' prints")


def _unfinished(report: Mapping[str, Any]) -> Iterator[tuple[Identity, str]]:
    """The identity of each asset that did not land, and its name in the target."""
    from splashdown.safe_names import leads_below

    for one in report["outcomes"]:
        if not isinstance(one, dict) or one.get("status") not in _AGAIN:
            continue
        item, key, name = one.get("item"), one.get("key"), one.get("name")
        if not isinstance(key, str) or not isinstance(item, str | None) or not leads_below(name):
            raise click.UsageError(f"the report has an outcome without a key or without a safe name: {name!r}")
        yield (item, key), name


def _rebuilt(results: JobResults, report: Mapping[str, Any], wanted: Mapping[Identity, str], rule: str) -> RunReport:
    """The earlier run with what the source lists today."""
    from splashdown._receipts.document import name_of
    from splashdown.columns import columns, take
    from splashdown.model import IfExists, Outcome, Plan, RunReport, Status, Transfer

    at = [n for n, identity in enumerate(columns(results.assets, "identity")) if identity in wanted]
    if missing := len(wanted) - len(at):
        click.echo(f"Warning: the source does not list {counted(missing, 'asset')} any more", err=True)
    assets = take(results.assets, at)
    transfers = [Transfer(asset=asset, name=wanted[asset.identity], if_exists=IfExists(rule)) for asset in assets]
    parts = results.result_set.parts
    documents = tuple(part.prefix + name_of(part.results) for part in parts)
    written = str(report.get("metadata") or "")
    if written and not any(written.endswith(name) for name in documents):
        raise click.UsageError(
            f"{printable(written)} is not the document of a plain download: run the same command again, which keeps"
            " what is complete"
        )
    wants_documents = bool(written or report.get("metadata_error"))
    plan = Plan(
        target=report["target"],
        transfers=transfers,
        source=report["source"],
        documents=documents if wants_documents else (),
    )
    return RunReport(plan=plan, outcomes=[Outcome(transfer=one, status=Status.FAILED) for one in transfers])
