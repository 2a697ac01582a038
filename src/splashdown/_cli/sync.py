"""``splashdown sync``: make a target hold what a source lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from splashdown._cli import render
from splashdown._cli.help import Command
from splashdown._cli.main import EXIT_FAILED
from splashdown._cli.source import filter_options, open_source, source_options
from splashdown._shown import printable, readable

if TYPE_CHECKING:
    from splashdown.builtins.sync import SyncReport


@click.command("sync", cls=Command, short_help="Make a target hold what a source lists.")
@click.argument("source")
@click.argument("target")
@filter_options
@click.option("--delete", is_flag=True, help="Remove files whose asset the source no longer has.")
@click.option("--as-collection", is_flag=True, help="Save a self-contained STAC catalog: documents and files.")
@click.option("--layout", help="A preset or a template for file names.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--quiet", is_flag=True, help="Show nothing but errors.")
@source_options
def command(source: str, target: str, as_json: bool, quiet: bool, **given: Any) -> int:
    """Download to TARGET what SOURCE lists and TARGET does not hold yet.

    Example: splashdown sync https://openeo.example/openeo/1.2/jobs/JOB data/ --delete

    Only files that a receipt in TARGET describes, and that are still as they were stored, are ever removed.
    """
    from splashdown.builtins.sync import sync
    from splashdown.errors import DownloadError

    options = {name: given.pop(name) for name in ("delete", "as_collection", "dry_run")}
    if layout := given.pop("layout"):
        options["layout"] = layout
    results = open_source(source, **given)
    try:
        done = sync(results, target, progress=not quiet, **options)
    except DownloadError as error:
        if as_json:
            render.echo_json(render.report_record(error.report))
        click.echo(f"Error: {error}; nothing was removed", err=True)
        return EXIT_FAILED
    if as_json:
        render.echo_json(_record(done, target))
    elif not quiet:
        _show(done, target)
    return 0


def _record(done: SyncReport, target: str) -> dict[str, Any]:
    record = render.plan_record(done.plan) if done.report is None else render.report_record(done.report, done.metadata)
    return record | {
        "target": target,
        "stale": list(done.stale),
        "removed": list(done.removed),
        "left": dict(done.left or {}),
    }


def _show(done: SyncReport, target: str) -> None:
    if done.report is None:
        render.table(("file", "asset"), [(t.name, t.asset.label) for t in done.plan.transfers])
        click.echo(f"{len(done.plan.transfers)} files would be in {target}; nothing was done")
    else:
        render.report_table(done.report)
        click.echo(
            f"{len(done.report.landed)} files are in {target}, {readable(done.report.bytes_moved)} moved,"
            f" {len(done.removed)} removed"
        )
    for name in done.removed:
        click.echo(f"removed: {printable(name)}")
    for name in done.stale:
        if name not in done.removed:
            why = (done.left or {}).get(name, "remove it with --delete")
            click.echo(f"not in the source any more: {printable(name)}: {why}")
