"""HTML tables for notebooks. Strings of documents are escaped, hrefs are without secrets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from splashdown._display.text import counted, has_items, readable, total
from splashdown.redact import redact, redact_target

if TYPE_CHECKING:
    from splashdown.model import Asset, Plan, RunReport

#: More rows than this make a notebook slow to scroll.
_MOST_ROWS = 60
_MOST_WARNINGS = 5


def results_html(kind: str, name: str, assets: Sequence[Asset], warnings: Sequence[str] = ()) -> str:
    """A table of the assets of a source, with their number, total size and warnings."""
    with_items = has_items((asset.item, asset.key) for asset in assets)
    head = (*(("item",) if with_items else ()), "key", "type", "roles", "size")
    rows = [_cells(asset, with_items=with_items) for asset in assets[:_MOST_ROWS]]
    size = total(asset.size for asset in assets)
    count = counted(len(assets), "asset") + (f", {readable(size)}" if size else "")
    title = f"{escape(kind)} <b>{escape(name)}</b>: {count}"
    missed = "".join(f"<p>Warning: {escape(line)}</p>" for line in warnings[:_MOST_WARNINGS])
    if len(warnings) > _MOST_WARNINGS:
        missed += f"<p>and {len(warnings) - _MOST_WARNINGS} more warnings</p>"
    return f"<p>{title}</p>{_table(head, rows)}{_more(len(assets))}{missed}"


def plan_html(plan: Plan) -> str:
    """The transfers of a plan, and the assets left out with the reasons."""
    rows = [(one.name, one.asset.label, readable(one.asset.size)) for one in plan.transfers[:_MOST_ROWS]]
    count = f"{counted(len(plan.transfers), 'file')}, {readable(plan.known_size)}"
    left_out = [(one.asset.label, one.reason) for one in plan.skipped[:_MOST_ROWS]]
    return (
        f"<p>plan for <b>{escape(redact_target(plan.target))}</b>: {count}</p>{_table(('file', 'asset', 'size'), rows)}"
        f"{_more(len(plan.transfers))}"
        + (f"<p>not these:</p>{_table(('asset', 'reason'), left_out)}{_more(len(plan.skipped))}" if left_out else "")
    )


def report_html(report: RunReport) -> str:
    """The outcome of each file, failed ones first."""
    first = [*report.failed, *report.landed[:_MOST_ROWS]][:_MOST_ROWS]
    rows = [
        (one.transfer.name, readable(one.size), str(one.status), one.error or one.reason or ", ".join(one.verified))
        for one in first
    ]
    count = f"{len(report.landed)} of {counted(len(report.outcomes), 'file')}, {readable(report.bytes_moved)} moved"
    table = _table(("file", "size", "status", "what was found"), rows)
    return (
        f"<p>run to <b>{escape(redact_target(report.plan.target))}</b>: {count}</p>{table}{_more(len(report.outcomes))}"
    )


def verify_html(target: str, ok: int, found: Sequence[tuple[str, int | None, str, str]]) -> str:
    """Name, size, state and detail of each file of a target, and how many are as they were stored."""
    rows = [(name, readable(size), state, detail) for name, size, state, detail in found[:_MOST_ROWS]]
    table = _table(("file", "size", "state", "what was found"), rows)
    count = f"{ok} of {counted(len(found), 'file')} as stored"
    return f"<p><b>{escape(redact_target(target))}</b>: {count}</p>{table}{_more(len(found))}"


def asset_html(asset: Asset) -> str:
    """The metadata of one asset."""
    fields = {
        "key": asset.key,
        "item": asset.item,
        "title": str(asset.metadata.get("title") or ""),
        "type": asset.media_type,
        "roles": ", ".join(asset.roles),
        "size": readable(asset.size) if asset.size is not None else None,
        "checksum": asset.checksum,
        "href": redact(asset.href),
    }
    return _table((), [(name, value) for name, value in fields.items() if value])


def _more(count: int) -> str:
    return f"<p>and {count - _MOST_ROWS} more</p>" if count > _MOST_ROWS else ""


def _cells(asset: Asset, *, with_items: bool) -> tuple[str, ...]:
    own = (asset.key, asset.media_type or "", ", ".join(asset.roles), readable(asset.size))
    return (asset.item or "", *own) if with_items else own


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    titles = f"<thead><tr>{''.join(f'<th>{escape(name)}</th>' for name in head)}</tr></thead>" if head else ""
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{titles}<tbody>{body}</tbody></table>"
