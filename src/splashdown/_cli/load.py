"""``splashdown load``: one asset on the screen, as JSON, text, or a summary of what it is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from splashdown._cli import render
from splashdown._cli.source import open_source, source_options

if TYPE_CHECKING:
    from splashdown.results import ResultAsset


@click.command("load")
@click.argument("source")
@click.argument("key", required=False)
@click.option("--loader", metavar="NAME", help="Take this loader instead of the one for the media type.")
@source_options
def command(source: str, key: str | None, loader: str | None, **given: Any) -> None:
    """Print one asset of SOURCE: JSON as JSON, text as text, a summary of anything else.

    Example: splashdown load collection.json timeseries.json
    """
    results = open_source(source, **given)
    asset = results.get_asset(key)
    show(asset, loader)


def show(asset: ResultAsset, loader: str | None = None) -> None:
    """Print an asset as the loader that fits it sees it."""
    from splashdown._loading import apply, choose

    handle = asset.open()
    spec = choose(handle, asset.results.session.registry, loader)
    value = apply(spec, handle)
    if spec.summarise is not None:
        render.facts(render.printable(asset.asset.label), spec.summarise(value))
    elif isinstance(value, str):
        sys.stdout.write(value if value.endswith("\n") else value + "\n")
    elif isinstance(value, bytes | bytearray | memoryview):
        click.echo(f"{len(value)} bytes of type {asset.media_type or 'unknown'}; save it with: splashdown download")
    else:
        render.echo_json(value)
