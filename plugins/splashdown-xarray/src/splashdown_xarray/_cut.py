"""What of a cube lies in an area: runs of cells along its horizontal dimensions, and their box in degrees. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from splashdown.clipping import Area, Box
from splashdown.errors import LoadError
from splashdown.redact import safely_shown
from splashdown_xarray._axes import Axis, Grid, Span, Variables, bounds_name, grids_of, runs_length
from splashdown_xarray._projected import Place, place_of

_HALF, _CIRCLE = 180.0, 360.0
_EXACT = 1e-6
_CRS_FIELDS = ("proj:code", "proj:epsg", "proj:wkt2", "proj:projjson")


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Cut:
    """The runs to take along each dimension; a dimension without any is left out with its variables."""

    runs: Mapping[Hashable, tuple[slice, ...]]
    turns: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  #: degrees to add to each run, by variable
    places: Mapping[str, str] = field(default_factory=dict)  #: GDAL's place of the first pixel, by grid mapping
    bbox: Box | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def of(self, dim: Hashable, size: int) -> tuple[slice, ...]:
        """The runs along a dimension."""
        return self.runs.get(dim, (slice(0, size),))

    def length(self, dim: Hashable, size: int) -> int:
        """The cells that are taken along a dimension."""
        return runs_length(self.of(dim, size))


def cut(variables: Variables, area: Area, label: str) -> Cut | None:
    """The cells that an area touches, ``None`` where it touches none. The coordinates are read for that."""
    runs: dict[Hashable, tuple[slice, ...]] = {}
    turns: dict[str, tuple[int, ...]] = {}
    main: tuple[Grid, Place | None] | None = None
    for grid in grids_of(variables, label):
        place = place_of(grid, variables, label)
        columns, rows = _touched(grid, place, area, label)
        if not columns or not rows:
            columns = rows = ()
        elif main is None:
            main = grid, place
        if len(columns) > 1:
            columns, turned = _across_the_seam(grid.x, columns, variables, label)
            turns |= turned
        runs |= {grid.x.dim: columns, grid.y.dim: rows}
    if main is None:
        return None
    return _described(Cut(runs=runs, turns=turns), *main)


def _touched(grid: Grid, place: Place | None, area: Area, label: str) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    west, south, east, north = area.bbox
    spans: list[Span] = [(west, east)] if west <= east else [(west, _HALF), (-_HALF, east)]
    if place is None:
        if west > east:
            spans = [(west, east + _CIRCLE)]
        return grid.x.touched(spans, around=True), grid.y.touched([(south, north)], around=False)
    boxes = place.boxes(grid, spans, south, north, label)
    columns = grid.x.touched([(box[0], box[2]) for box in boxes], around=False)
    rows = grid.y.touched([(box[1], box[3]) for box in boxes], around=False)
    # Two halves of an area may lie apart in a projection: what is between them is taken too, as one box.
    return _one(columns), _one(rows)


def _one(runs: tuple[slice, ...]) -> tuple[slice, ...]:
    return (slice(runs[0].start, runs[-1].stop),) if runs else ()


def _across_the_seam(
    axis: Axis, runs: tuple[slice, ...], variables: Variables, label: str
) -> tuple[tuple[slice, ...], dict[str, tuple[int, ...]]]:
    """The run at the end of the longitudes before the one at their beginning, counted on so that they still rise."""
    if len(runs) > 2 or runs[0].start != 0 or runs[1].stop != len(axis.low):
        raise LoadError(f"{label}: the area lies in it more than once (its longitudes span more than 360 degrees)")
    last, first = runs[1], runs[0]
    rising = 1 if axis.low[-1] >= axis.low[0] else -1
    names = [axis.name, *([name] if (name := bounds_name(variables[axis.name])) in variables and name else ())]
    values = np.asarray(variables[axis.name].values, "f8")
    choices = [(0, rising * 360), (-rising * 360, 0)]
    reaches = [[*_ends(values, last, turn[0]), *_ends(values, first, turn[1])] for turn in choices]
    fits = [turn for turn, reach in zip(choices, reaches, strict=True) if min(reach) >= -_HALF and max(reach) < _CIRCLE]
    turn = (fits or choices)[0]
    # Where 180 is there beside -180, it is the same meridian.
    again = np.abs(values[first] + turn[1] - values[last.stop - 1] - turn[0]) < _EXACT
    if again[0]:
        first = slice(1, first.stop)
    for name in names:
        one = variables[name]
        kept = one.dtype.kind == "f" or (one.dtype.kind == "i" and one.dtype.itemsize > 1)
        if not kept or "scale_factor" in one.attrs or "add_offset" in one.attrs:
            raise LoadError(
                f"{label}: the area crosses the end of its longitudes, which are packed, so they cannot count on: clip"
                " the two sides one after the other"
            )
    return ((last, first), dict.fromkeys(names, turn)) if first.start < first.stop else ((last,), {})


def _ends(values: Any, run: slice, turn: int) -> list[float]:
    return [float(values[run.start]) + turn, float(values[run.stop - 1]) + turn]


def _described(made: Cut, grid: Grid, place: Place | None) -> Cut:
    """The cut with its box in degrees, and what STAC's projection extension says of it."""
    columns, rows = made.runs[grid.x.dim], made.runs[grid.y.dim]
    low_y, high_y = _reach(grid.y, rows)
    low_x, high_x = _reach(grid.x, columns)
    if len(columns) == 2:
        turn = made.turns[grid.x.name]
        ends = [_reach(grid.x, (run,)) for run in columns]
        low_x = min(end[0] + by for end, by in zip(ends, turn, strict=True))
        high_x = max(end[1] + by for end, by in zip(ends, turn, strict=True))
    own = (low_x, low_y, high_x, high_y)
    box = own if place is None else place.degrees(own)
    scale = 1.0 if place is None else place.scale
    metadata: dict[str, Any] = {
        "proj:shape": [runs_length(rows), runs_length(columns)],
        "proj:bbox": [one * scale for one in own],
        **_crs_fields(grid, place),
    }
    across, down = grid.x.spacing, grid.y.spacing
    places: dict[str, str] = {}
    if across and down:
        left, top = low_x if across > 0 else high_x, low_y if down > 0 else high_y
        across, left, down, top = (one * scale for one in (across, left, down, top))
        metadata["proj:transform"] = [across, 0.0, left, 0.0, down, top]
        if grid.mapping is not None:
            places[grid.mapping] = f"{left!r} {across!r} 0 {top!r} 0 {down!r}"
    return replace(made, bbox=None if box is None else _normal(box), metadata=metadata, places=places)


