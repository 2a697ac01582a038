"""``splashdown ls``: what a source lists."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from splashdown._cli import render
from splashdown._cli.exit_codes import EXIT_NOT_RESOLVED
from splashdown._cli.help import Command
from splashdown._cli.source import filter_options, open_source, source_options
from splashdown._display.text import counted, has_items, printable, readable
from splashdown.columns import columns

if TYPE_CHECKING:
    from splashdown.results import JobResults

#: What ``--sort`` orders by, and the field of an asset that it is.
SORTS = {"key": "key", "item": "item", "size": "size", "type": "media_type", "datetime": "start"}
#: Assets whose needs are looked at; those of a source are usually alike.
_SAMPLE = 1000
#: Lines of a list that are written at once.
_LINES = 500
_MOST_NEEDS = 5


@click.command("ls", cls=Command, short_help="List the assets of a source.")
@click.argument("source")
@filter_options
@source_options
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "urls", "aria2", "wget", "csv", "geojson", "metalink"]),
    default="table",
    show_default=True,
    help="urls, aria2, wget and metalink have the hrefs as they are, signatures included.",
)
@click.option("--sort", type=click.Choice(list(SORTS)), help="Order by this; assets without it come last.")
@click.option("--reverse", is_flag=True, help="With --sort: the largest or latest first.")
def command(source: str, as_json: bool, form: str, sort: str | None, reverse: bool, **given: Any) -> int:
    """List the assets of SOURCE: an openEO job's URL, or a STAC document's path or URL ("-" reads stdin).

    Example: splashdown ls collection.json --type image/tiff

    Exit code 3: there is nothing to list.
    """
    results = open_source(source, **given)
    if sort is not None:
        results = results.sorted_by(SORTS[sort], reverse=reverse)
    for warning in results.result_set.warnings:
        click.echo(f"Warning: {printable(warning)}", err=True)
    if as_json or form == "json":
        render.echo_assets(results.assets, lambda number: _needs(results, number))
    elif form == "table":
        _show_table(results)
    else:
        from splashdown._cli.asset_lists import FORMATS

        lines = FORMATS[form](results)
        while some := [*islice(lines, _LINES)]:  # each call of echo costs as much as a line
            click.echo("\n".join(some))
    return 0 if results.assets else EXIT_NOT_RESOLVED


def _show_table(results: JobResults) -> None:
    # The last line names an item that is the source itself.
    single = all(item == results.id for item in columns(results.assets, "item"))
    with_items = not single and has_items(columns(results.assets, "item", "key"))
    head = ("item", "key", "type", "roles", "size")
    types = _Types()
    rows = [
        (item or "", key, types[media_type], ", ".join(roles), readable(size))
        for item, key, media_type, roles, size in columns(results.assets, "item", "key", "media_type", "roles", "size")
    ]
    if rows:
        shown = slice(None) if with_items else slice(1, None)
        render.table(head[shown], rows if with_items else [row[shown] for row in rows], right=("size",))
    dropped = f"; filters dropped {len(results.skipped)}" if results.skipped else ""
    click.echo(f"{counted(len(rows), 'asset')} of {results.result_set.kind} {printable(results.id)}{dropped}")
    naming = islice(columns(results.assets, "metadata"), _SAMPLE)
    needs = [_needs(results, n) for n, metadata in enumerate(naming) if not render.NAMING_NEEDS.isdisjoint(metadata)]
    for line in islice(dict.fromkeys(filter(None, needs)), _MOST_NEEDS):
        click.echo(f"needs: {line}")


def _needs(results: JobResults, number: int) -> str | None:
    """What the document says that reading an asset takes."""
    from splashdown._stac.needs import needs_of  # late: few documents say anything

    return needs_of(results.assets[number], results.result_set.document) or None


class _Types(dict[str | None, str]):
    """Media types without their parameters, which take half a line for a GeoTIFF; they are in --json."""

    def __missing__(self, media_type: str | None) -> str:
        self[media_type] = plain = (media_type or "").partition(";")[0].strip()
        return plain
