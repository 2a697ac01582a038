"""An area of degrees in the CRS of a grid, and back. pyproj is imported when a grid is projected."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from splashdown.clipping import Box
from splashdown.errors import LoadError, error_text
from splashdown.redact import safely_shown
from splashdown_xarray._axes import Grid, Span, Variables

if TYPE_CHECKING:
    from pyproj import CRS

_DEGREES = "OGC:CRS84"
_MARGIN = 0.05
_METRES = {
    **dict.fromkeys(("m", "metre", "meter", "metres", "meters"), 1.0),
    **dict.fromkeys(("km", "kilometre", "kilometer", "kilometres", "kilometers"), 1000.0),
}
_ANGLES = frozenset({"degrees", "degree"})


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Place:
    """The CRS of a grid; ``scale`` times a coordinate is a number of that CRS."""

    crs: CRS
    scale: float

    def boxes(self, grid: Grid, spans: list[Span], south: float, north: float, label: str) -> list[Box]:
        """The parts of an area near the grid, in its coordinates. A CRS of a region has none for places far away."""
        from pyproj import Transformer
        from pyproj.exceptions import ProjError

        to_grid = Transformer.from_crs(_DEGREES, self.crs, always_xy=True)
        found: list[Box] = []
        for west, low, east, high in _near(self.degrees(_bounds(grid)), spans, south, north):
            try:
                box = to_grid.transform_bounds(west, low, east, high)
            except ProjError as error:
                raise LoadError(f"{label}: the area cannot be expressed in its CRS ({error_text(error)})") from error
            if not all(map(math.isfinite, box)):
                raise LoadError(f"{label}: the area lies too far from where its CRS ({self.crs.name}) is meant for")
            found.append((box[0] / self.scale, box[1] / self.scale, box[2] / self.scale, box[3] / self.scale))
        return found

    def degrees(self, bounds: Box) -> Box | None:
        """A box of the grid's coordinates in degrees; ``None`` where the CRS has no answer."""
        from pyproj import Transformer
        from pyproj.exceptions import ProjError

        left, bottom, right, top = (one * self.scale for one in bounds)
        try:
            to_degrees = Transformer.from_crs(self.crs, _DEGREES, always_xy=True)
            west, south, east, north = to_degrees.transform_bounds(left, bottom, right, top)
        except ProjError:
            return None
        box = west, max(south, -90.0), east, min(north, 90.0)
        return box if all(map(math.isfinite, box)) else None


def place_of(grid: Grid, variables: Variables, label: str) -> Place | None:
    """The CRS of a grid whose coordinates are not longitude and latitude. Raises ``LoadError`` where it has none."""
    if grid.x.degrees and grid.y.degrees:
        return None
    mapping = variables.get(grid.mapping or "")
    if mapping is None:
        raise LoadError(f"{label}: it does not name the CRS of {grid.x.name} and {grid.y.name} (grid_mapping)")
    crs = _crs(mapping.attrs, label)
    if crs.is_geographic and not crs.is_derived:
        return None
    units = str(variables[grid.x.name].attrs.get("units", "")).strip().lower()
    own = crs.axis_info[0].unit_conversion_factor if crs.axis_info else 1.0
    if units in _METRES and not crs.is_geographic:
        return Place(crs=crs, scale=_METRES[units] / own)
    if not units or (units in _ANGLES and crs.is_geographic):
        return Place(crs=crs, scale=1.0)
    raise LoadError(f"{label}: its coordinate {grid.x.name} is in {units[:20]!r}, which its CRS ({crs.name}) is not")


def _crs(attrs: Mapping[Any, Any], label: str) -> CRS:
    try:
        from pyproj import CRS
        from pyproj.exceptions import CRSError
    except ImportError as error:
        raise LoadError(f"{label}: its grid is projected: pip install 'splashdown-xarray[projected]'") from error
    try:
        return CRS.from_cf({str(name): value for name, value in attrs.items()})
    except (CRSError, KeyError, TypeError, ValueError) as error:
        raise LoadError(f"{label}: its grid_mapping does not describe a CRS ({error_text(error)})") from error


def _bounds(grid: Grid) -> Box:
    x, y = grid.x, grid.y
    return float(x.low.min()), float(y.low.min()), float(x.high.max()), float(y.high.max())


def _near(whole: Box | None, spans: list[Span], south: float, north: float) -> list[Box]:
    """The parts of an area that lie in a box or a little beside it: edges are curved in degrees."""
    if whole is None or whole[0] > whole[2]:
        return [(west, south, east, north) for west, east in spans]
    margin = _MARGIN * max(whole[2] - whole[0], whole[3] - whole[1])
    low, high = max(south, whole[1] - margin), min(north, whole[3] + margin)
    found = [(max(west, whole[0] - margin), low, min(east, whole[2] + margin), high) for west, east in spans]
    return [box for box in found if box[0] <= box[2] and low <= high]
