"""Draws where assets lie on the Earth as an inline SVG: no tiles, nothing is fetched. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from splashdown._display.html import Html, escaped

Point = tuple[float, float]
Ring = Sequence[Point]
Box = tuple[float, ...]
Extent = tuple[float, float, float, float]

_WIDTH, _MOST_HEIGHT, _LEAST_HEIGHT = 280.0, 200.0, 80.0
#: Distances between the lines of the grid, in degrees.
_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 45.0, 90.0)
_MOST_LINES = 4
#: A smaller footprint would be a dot without surroundings.
_LEAST_EXTENT = 0.01
#: Shapes and points that are drawn; beyond them a shape is drawn as its box.
MOST_SHAPES: Final = 300
_MOST_POINTS = 200


def footprint(places: Iterable[tuple[Box | None, Mapping[str, object] | None]]) -> Html:
    """A map of boxes (west, south, east, north) and GeoJSON geometries; empty where none of them is a place.

    Of very many, some are drawn, from all over the list.
    """
    places = list(places)
    some = places[:: -(-len(places) // MOST_SHAPES) or 1]
    shapes = [rings for box, geometry in some if (rings := _rings(geometry) or _ring_of(box))]
    if not shapes:
        return Html("")
    points = [point for rings in shapes for ring in rings for point in ring]
    west, east = _padded([x for x, _ in points])
    south, north = _padded([y for _, y in points])
    return _drawn(shapes, _fitted((west, max(south, -90.0), east, min(north, 90.0))))


def _drawn(shapes: Sequence[Sequence[Ring]], extent: Extent) -> Html:
    west, south, east, north = extent
    across, down = _WIDTH / (east - west), _WIDTH / (east - west) / _narrow(extent)
    height = round((north - south) * down, 1)

    def path(rings: Sequence[Ring]) -> str:
        moves = ("L".join(f"{(x - west) * across:.1f} {(north - y) * down:.1f}" for x, y in ring) for ring in rings)
        return f'<path d="{"".join(f"M{each}Z" for each in moves)}"/>'

    lines = []
    for degree in _lines(west, east):
        at, label = (degree - west) * across, _label((degree + 180) % 360 - 180, "EW")
        lines.append(f'<path d="M{at:.1f} 0V{height}"/>{_text(at + 2, height - 3, label)}')
    for degree in _lines(south, north):
        at = (north - degree) * down
        lines.append(f'<path d="M0 {at:.1f}H{_WIDTH}"/>{_text(2, at - 2, _label(degree, "NS"))}')
    about = f"footprint from {_words(west, south)} to {_words(east, north)}"
    return Html(
        f'<svg role="img" aria-label="{escaped(about)}" width="{_WIDTH:.0f}" height="{height:.0f}"'
        f' viewBox="0 0 {_WIDTH:.0f} {height}">'
        '<rect width="100%" height="100%" fill="rgba(128,128,128,.08)" stroke="rgba(128,128,128,.5)"/>'
        f'<g stroke="rgba(128,128,128,.35)" fill="none" stroke-width=".7">{"".join(lines)}</g>'
        '<g fill="#3584e4" fill-opacity=".25" stroke="#3584e4" stroke-width="1.2" fill-rule="evenodd">'
        f"{''.join(map(path, shapes))}</g></svg>"
    )


def _text(x: float, y: float, label: str) -> str:
    look = 'stroke="none" fill="currentColor" fill-opacity=".7" font-size="9" font-family="sans-serif"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{label}</text>'


def _narrow(extent: Extent) -> float:
    """How long a degree of longitude is, in degrees of latitude."""
    _, south, _, north = extent
    return max(math.cos(math.radians((south + north) / 2)), 0.1)


def _fitted(extent: Extent) -> Extent:
    """The extent, made wider or higher so that the drawing is neither a thread nor a tower."""
    west, south, east, north = extent
    wide, high = (east - west) * _narrow(extent), north - south
    if high / wide > _MOST_HEIGHT / _WIDTH:
        more = (high * _WIDTH / _MOST_HEIGHT - wide) / _narrow(extent) / 2
        return west - more, south, east + more, north
    more = max(wide * _LEAST_HEIGHT / _WIDTH - high, 0) / 2
    return west, south - more, east, north + more


def _padded(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    middle, half = (low + high) / 2, max((high - low) / 2, _LEAST_EXTENT) * 1.25
    return middle - half, middle + half


def _lines(low: float, high: float) -> Iterator[float]:
    step = next((each for each in _STEPS if (high - low) / each <= _MOST_LINES), _STEPS[-1])
    for number in range(math.ceil(low / step), math.floor(high / step) + 1):
        yield round(number * step, 4)


def _label(degree: float, sides: str) -> str:
    side = "" if degree == 0 else sides[0] if degree > 0 else sides[1]
    return f"{abs(degree):g}\N{DEGREE SIGN}{side}"


def _words(x: float, y: float) -> str:
    return f"{_label(round((x + 180) % 360 - 180, 3), 'EW')} {_label(round(y, 3), 'NS')}"


def _ring_of(box: Box | None) -> list[Ring]:
    if box is None or len(box) != 4 or not _is_place(*box[:2]) or not _is_place(*box[2:]):
        return []
    west, south, east, north = box
    # RFC 7946, section 5.2: a box over the antimeridian has its west to the east of its east.
    east = east + 360 if east < west else east
    return [((west, south), (east, south), (east, north), (west, north))]


def _rings(geometry: Mapping[str, object] | None) -> list[Ring]:
    """The outlines of a polygon, or of several; empty for any other geometry, and for one with too many points."""
    found = geometry or {}
    kind, coordinates = found.get("type"), found.get("coordinates")
    parts = [coordinates] if kind == "Polygon" else coordinates if kind == "MultiPolygon" else ()
    if not isinstance(parts, list) or len(parts) > _MOST_POINTS or not all(isinstance(part, list) for part in parts):
        return []
    rings = [_ring(ring) for part in parts for ring in part[:_MOST_POINTS]]
    if not all(rings) or sum(map(len, rings)) > _MOST_POINTS:
        return []
    # RFC 7946, section 3.1.9: what crosses the antimeridian is cut there, so its two halves are drawn as neighbours.
    xs = [x for ring in rings for x, _ in ring]
    if xs and min(xs) == -180 and max(xs) == 180 and kind == "MultiPolygon":
        return [[(x + 360, y) for x, y in ring] if min(ring)[0] < 0 else ring for ring in rings]
    return rings


def _ring(value: object) -> Ring:
    if not isinstance(value, list) or not 3 <= len(value) <= _MOST_POINTS:
        return ()
    points = [
        (float(p[0]), float(p[1])) for p in value if isinstance(p, list) and len(p) >= 2 and _is_place(p[0], p[1])
    ]
    return points if len(points) == len(value) else ()


def _is_place(x: object, y: object) -> bool:
    """Whether two values are a longitude, perhaps one of another turn, and a latitude."""
    numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in (x, y))
    return numbers and abs(x) <= 540 and abs(y) <= 90  # type: ignore[arg-type]  # they are numbers
