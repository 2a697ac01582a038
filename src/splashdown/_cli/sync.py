"""``splashdown sync``: make a target hold what a source lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from splashdown._cli import render
from splashdown._cli.collection import collection_options, take_collection
from splashdown._cli.help import Command
from splashdown._cli.source import filter_options, open_source, source_options
from splashdown._cli.transfer import print_failures, print_warnings, settings_for, take_settings, transfer_options
from splashdown._display.text import counted, printable, readable
from splashdown.redact import redact_target

if TYPE_CHECKING:
    from splashdown.builtins.sync import SyncReport
    from splashdown.model import ResultSet


@click.command("sync", cls=Command, short_help="Make a target hold what a source lists.")
@click.argument("source")
@click.argument("target")
@filter_options
@click.option("--delete", is_flag=True, help="Remove files whose asset the source no longer has.")
@collection_options
@click.option("--layout", help="A preset or a template for file names.")
@transfer_options
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--quiet", is_flag=True, help="Show nothing but warnings and errors.")
@source_options
def command(source: str, target: str, as_json: bool, quiet: bool, **given: Any) -> int:
    """Download to TARGET what SOURCE lists and TARGET does not hold yet.

    Example: splashdown sync https://openeo.example/openeo/1.2/jobs/JOB data/ --delete

    Only files that a receipt in TARGET describes, and that are still as they were stored, are ever removed; those of
    other sources are among them, so give each source a target of its own.
    """
    from splashdown.builtins.sync import SyncReport, sync
    from splashdown.errors import DownloadError

    catalog = take_collection(given)
    options: dict[str, Any] = {name: given.pop(name) for name in ("delete", "dry_run", "if_exists")} | (catalog or {})
    if layout := given.pop("layout"):
        options["layout"] = layout
    chosen = take_settings(given)
    results = open_source(source, quiet=quiet, **given)
    print_warnings(results)
    options |= {"settings": settings_for(results, chosen), "progress": not quiet}
    failed = False
    try:
        done = sync(results, target, as_collection=catalog is not None, **options)
    except DownloadError as error:
        failed = True
        done = SyncReport(plan=error.report.plan, report=error.report, metadata=error.metadata)
    if as_json:
        render.echo_json(_record(done, target, results.result_set))
    elif not quiet:
        _show(done, target)
    if done.report is None:
        return 0
    code = print_failures(done.report, results.result_set.unresolved, each=quiet and not as_json)
    if failed and options["delete"]:
        click.echo("Nothing was removed.", err=True)
    return code


def _record(done: SyncReport, target: str, source: ResultSet) -> dict[str, Any]:
    if done.report is None:
        record = render.plan_record(done.plan)
    else:
        record = render.report_record(done.report, done.metadata, source)
    return record | {
        "target": redact_target(target),
        "stale": list(done.stale),
        "removed": list(done.removed),
        "left": dict(done.left or {}),
    }


def _show(done: SyncReport, target: str) -> None:
    if done.report is None:
        render.table(("file", "asset"), [(t.name, t.asset.label) for t in done.plan.transfers])
        click.echo(f"{len(done.plan.transfers)} files would be in {redact_target(target)}; nothing was done")
    else:
        report = done.report
        render.report_table(report)
        click.echo(
            f"{len(report.landed)} of {counted(len(report.outcomes), 'file')} in {redact_target(target)},"
            f" {readable(report.bytes_moved)} moved, {len(done.removed)} removed"
        )
    for name in done.removed:
        click.echo(f"removed: {printable(name)}")
    for name in done.stale:
        if name not in done.removed:
            why = (done.left or {}).get(name, "remove it with --delete")
            click.echo(f"not in the source any more: {printable(name)}: {why}")
