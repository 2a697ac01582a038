"""The horizontal grids of a cube: the coordinates along which it is cut, and the cells that an area touches. Pure.

Variables are as they are stored (not decoded). A grid is a pair of dimensions with a coordinate of one dimension each,
as the CF conventions describe them: by standard name, by units, by ``axis``, or by common names.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from splashdown.errors import LoadError
from splashdown.redact import safely_shown

if TYPE_CHECKING:
    from xarray import Variable

Variables = Mapping[Hashable, "Variable"]
Span = tuple[float, float]

#: Longer coordinates are not those of a grid, and would not fit in memory.
_LONGEST = 10_000_000
#: A box that ends on a cell's edge does not touch the next cell; coordinates are rarely that exact.
_EXACT = 1e-6
_CIRCLE = 360.0
_STANDARD = {
    "longitude": ("x", True),
    "latitude": ("y", True),
    "projection_x_coordinate": ("x", False),
    "projection_y_coordinate": ("y", False),
    "grid_longitude": ("x", False),
    "grid_latitude": ("y", False),
}
_UNITS = {
    f"{word}{direction}": (role, True)
    for word in ("degree", "degrees")
    for role, directions in (("x", ("_east", "_E", "E")), ("y", ("_north", "_N", "N")))
    for direction in directions
}
_NAMES = {
    **dict.fromkeys(("lon", "long", "longitude"), ("x", True)),
    **dict.fromkeys(("lat", "latitude"), ("y", True)),
    **dict.fromkeys(("x", "easting"), ("x", False)),
    **dict.fromkeys(("y", "northing"), ("y", False)),
}


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Axis:
    """A coordinate of one dimension, with the two edges of each of its cells; ``low`` is not larger than ``high``."""

    name: str
    dim: Hashable
    degrees: bool  #: whether it is said to be longitude or latitude
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @property
    def spacing(self) -> float | None:
        """The distance from one cell to the next, where all are as far; negative where they descend."""
        middle = (self.low + self.high) / 2
        steps = np.diff(middle) if len(middle) > 1 else self.high - self.low
        mean = float(steps.mean())
        return mean if mean and np.allclose(steps, mean, rtol=1e-3, atol=0) else None

    def touched(self, spans: Iterable[Span], *, around: bool) -> tuple[slice, ...]:
        """Runs of cells that touch one of the spans; ``around`` says that 360 is 0."""
        exact = _EXACT * (self.high - self.low)
        hit = np.zeros(len(self.low), bool)
        turns = range(-2, 3) if around else range(1)
        for low, high in spans:
            for turn in turns:
                first, last = self.low + turn * _CIRCLE, self.high + turn * _CIRCLE
                # A point, of the axis or of the area, is touched by what it lies on the edge of.
                edge = np.where((high - low <= exact) | (exact == 0), 0.0, exact)
                hit |= (first <= high - edge) & (last >= low + edge)
        ends = np.flatnonzero(np.diff(np.concatenate(([0], hit.astype("i1"), [0]))))
        return tuple(slice(int(a), int(b)) for a, b in zip(ends[::2], ends[1::2], strict=True))


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Grid:
    """A pair of axes, and the name of the variable that describes their CRS."""

    x: Axis
    y: Axis
    mapping: str | None

    @property
    def size(self) -> int:
        """Its cells."""
        return len(self.x.low) * len(self.y.low)


def grids_of(variables: Variables, label: str) -> list[Grid]:
    """All grids that variables lie on, the largest first. Raises ``LoadError`` where there is none."""
    axes = _named_axes(variables)
    pairs: dict[tuple[Hashable, Hashable], str | None] = {}
    for variable in variables.values():
        xs, ys = ([dim for dim in variable.dims if axes.get(dim, ("",))[0] == role] for role in "xy")
        if len(xs) == len(ys) == 1:
            pair = xs[0], ys[0]
            pairs[pair] = pairs.get(pair) or _mapping(variable.attrs)
    if not pairs:
        raise LoadError(f"{label}: {_why_none(variables)}")
    used = [dim for pair in pairs for dim in pair]
    if len(used) != len(set(used)):
        raise LoadError(f"{label}: several grids share a dimension of {', '.join(map(str, used))}")
    read = {dim: _axis(variables, axes[dim], dim, label) for dim in used}
    grids = [Grid(x=read[x], y=read[y], mapping=mapping) for (x, y), mapping in pairs.items()]
    return sorted(grids, key=lambda grid: -grid.size)


def bounds_name(variable: Variable) -> str | None:
    """The variable that holds the edges of a coordinate's cells."""
    name = variable.attrs.get("bounds")
    return name if isinstance(name, str) else None


