"""For those who write loaders: the area that a user wants of a file, and the file that a plugin makes of it. Pure.

``LoaderSpec.clip`` gets an asset and an :class:`Area` and returns a :class:`Clip`, or ``None`` for an asset beside the
area. Nothing is moved before ``Clip.write`` is called.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from splashdown.errors import OptionError
from splashdown.redact import safely_shown

__all__ = ["Area", "Clip", "area_of", "rectangle"]

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A box in degrees: west, south, east, north. West of a box across the antimeridian is larger than east."""

    bbox: Box

    def meets(self, bbox: Sequence[float] | None) -> bool:
        """Whether the area may share a point with a box of four or six numbers; true where there is none."""
        if bbox is None:
            return True
        west, south, east, north = _flat(bbox)
        if north < self.bbox[1] or south > self.bbox[3]:
            return False
        return any(w <= right and e >= left for left, right in _spans(self.bbox) for w, e in _spans((west, 0, east, 0)))


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Clip:
    """The part of a file that lies in an area, before it is read.

    ``write`` stores it as a file of its own under a path of this machine. ``recipe`` says in a few words how it is
    made: two clips of one version of a file are the same file where their recipes are equal. ``store`` says that it is
    made of a store of many objects, as Zarr has them, which has neither a size nor a version as a whole.
    """

    media_type: str
    extension: str  #: of the new file, with its dot
    recipe: str
    write: Callable[[Path], object]
    bbox: Box | None = None  #: of the new file, in degrees
    metadata: Mapping[str, Any] = field(default_factory=dict)  #: fields of its STAC asset object, as ``proj:shape``
    stale: tuple[str, ...] = ()  #: fields of the asset object that are of the whole file alone
    store: bool = False


def area_of(bbox: object = None, geometry: object = None) -> Area:
    """The area that a user names by one of the two: a box (four numbers, or a string of them), or GeoJSON.

    A geometry stands for the box around it. Raises :class:`~splashdown.errors.OptionError` for anything else.
    """
    if (bbox is None) == (geometry is None):
        raise OptionError("an area to clip to is either a bbox or a geometry: pass one of them")
    return Area(bbox=_box(bbox) if geometry is None else _around(geometry))


def rectangle(bbox: Box) -> dict[str, Any]:
    """A box as a GeoJSON geometry; two polygons where it crosses the antimeridian (RFC 7946, section 3.1.9)."""
    rings = [_ring(west, bbox[1], east, bbox[3]) for west, east in _spans(bbox)]
    if len(rings) == 1:
        return {"type": "Polygon", "coordinates": rings}
    return {"type": "MultiPolygon", "coordinates": [[ring] for ring in rings]}


def _ring(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def _box(value: object) -> Box:
    wrong = OptionError(f"a bbox to clip to is west, south, east, north in degrees; not {value!r}")
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, Sequence) or len(parts) not in {4, 6}:
        raise wrong
    try:
        west, south, east, north = _flat([float(one) for one in parts])
    except (TypeError, ValueError):
        raise wrong from None
    if not all(map(math.isfinite, (west, south, east, north))) or max(abs(west), abs(east)) > 360:
        raise wrong
    if max(abs(south), abs(north)) > 90 or south > north:
        raise wrong
    return west, south, east, north


def _around(value: object) -> Box:
    wrong = OptionError("a geometry to clip to is GeoJSON (a mapping, or a string of it) in degrees")
    value = getattr(value, "__geo_interface__", value)
    try:
        value = json.loads(value) if isinstance(value, str) else value
        points = [] if not isinstance(value, Mapping) else [*_points(value, 0)]
    except (ValueError, RecursionError):
        raise wrong from None
    if not points:
        raise wrong
    xs, ys = zip(*points, strict=True)
    return _box((min(xs), min(ys), max(xs), max(ys)))


def _points(value: object, depth: int) -> Iterator[tuple[float, float]]:
    """The positions of a geometry, a feature, or a collection of either."""
    if depth > 16:
        raise ValueError("nested too deep")
    if isinstance(value, Mapping):
        for name in ("coordinates", "geometry", "geometries", "features"):
            yield from _points(value.get(name), depth + 1)
    elif isinstance(value, list | tuple):
        if len(value) >= 2 and all(isinstance(one, int | float) for one in value[:2]):
            yield value[0], value[1]
        else:
            for one in value:
                yield from _points(one, depth + 1)


def _flat(bbox: Sequence[float]) -> Box:
    west, south, east, north = bbox if len(bbox) == 4 else (bbox[0], bbox[1], bbox[3], bbox[4])
    return west, south, east, north


def _spans(box: Sequence[float]) -> list[tuple[float, float]]:
    """West and east of a box; two such pairs where it crosses the antimeridian."""
    west, east = box[0], box[2]
    return [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
