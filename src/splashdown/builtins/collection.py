"""The action ``download_collection``: a self-contained STAC catalog of the results, through any sink.

:mod:`splashdown._receipts.catalog` decides which documents there are; this module holds the order: names, files,
documents.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from splashdown._receipts import document as receipt
from splashdown._receipts.names import COMPANIONS
from splashdown._saving.options import SaveOptions
from splashdown._saving.receipts import Landed, move
from splashdown._saving.refusals import refuse_empty, refuse_file_as_folder, refuse_no_assets
from splashdown.actions import Download, Results
from splashdown.errors import OptionError, UsageError
from splashdown.hookspecs import hookimpl
from splashdown.model import IfExists, Plan
from splashdown.protocols import Sink
from splashdown.redact import safely_shown
from splashdown.specs import ActionSpec

if TYPE_CHECKING:
    from splashdown._receipts.catalog import Arrangement, Writer

OUTPUTS = ("catalog", "items", "geoparquet")
_JSON, _GEOJSON, _PARQUET = "application/json", "application/geo+json", "application/vnd.apache.parquet"


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CollectionOptions(SaveOptions):
    """What ``download_collection`` takes besides the target."""

    missing: str = "drop"  #: what becomes of assets that were filtered out or failed: ``keep`` or ``drop``
    original_hrefs: bool = False  #: keep the original hrefs, without secrets, as ``alternate``
    output: str = "catalog"  #: ``catalog``, ``items`` (one ItemCollection) or ``geoparquet`` (that, and a table)
    layout: str | None = None  #: a preset or template for names; by default files stand beside their items
    if_exists: str = IfExists.AUTO

    def __post_init__(self) -> None:
        for name, choices in (("missing", ("keep", "drop")), ("output", OUTPUTS)):
            if getattr(self, name) not in choices:
                raise OptionError(f"{name} is one of {', '.join(choices)}, not {getattr(self, name)!r}")


def download_collection(results: Results, target: str | Path = ".", **given: Any) -> Download:
    """Save assets and documents as a STAC catalog; the outcome's document is its root.

    Raises ``DownloadError`` at the end when something failed, or when a source or a linked document could not be read.
    """
    from splashdown._receipts.catalog import arrange

    options = CollectionOptions(**given)
    refuse_no_assets(results)
    if results.result_set.members:
        raise UsageError("several sources make no single catalog: open and save them one by one")
    refuse_file_as_folder(target)
    arrangement = arrange(results.result_set)
    _refuse_output(results, arrangement, options)
    names = arrangement.names if options.output == "catalog" else ("items.json",)
    plan = replace(_plan(results, target, arrangement, options), documents=names)
    refuse_empty(plan)

    def write(landed: Landed) -> list[str]:
        return [_write(results, arrangement, options, landed)]

    download = move(results, plan, options, parts=results.result_set.parts, write=write)
    download.raise_failures(results.result_set.unresolved)
    return download


def plan_collection(results: Results, target: str | Path = ".", **given: Any) -> Plan:
    """What :func:`download_collection` would do with the files."""
    from splashdown._receipts.catalog import arrange

    return _plan(results, target, arrange(results.result_set), CollectionOptions(**given))


def _refuse_output(results: Results, arrangement: Arrangement, options: CollectionOptions) -> None:
    if options.output != "catalog" and not arrangement.items and arrangement.root.item is None:
        raise UsageError(f"{results!r} has no items, so output={options.output!r} would be empty: use 'catalog'")
    if options.output == "geoparquet":
        from splashdown._documents.geoparquet import can_write

        can_write()  # before the first byte, not after the last


def _plan(results: Results, target: str | Path, arrangement: Arrangement, options: CollectionOptions) -> Plan:
    return results.plan(
        target,
        layout=options.layout or arrangement.layout,
        if_exists=options.if_exists,
        reserved=[*arrangement.names, "items.json", *COMPANIONS],
    )


def _write(results: Results, arrangement: Arrangement, options: CollectionOptions, landed: Landed) -> str:
    from splashdown._receipts.catalog import Writer
    from splashdown._receipts.entries import Places

    sink = landed.sink
    writer = Writer(
        arrangement=arrangement,
        result_set=results.result_set,
        places=Places(landed.report.landed, landed.kept),
        recorded=landed.kept,
        keep_missing=options.missing == "keep",
        original_hrefs=options.original_hrefs,
    )
    if options.output != "catalog":
        return _write_items(writer, sink, table=options.output == "geoparquet")
    location, written = "", set()
    for name, body in writer.documents():
        written.add(name)
        if name == arrangement.root.name:
            receipt.keep_documents(body, (old for old in landed.documents if old not in written))
        location = receipt.store(sink, name, body, _GEOJSON if body.get("type") == "Feature" else _JSON)
    return location


def _write_items(writer: Writer, sink: Sink, *, table: bool) -> str:
    body = writer.item_collection()
    location = receipt.store(sink, "items.json", body, _GEOJSON)
    if not table:
        return location
    from splashdown._documents.geoparquet import write_items

    return receipt.store_bytes(sink, COMPANIONS[0], write_items(body["features"]), _PARQUET)


@hookimpl
def splashdown_actions() -> Iterable[ActionSpec]:
    """Offer the verb."""
    yield ActionSpec(
        name="download_collection",
        run=download_collection,
        plan=plan_collection,
        options=CollectionOptions,
        summary="save assets and metadata as a self-contained STAC catalog",
    )
