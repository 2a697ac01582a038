"""What ``splashdown download --as-collection`` takes besides the options of every download."""

from __future__ import annotations

from typing import Any

import click

from splashdown._cli.help import F, with_options


def collection_options(function: F) -> F:
    """Give a command the options of a STAC catalog as output."""
    options = (
        click.option("--as-collection", is_flag=True, help="Save a self-contained STAC catalog: documents and files."),
        click.option(
            "--output",
            type=click.Choice(["catalog", "items", "geoparquet"]),
            help="With --as-collection: a catalog (the default), one ItemCollection, or that and STAC-GeoParquet.",
        ),
        click.option(
            "--missing",
            type=click.Choice(["keep", "drop"]),
            help="With --as-collection: what becomes of assets that are not saved. Default: drop.",
        ),
        click.option("--original-hrefs", is_flag=True, help="With --as-collection: keep them, without secrets."),
    )
    return with_options(function, options)


def take_collection(given: dict[str, Any]) -> dict[str, Any] | None:
    """Take these options out of a command's; ``None`` without ``--as-collection``."""
    wanted = given.pop("as_collection")
    options = {name: value for name in ("output", "missing", "original_hrefs") if (value := given.pop(name))}
    if options and not wanted:
        raise click.UsageError(f"--{next(iter(options)).replace('_', '-')} goes with --as-collection only")
    return options if wanted else None
