"""``splashdown load``: one asset on the screen, as JSON, text, or a summary of what it is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from splashdown._cli import render
from splashdown._cli.help import Command
from splashdown._cli.source import open_source, source_options
from splashdown._shown import printable

if TYPE_CHECKING:
    from splashdown.results import ResultAsset


@click.command("load", cls=Command, short_help="Print one asset: JSON, text, or a summary.")
@click.argument("source")
@click.argument("key", required=False)
@click.option("--loader", metavar="NAME", help="Take this loader instead of the one for the media type.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, whatever the asset is.")
@source_options
def command(source: str, key: str | None, loader: str | None, as_json: bool, **given: Any) -> None:
    """Print one asset of SOURCE: JSON as JSON, text as text, a summary of anything else.

    Example: splashdown load collection.json timeseries.json
    """
    results = open_source(source, **given)
    asset = results.get_asset(key)
    show(asset, loader, as_json=as_json)


def show(asset: ResultAsset, loader: str | None = None, *, as_json: bool = False) -> None:
    """Print an asset as the loader that fits it sees it."""
    from splashdown._loading import apply, choose

    handle = asset.open()
    spec = choose(handle, asset.results.session.registry, loader)
    value = apply(spec, handle)
    facts = spec.summarise(value) if spec.summarise is not None else None
    count = len(value) if isinstance(value, bytes | bytearray | memoryview) else None
    if as_json:
        render.echo_json(facts or (value if count is None else {"bytes": count, "type": asset.media_type}))
    elif facts is not None:
        render.facts(printable(asset.asset.label), facts)
    elif isinstance(value, str):
        sys.stdout.write(value if value.endswith("\n") else value + "\n")
    elif count is not None:
        click.echo(f"{count} bytes of type {asset.media_type or 'unknown'}; save it with: splashdown download")
    else:
        render.echo_json(value)