def _named_axes(variables: Variables) -> dict[Hashable, tuple[str, bool, str]]:
    """For each dimension: ``x`` or ``y``, whether in degrees, and the name of its coordinate."""
    found: dict[Hashable, tuple[str, bool, str]] = {}
    both: set[Hashable] = set()
    for key, variable in variables.items():
        role = _role(str(key), variable.attrs) if len(variable.dims) == 1 else None
        if role is None:
            continue
        dim = variable.dims[0]
        if dim in found and found[dim][0] != role[0]:
            both.add(dim)  # points with a longitude and a latitude each, which are not a grid
        # Degrees need no CRS; among others the coordinate that has the name of the dimension is meant.
        if dim not in found or (role[1], key == dim) > (found[dim][1], found[dim][2] == dim):
            found[dim] = (*role, str(key))
    return {dim: role for dim, role in found.items() if dim not in both}


def _role(name: str, attrs: Mapping[Any, Any]) -> tuple[str, bool] | None:
    standard, units, axis = (str(attrs.get(key, "")).strip() for key in ("standard_name", "units", "axis"))
    said = _STANDARD.get(standard) or _UNITS.get(units) or _NAMES.get(name.lower())
    return said or {"X": ("x", False), "Y": ("y", False)}.get(axis)


def _mapping(attrs: Mapping[Any, Any]) -> str | None:
    """``crs``, or the first of ``crs: x y other: lat lon``."""
    said = attrs.get("grid_mapping")
    words = said.split() if isinstance(said, str) else []
    return words[0].removesuffix(":") if words else None


def _why_none(variables: Variables) -> str:
    flat = [str(key) for key, one in variables.items() if len(one.dims) == 2 and _role(str(key), one.attrs)]
    if flat:
        return f"its coordinates {', '.join(flat[:4])} have two dimensions, so an area is not a box of its grid"
    return "no variable has dimensions with coordinates of longitude and latitude, or x and y"


def _axis(variables: Variables, found: tuple[str, bool, str], dim: Hashable, label: str) -> Axis:
    role, degrees, name = found
    variable = variables[name]
    if not 0 < variable.size <= _LONGEST or variable.dtype.kind not in "iuf":
        raise LoadError(f"{label}: its coordinate {name!r} ({variable.dtype}, {variable.size:,} values) is not one")
    values = _unpacked(variable, variable.attrs)
    if degrees and role == "x":
        values = np.unwrap(values, period=_CIRCLE)  # 179, -180 is a step of one degree
    steps = np.diff(values)
    if not np.isfinite(values).all() or not ((steps > 0).all() or (steps < 0).all()):
        raise LoadError(f"{label}: its coordinate {name!r} neither rises nor falls all along")
    low, high = _edges(variables, variable, values)
    return Axis(name=name, dim=dim, degrees=degrees, low=low, high=high)


def _unpacked(variable: Variable, attrs: Mapping[Any, Any]) -> NDArray[np.float64]:
    # Coordinates have no missing values (CF conventions, 2.5.1), and in Zarr the fill value may well be one of them.
    values = np.asarray(variable.values, "f8")
    scale, offset = (_number(attrs.get(name), of) for name, of in (("scale_factor", 1.0), ("add_offset", 0.0)))
    return values * scale + offset


def _number(value: Any, default: float) -> float:
    try:
        return default if value is None else float(np.asarray(value).item())
    except (TypeError, ValueError):
        return default


def _edges(
    variables: Variables, variable: Variable, values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What the file says of the edges of its cells, else the middle between two neighbours."""
    named = variables.get(bounds_name(variable) or "")
    if named is not None and named.shape == (len(values), 2) and named.dtype.kind in "iuf":
        # Bounds are packed as their coordinate is, unless they say so themselves.
        said = variable.attrs if "scale_factor" not in named.attrs and named.dtype == variable.dtype else named.attrs
        edges = _unpacked(named, said)
        low, high = edges.min(axis=1), edges.max(axis=1)
        if np.isfinite(edges).all() and ((low <= values) & (values <= high)).all():
            return low, high
    if len(values) == 1:
        return values, values
    middle = (values[1:] + values[:-1]) / 2
    first, last = 2 * values[0] - middle[0], 2 * values[-1] - middle[-1]
    ends = np.concatenate(([first], middle, [last]))
    return np.minimum(ends[1:], ends[:-1]), np.maximum(ends[1:], ends[:-1])


def runs_length(runs: Sequence[slice]) -> int:
    """The number of cells in runs."""
    return sum(run.stop - run.start for run in runs)
