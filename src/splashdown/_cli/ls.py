"""``splashdown ls``: what a source lists."""

from __future__ import annotations

from typing import Any

import click

from splashdown._cli import render
from splashdown._cli.help import Command
from splashdown._cli.source import filter_options, open_source, source_options
from splashdown._display.html import has_items
from splashdown._display.text import counted, printable, readable


@click.command("ls", cls=Command, short_help="List the assets of a source.")
@click.argument("source")
@filter_options
@source_options
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
def command(source: str, as_json: bool, **given: Any) -> None:
    """List the assets of SOURCE: an openEO job's URL, or a STAC document's path or URL ("-" reads stdin).

    Example: splashdown ls collection.json --type image/tiff
    """
    results = open_source(source, **given)
    for warning in results.result_set.warnings:
        click.echo(f"Warning: {printable(warning)}", err=True)
    if as_json:
        render.echo_json([render.asset_record(asset) for asset in results.assets])
        return
    with_items = has_items(results.assets)
    columns = (("item",) if with_items else ()) + ("key", "type", "roles", "size")
    rows = [
        ((asset.item or "",) if with_items else ())
        + (asset.key, _plain_type(asset.media_type), ", ".join(asset.roles), readable(asset.size))
        for asset in results.assets
    ]
    if rows:
        render.table(columns, rows, right=("size",))
    dropped = f"; filters dropped {len(results.skipped)}" if results.skipped else ""
    click.echo(f"{counted(len(rows), 'asset')} of {results.result_set.kind} {printable(results.id)}{dropped}")


def _plain_type(media_type: str | None) -> str:
    # The parameters of a GeoTIFF's type take half a line; they are in --json.
    return (media_type or "").partition(";")[0].strip()