def _crs_fields(grid: Grid, place: Place | None) -> dict[str, Any]:
    if place is None:  # a CRS that the file describes may have another datum
        return {"proj:code": "EPSG:4326"} if grid.mapping is None else {}
    authority = place.crs.to_authority()
    return {"proj:wkt2": place.crs.to_wkt()} if authority is None else {"proj:code": ":".join(authority)}


def _reach(axis: Axis, runs: tuple[slice, ...]) -> Span:
    return min(float(axis.low[run].min()) for run in runs), max(float(axis.high[run].max()) for run in runs)


def _normal(box: Box) -> Box:
    """Longitudes between -180 and 180, as GeoJSON counts; west is larger across the antimeridian."""
    west, south, east, north = box[0], max(box[1], -90.0), box[2], min(box[3], 90.0)
    if east - west >= _CIRCLE - _EXACT:
        return -_HALF, south, _HALF, north
    west, east = (one if -_HALF <= one <= _HALF else (one + _HALF) % _CIRCLE - _HALF for one in (west, east))
    return west, south, east, north


def without_known_crs(metadata: Mapping[str, Any], *owners: Mapping[str, Any]) -> dict[str, Any]:
    """The fields without the CRS, where a catalog has named it in its own way."""
    known = any(name in owner for name in _CRS_FIELDS for owner in owners)
    return {name: value for name, value in metadata.items() if not known or name not in _CRS_FIELDS}
