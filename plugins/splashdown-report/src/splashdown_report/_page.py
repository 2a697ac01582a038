"""The page: one HTML file with its style, its script and its data; it asks no server for anything."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from string import Template

from splashdown import __version__
from splashdown_report._rows import Ring, Row
from splashdown_report._sources import Subject

#: A line near the top of each page, by which it is known as one.
GENERATOR = '<meta name="generator" content="splashdown-report">'
_FIELDS = (
    *("name", "status", "remark", "item", "key", "type", "roles", "bands", "crs"),
    *("size", "checksum", "start", "end", "place", "thumbnail"),
)
#: States of files as they should be, and states of files that need attention; all others are neither.
_GOOD = ("ok", "stored", "skipped")
_BAD = ("failed", "missing", "changed", "unexpected", "unreadable")


def render(subject: Subject, pictures: Mapping[int, str], made: dt.datetime) -> str:
    """The page about a subject; ``pictures`` are data URIs by the number of the row."""
    script = _asset("page.js")
    head = [f'<p class="quiet">{escape(line)}</p>' for line in (*subject.lines, _counts(subject.rows))]
    notes = [f'<p class="note">{escape(note)}</p>' for note in subject.notes]
    return Template(_asset("page.html")).substitute(
        title=escape(subject.title),
        lines="\n".join([*head, *notes]),
        style=_asset("page.css").strip(),
        data=_data(subject.rows, pictures),
        script=script,
        hash=f"sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}",
        footer=f"Made by Splashdown {escape(__version__)} on {made:%Y-%m-%d at %H:%M} UTC. Land: Natural Earth.",
    )


def _asset(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")


def _counts(rows: Sequence[Row]) -> str:
    counts = Counter(row.status.replace("_", " ") for row in rows)
    return ", ".join(f"{number} {status}" for status, number in counts.most_common())


def _data(rows: Sequence[Row], pictures: Mapping[int, str]) -> str:
    """All that the script reads, as JSON that cannot end the element which it stands in."""
    shapes: dict[tuple[Ring, ...], int] = {}
    uris: dict[str, int] = {}
    values = []
    for number, row in enumerate(rows):
        place = shapes.setdefault(row.rings, len(shapes)) if row.rings else None
        picture = uris.setdefault(pictures[number], len(uris)) if number in pictures else None
        more = {"place": place, "thumbnail": picture}
        values.append([more[name] if name in more else getattr(row, name) for name in _FIELDS])
    document = {
        "fields": _FIELDS,
        "rows": values,
        "shapes": list(shapes),
        "boxes": [_box(rings) for rings in shapes],
        "thumbnails": list(uris),
        "good": _GOOD,
        "bad": _BAD,
        "where": f"Map of {len(shapes)} footprints",
        "land": _asset("land.txt").strip() if shapes else "",
    }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # "</script" and "<!--" would mean something to the parser of HTML, and lone surrogates cannot be written.
    return text.replace("<", "\\u003c").encode("utf-8", "replace").decode()


def _box(rings: Iterable[Ring]) -> list[float]:
    points = [point for ring in rings for point in ring]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return [min(xs), min(ys), max(xs), max(ys)]
