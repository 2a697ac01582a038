"""How each value looks in a notebook: results, assets, jobs, plans, reports, checks. Hrefs are without secrets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from splashdown._display import facts as said
from splashdown._display.footprint import footprint
from splashdown._display.html import (
    MOST_ROWS,
    Cell,
    Html,
    Shown,
    beside,
    bold,
    facts,
    folded,
    frame,
    line,
    table,
)
from splashdown._display.text import counted, duration, has_items, readable, total
from splashdown.columns import columns
from splashdown.redact import redact, redact_target

if TYPE_CHECKING:
    from splashdown.model import Asset, Outcome, Plan, RunReport

_MOST_WARNINGS = 5
#: So many assets are looked through for footprints.
_MOST_PLACES = 20_000


def results_html(kind: str, name: str, assets: Sequence[Asset], warnings: Sequence[str], pictures: Html) -> Html:
    """Where and when the assets of a source are, what they hold, and a table of them."""
    head = line(kind, " ", bold(name), ": ", _count(assets))
    map_ = footprint(_places(assets))
    return frame(head, beside(map_, _common(assets), pictures), _assets(assets), *_warned(warnings))


def assets_html(assets: Sequence[Asset]) -> Html:
    """A list of assets."""
    return frame(line(_count(assets)), _assets(assets))


def asset_html(asset: Asset, pictures: Html) -> Html:
    """The metadata of one asset."""
    metadata, properties = asset.metadata, asset.properties
    found = {
        "key": asset.key,
        "item": asset.item,
        "title": str(metadata.get("title") or ""),
        "type": asset.media_type,
        "roles": ", ".join(asset.roles),
        "dates": said.dates(asset.start, asset.end),
        "bands": said.listed(said.bands(metadata, properties)),
        "CRS": said.crs(metadata, properties),
        "size": readable(asset.size) if asset.size is not None else None,
        "checksum": asset.checksum,
        "href": redact(asset.href),
    }
    return frame(beside(facts(found), footprint([(asset.bbox, asset.geometry)]), pictures))


def plan_html(plan: Plan) -> Html:
    """The transfers of a plan, and the assets left out with the reasons."""
    count = f": {counted(len(plan.transfers), 'file')}, {readable(plan.known_size)}"
    rows = [(one.name, one.asset.label, _size(one.asset.size)) for one in plan.transfers[:MOST_ROWS]]
    left = [(one.asset.label, one.reason) for one in plan.skipped[:MOST_ROWS]]
    return frame(
        line("plan for ", bold(redact_target(plan.target)), count),
        table(("file", "asset", "size"), rows, count=len(plan.transfers)),
        *([line("not these:"), table(("asset", "reason"), left, count=len(plan.skipped))] if left else []),
    )


def report_html(
    report: RunReport, documents: Sequence[str] = (), more: Mapping[str, Sequence[Any]] | None = None
) -> Html:
    """The outcome of each file, failed ones first; ``more`` has further files with a remark, by what they are."""
    landed = f": {len(report.landed)} of {counted(len(report.outcomes), 'file')}, {readable(report.bytes_moved)} moved"
    # A report that was made without a run has no time.
    taken = f" in {duration(report.seconds)}" if report.seconds >= 1 else ""
    trouble = {
        "the rest was not tried": report.stopped,
        "interrupted by": report.interrupted,
        "the metadata document could not be written": report.unwritten,
    }
    first = islice((*report.failed, *report.not_tried[:MOST_ROWS], *report.landed[:MOST_ROWS]), MOST_ROWS)
    return frame(
        line("run to ", bold(redact_target(report.plan.target)), landed, taken),
        *(line(bold(f"{what}: "), why) for what, why in trouble.items() if why),
        table(("file", "size", "status", "what was found"), map(_outcome, first), count=len(report.outcomes)),
        *(line("described by ", redact_target(document)) for document in documents[:1]),
        *_further(more or {}),
    )


def verify_html(target: str, ok: int, found: Sequence[tuple[str, int | None, str, str]]) -> Html:
    """Name, size, state and detail of each file of a target, and how many are as they were stored."""
    rows = [(name, _size(size), state, detail) for name, size, state, detail in found[:MOST_ROWS]]
    return frame(
        line(bold(redact_target(target)), f": {ok} of {counted(len(found), 'file')} as stored"),
        table(("file", "size", "state", "what was found"), rows, count=len(found)),
    )


def publish_html(target: str, api: str, counts: str, found: Sequence[tuple[str, str, str]]) -> Html:
    """Item, state and reason of each item of a target at a STAC API."""
    return frame(
        line(bold(redact_target(target)), " at ", bold(redact(api)), ": ", counts),
        table(("item", "state", "why"), found[:MOST_ROWS], count=len(found)),
    )


def jobs_html(title: str, url: str, jobs: Sequence[Mapping[str, str]]) -> Html:
    """Jobs on a back-end."""
    fields = ("id", "title", "status", "created", "updated")
    rows = [[job.get(name, "") for name in fields] for job in jobs[:MOST_ROWS]]
    return frame(line(title, " on ", bold(redact(url))), table(fields, rows, count=len(jobs)))


def _count(assets: Sequence[Asset]) -> str:
    size = total(columns(assets, "size"))
    return counted(len(assets), "asset") + (f", {readable(size)}" if size else "")


def _places(assets: Sequence[Asset]) -> Iterator[tuple[tuple[float, ...] | None, Mapping[str, object] | None]]:
    """The different places: the assets of an item share one."""
    seen = set()
    for box, geometry in islice(columns(assets, "bbox", "geometry"), _MOST_PLACES):
        mark = box or str(geometry)[:1000]
        if mark not in seen:
            seen.add(mark)
            yield box, geometry


def _common(assets: Sequence[Asset]) -> Html:
    """What the assets cover together."""
    first = list(islice(columns(assets, "metadata", "properties"), MOST_ROWS))
    return facts(
        {
            "dates": said.span(columns(assets, "start", "end")),
            "bands": said.listed(name for metadata, properties in first for name in said.bands(metadata, properties)),
            "CRS": said.listed(said.crs(metadata, properties) for metadata, properties in first),
            "items": _number_of_items(assets),
        }
    )


def _number_of_items(assets: Sequence[Asset]) -> str:
    number = len({item for item in columns(assets, "item") if item})
    return str(number) if 1 < number < len(assets) else ""


def _assets(assets: Sequence[Asset]) -> Html:
    head = ("item", "key", "dates", "bands", "CRS", "type", "roles", "size")
    with_items = has_items(columns(assets, "item", "key"))
    rows = [_asset(asset, with_items=with_items) for asset in assets[:MOST_ROWS]]
    return table(head, rows, count=len(assets))


def _asset(asset: Asset, *, with_items: bool) -> tuple[Shown, ...]:
    metadata, properties = asset.metadata, asset.properties
    return (
        (asset.item or "") if with_items else "",
        asset.key,
        said.dates(asset.start, asset.end),
        said.listed(said.bands(metadata, {})),
        said.crs(metadata, properties),
        (asset.media_type or "").partition(";")[0],
        ", ".join(asset.roles),
        _size(asset.size),
    )


def _outcome(one: Outcome) -> tuple[Shown, ...]:
    found = one.error or one.reason or ", ".join(one.verified)
    return one.transfer.name, _size(one.size), str(one.status), found


def _further(more: Mapping[str, Sequence[Any]]) -> Iterator[Html]:
    for what, rows in more.items():
        if rows:
            title = f"{counted(len(rows), 'file')} {what}"
            yield folded(
                title, table(("file", "why"), [(str(a), str(b)) for a, b in rows[:MOST_ROWS]], count=len(rows))
            )


def _warned(warnings: Sequence[str]) -> Iterable[Html]:
    yield from (line(f"Warning: {one}") for one in warnings[:_MOST_WARNINGS])
    if len(warnings) > _MOST_WARNINGS:
        yield line(f"and {len(warnings) - _MOST_WARNINGS} more warnings")


def _size(size: int | None) -> Cell:
    return Cell(shown=readable(size), sort=size)
