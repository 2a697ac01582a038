"""A box of GeoParquet: row groups that it cannot touch are not read, and rows outside are left out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from splashdown.errors import LoadError, OptionError

Box = tuple[float, float, float, float]
_SIDES = ("xmin", "ymin", "xmax", "ymax")


def checked_box(bbox: Sequence[float]) -> Box:
    """The four numbers of a box. Raises ``OptionError`` for anything else."""
    try:
        west, south, east, north = (float(value) for value in bbox)
    except (TypeError, ValueError) as error:
        raise OptionError(f"bbox={bbox!r}: pass (west, south, east, north)") from error
    if not (west <= east and south <= north):
        raise OptionError(f"bbox={bbox!r}: west is larger than east, or south than north")
    return west, south, east, north


def geometry_column(schema: Any, label: str) -> tuple[str, Mapping[str, str] | None]:
    """The column of geometry, and the columns with the box of each row (GeoParquet 1.1, ``covering``), by side."""
    try:
        described = json.loads((schema.metadata or {})[b"geo"])
        name = described["primary_column"]
        covering = described["columns"][name].get("covering", {}).get("bbox")
        sides = None if covering is None else {side: ".".join(covering[side]) for side in _SIDES}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OptionError(f"{label} is not GeoParquet, so bbox= has no geometry to compare with") from error
    if name not in schema.names:
        raise LoadError(f"{label}: its geometry {name!r} is not among its columns: damaged")
    return name, sides


def touched_groups(metadata: Any, sides: Mapping[str, str] | None, box: Box) -> list[int]:
    """The row groups that may hold rows in the box, by their statistics; all of them where there are none."""
    groups = range(metadata.num_row_groups)
    return [group for group in groups if sides is None or _may_touch(metadata.row_group(group), sides, box)]


def _may_touch(group: Any, sides: Mapping[str, str], box: Box) -> bool:
    statistics = {
        column.path_in_schema: column.statistics
        for column in map(group.column, range(group.num_columns))
        if column.path_in_schema in sides.values()
    }
    lowest, highest = {}, {}
    for side, path in sides.items():
        found = statistics.get(path)
        if found is None or not found.has_min_max:
            return True
        lowest[side], highest[side] = found.min, found.max
    west, south, east, north = box
    return bool(
        lowest["xmin"] <= east and highest["xmax"] >= west and lowest["ymin"] <= north and highest["ymax"] >= south
    )
