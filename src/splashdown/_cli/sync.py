"""``splashdown sync``: make a target hold what a source lists."""

from __future__ import annotations

from typing import Any

import click

from splashdown._cli.collection import collection_options, take_collection
from splashdown._cli.exec_options import exec_options, runner, take_command
from splashdown._cli.help import Command, was_given
from splashdown._cli.source import SERVER_NAMES, filter_options, open_source, source_options
from splashdown._cli.transfer import (
    log_of_files,
    print_warnings,
    progress_display,
    settings_for,
    take_settings,
    transfer_options,
)


@click.command("sync", cls=Command, short_help="Make a target hold what a source lists.")
@click.argument("source")
@click.argument("target")
@filter_options
@click.option("--delete", is_flag=True, help="Remove files whose asset the source no longer has.")
@collection_options
@click.option("--layout", help="A preset or a template for file names.")
@SERVER_NAMES
@transfer_options
@exec_options
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--quiet", is_flag=True, help="Show one line at the end, and warnings and errors.")
@source_options
def command(source: str, target: str, as_json: bool, quiet: bool, **given: Any) -> int:
    """Download to TARGET what SOURCE lists and TARGET does not hold yet.

    Example: splashdown sync https://openeo.example/openeo/1.2/jobs/JOB data/ --delete

    Only files that a receipt in TARGET describes, and that are still as they were stored, are ever removed; those of
    other sources are among them, so give each source a target of its own.
    """
    from splashdown._cli.last_run import remember
    from splashdown._cli.show import show, style_of
    from splashdown.actions import SyncReport
    from splashdown.errors import DownloadError, Interrupted

    catalog = take_collection(given)
    dry_run, style = given.pop("dry_run"), style_of(as_json=as_json, quiet=quiet)
    layout, if_exists = given.pop("layout"), given.pop("if_exists")
    options: dict[str, Any] = {"delete": given.pop("delete"), **(catalog or {})}
    options |= {"layout": layout} if layout else {}
    options |= {"if_exists": if_exists} if was_given("if_exists") else {}
    chosen, program = take_settings(given), take_command(given)
    if executor := given.pop("executor"):
        options["executor"] = executor
    results = open_source(source, action="sync", quiet=quiet, **given)
    print_warnings(results, dry_run=dry_run)
    options |= {"target": target, "as_collection": catalog is not None, "settings": settings_for(results, chosen)}
    if dry_run:
        return show(results.dry_run("sync", **options), style)
    shown = progress_display(results.session, quiet=quiet or program is not None)
    listeners = [*shown, *log_of_files(results.session)]
    failed = False
    try:
        done = runner(results, program)("sync", listeners=listeners, progress=False, **options)
    except (DownloadError, Interrupted) as error:
        failed = True
        done = SyncReport(plan=error.report.plan, report=error.report, metadata=error.metadata)
    if catalog is None and isinstance(done, SyncReport) and done.report is not None:
        remember(done.report, done.metadata, results.result_set.narrowed)
    code = show(done, style, results.result_set, failures=not shown)
    if failed and options["delete"]:
        click.echo("Nothing was removed.", err=True)
    return code
