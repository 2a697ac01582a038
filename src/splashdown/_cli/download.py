"""``splashdown download``: save assets to a folder or a store."""

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
from splashdown.sources import is_url

if TYPE_CHECKING:
    from splashdown.model import Plan
    from splashdown.results import JobResults


@click.command("download", cls=Command, short_help="Save assets to a folder or a store.")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE... [TARGET]")
@filter_options
@click.option("--key", metavar="K", help="Only this asset; TARGET is then a file or an existing folder.")
@collection_options
@click.option("--layout", help="A preset or a template for file names; openeo, or beside their items in a catalog.")
@click.option("--overwrite", is_flag=True, help="Fetch everything again; the same as --if-exists overwrite.")
@transfer_options
@click.option("--no-metadata", is_flag=True, help="Do not save the STAC document.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--quiet", is_flag=True, help="Show nothing but warnings and errors.")
@source_options
def command(sources: tuple[str, ...], dry_run: bool, key: str | None, as_json: bool, quiet: bool, **given: Any) -> int:
    """Save the assets of SOURCE to TARGET, a folder or a URL such as s3://bucket/prefix/.

    Example: splashdown download https://openeo.example/openeo/1.2/jobs/JOB data/ --type image/tiff

    Several sources get a folder each; name the target last then.

    A file that is complete is not fetched again; an interrupted run goes on where it stopped.
    """
    if given.pop("overwrite"):
        given["if_exists"] = "overwrite"
    style = "json" if as_json else "quiet" if quiet else "table"
    catalog = take_collection(given)
    if catalog is not None and key is not None:
        raise click.UsageError("--key saves a single file, --as-collection a catalog: use --include to choose assets")
    options = _transfer_options(given)
    source, target = _split(sources)
    results = open_source(source, quiet=quiet, **given)
    options["settings"] = settings_for(results, options["settings"])
    print_warnings(results)
    if dry_run:
        return _show_plan(_plan(results, key, target, options, catalog), style)
    options["progress"] = not quiet
    if key is not None:
        return _download_one(results, key, target, style, options)
    return _download_all(results, target, style, options, catalog)


def _split(arguments: tuple[str, ...]) -> tuple[object, str]:
    """Sources and target: the last of several arguments is the target, unless it is a URL that is only read from."""
    if len(arguments) > 1 and not is_url(arguments[-1]):
        *sources, target = arguments
    else:
        sources, target = list(arguments), "."
    return (sources if len(sources) > 1 else sources[0]), target


def _transfer_options(given: dict[str, Any]) -> dict[str, Any]:
    """Take what concerns the transfer out of the command's options."""
    layout = given.pop("layout")
    options: dict[str, Any] = {
        **({"layout": layout} if layout else {}),
        "if_exists": given.pop("if_exists"),
        "include_stac_metadata": not given.pop("no_metadata"),
        "settings": take_settings(given),
    }
    return options


def _plan(
    results: JobResults, key: str | None, target: str, options: dict[str, Any], catalog: dict[str, Any] | None
) -> Plan:
    from splashdown.builtins.collection import plan_collection
    from splashdown.builtins.download import plan_download, plan_download_file

    chosen = {name: options[name] for name in ("layout", "if_exists") if name in options}
    if catalog is not None:
        return plan_collection(results, target, **chosen, **catalog)
    if key is None:
        return plan_download(results, target, **chosen)
    return plan_download_file(results, target, key, **chosen)


def _show_plan(plan: Plan, style: str) -> int:
    if style == "json":
        render.echo_json(render.plan_record(plan))
        return 0
    render.table(
        ("file", "asset", "size"),
        [(t.name, t.asset.label, readable(t.asset.size)) for t in plan.transfers],
        right=("size",),
    )
    for skipped in plan.skipped:
        click.echo(printable(f"not {skipped.asset.label}: {skipped.reason}"))
    files, unknown = counted(len(plan.transfers), "file"), sum(t.asset.size is None for t in plan.transfers)
    more = f" and {counted(unknown, 'file')} of unknown size" if unknown else ""
    click.echo(
        f"{files} would go to {redact_target(plan.target)}: {readable(plan.known_size)}{more}; nothing was moved"
    )
    return 0


def _download_one(results: JobResults, key: str, target: str, style: str, options: dict[str, Any]) -> int:
    from splashdown.builtins.download import as_place, run_download_file
    from splashdown.errors import DownloadError

    options.pop("include_stac_metadata")
    if options["if_exists"] == "auto":
        options.pop("if_exists")
    try:
        report = run_download_file(results, target, key, **options).report
    except DownloadError as error:
        report = error.report
    if style == "json":
        render.echo_json(render.report_record(report))
    elif style == "table":
        for outcome in report.landed:
            click.echo(str(as_place(report.plan.target, outcome.location)))
    return print_failures(report, each=style == "quiet")


def _download_all(
    results: JobResults, target: str, style: str, options: dict[str, Any], catalog: dict[str, Any] | None
) -> int:
    from splashdown.builtins.collection import run_collection
    from splashdown.builtins.download import run_download
    from splashdown.errors import DownloadError

    try:
        if catalog is None:
            done = run_download(results, target, **options)
        else:
            options.pop("include_stac_metadata")
            done = run_collection(results, target, **options, **catalog)
        report, metadata = done.report, done.metadata
    except DownloadError as error:
        report, metadata = error.report, error.metadata
    if style == "json":
        render.echo_json(render.report_record(report, metadata, results.result_set))
    elif style == "table":
        render.report_table(report)
        click.echo(
            f"{len(report.landed)} of {counted(len(report.outcomes), 'file')} in {redact_target(target)},"
            f" {readable(report.bytes_moved)} moved in {report.seconds:.1f} s"
        )
    return print_failures(report, results.result_set.unresolved, each=style == "quiet")
