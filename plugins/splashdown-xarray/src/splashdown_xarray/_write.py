"""Writes a part of a cube as a netCDF 4 file: stored values, attributes and encoding as they are in the source."""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from splashdown.errors import LoadError
from splashdown.redact import safely_shown
from splashdown_xarray._axes import Variables
from splashdown_xarray._cut import Cut

if TYPE_CHECKING:
    from xarray import Variable

#: Values in memory at a time, however large the area is.
_PIECE_BYTES = 64 * 1024**2
#: A file of a few bytes can say that it has any number of values.
_MOST_BYTES = 64 * 1024**3
#: What a file says of the whole of it: extents, and GDAL's place of its first pixel, which it prefers to coordinates.
_OF_WHOLE = frozenset({"geospatial_bounds", *(f"geospatial_{a}_{b}" for a in ("lat", "lon") for b in ("min", "max"))})
_OF_WHOLE_VARIABLE = frozenset({"GeoTransform", "actual_range"})
_OF_TURNED = frozenset({"valid_min", "valid_max", "valid_range"})


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Cube:
    """An opened file or store: its variables as they are stored, and read when they are indexed."""

    label: str
    variables: Variables
    attrs: Mapping[str, Any]
    unlimited: frozenset[Hashable]

    def within(self, cut: Cut) -> dict[str, Variable]:
        """The variables of which something lies in a cut."""
        sizes = [(name, variable, variable.sizes) for name, variable in self.variables.items()]
        return {str(n): v for n, v, dims in sizes if all(cut.of(dim, size) for dim, size in dims.items())}


def check_size(cube: Cube, cut: Cut) -> None:
    """Refuse what no disk holds."""
    found = sum(
        math.prod(cut.length(dim, size) for dim, size in one.sizes.items()) * one.dtype.itemsize
        for one in cube.within(cut).values()
    )
    if found > _MOST_BYTES:
        raise LoadError(f"{cube.label}: the clip unpacks to {found:,} bytes, more than {_MOST_BYTES:,}: smaller areas")


def write_netcdf(path: Path, cube: Cube, cut: Cut) -> None:
    """Write the part piece by piece, each chunk of the source read once."""
    import h5netcdf

    parts = cube.within(cut)
    with h5netcdf.File(path, "w") as file:
        file.attrs.update({name: value for name, value in cube.attrs.items() if name not in _OF_WHOLE})
        sizes = {dim: cut.length(dim, size) for one in parts.values() for dim, size in one.sizes.items()}
        for dim, size in sizes.items():
            file.dimensions[str(dim)] = None if dim in cube.unlimited else size
            if dim in cube.unlimited:
                file.resize_dimension(str(dim), size)
        for name, one in parts.items():
            shape = [sizes[dim] for dim in one.dims]
            target = _created(file, name, one, shape)
            target.attrs.update(_attrs(name, one, cut))
            _copy(one, target, cut, cut.turns.get(name))


def _attrs(name: str, source: Variable, cut: Cut) -> dict[Any, Any]:
    """The attributes that are true of the part as well."""
    left_out = {"_FillValue"} | _OF_WHOLE_VARIABLE | (_OF_TURNED if name in cut.turns else frozenset())
    place = {"GeoTransform": cut.places[name]} if "GeoTransform" in source.attrs and name in cut.places else {}
    return {key: value for key, value in source.attrs.items() if key not in left_out} | place


def _created(file: Any, name: str, source: Variable, shape: Sequence[int]) -> Any:
    import h5py

    strings = source.dtype.kind in {"O", "T", "U"}
    fill = source.attrs.get("_FillValue")
    how = _storage(source, shape) if shape else {}
    if fill is not None and not strings:
        how["fillvalue"] = np.asarray(fill).astype(source.dtype)[()]
    dtype = h5py.string_dtype() if strings else source.dtype
    return file.create_variable(name, tuple(map(str, source.dims)), dtype, **how)


def _storage(source: Variable, shape: Sequence[int]) -> dict[str, Any]:
    """Chunks, compression and checksums as they were. HDF5 has deflate everywhere, so it stands for other codecs."""
    said = source.encoding
    chunks = _chunks(source)
    if chunks is None or 0 in shape:
        return {}
    how: dict[str, Any] = {"chunks": tuple(max(1, min(*pair)) for pair in zip(chunks, shape, strict=True))}
    if said.get("zlib"):
        how |= {"compression": "gzip", "compression_opts": said.get("complevel", 4)}
    elif said.get("compression") or said.get("compressors"):
        how |= {"compression": "gzip", "compression_opts": 4, "shuffle": True}
    how |= {name: True for name in ("shuffle", "fletcher32") if said.get(name)}
    return how


def _chunks(source: Variable) -> tuple[int, ...] | None:
    said = source.encoding.get("chunksizes") or source.encoding.get("chunks")
    whole = isinstance(said, tuple) and len(said) == source.ndim and all(isinstance(one, int) for one in said)
    return said if whole else None


def _copy(source: Variable, target: Any, cut: Cut, turns: Sequence[int] | None) -> None:
    if not source.dims:
        target[...] = source.values
        return
    along = [cut.of(dim, size) for dim, size in source.sizes.items()]
    for spans in itertools.product(*[_placed(runs) for runs in along]):
        number = spans[0][0]
        for piece in _pieces([run for _, _, run in spans], _chunks(source), source.dtype.itemsize):
            values = np.asarray(source[piece].values)
            if turns is not None:
                values = (values + turns[number]).astype(source.dtype)
            if values.dtype.kind in "TU":
                values = values.astype(object)
            zipped = zip(piece, spans, strict=True)
            target[tuple(slice(p.start - by, p.stop - by) for p, (_, by, _) in zipped)] = values


def _placed(runs: Sequence[slice]) -> list[tuple[int, int, slice]]:
    """Each run with its number, and by how much its cells move towards the beginning."""
    found, at = [], 0
    for number, run in enumerate(runs):
        found.append((number, run.start - at, run))
        at += run.stop - run.start
    return found


def _pieces(spans: Sequence[slice], chunks: Sequence[int] | None, item: int) -> Iterator[tuple[slice, ...]]:
    """Parts that fit in memory and end where chunks do, so that no chunk is read twice."""
    grid = chunks or [1] * len(spans)
    steps = [span.stop - span.start for span in spans]
    for axis, chunk in enumerate(grid):
        size = math.prod(steps) * item
        if size <= _PIECE_BYTES:
            break
        fitting = _PIECE_BYTES * steps[axis] // size
        steps[axis] = max(chunk, fitting // chunk * chunk)
    return itertools.product(*[_split(span, step) for span, step in zip(spans, steps, strict=True)])


def _split(span: slice, step: int) -> list[slice]:
    if span.stop - span.start <= step:
        return [span]
    ends = [span.start, *range((span.start // step + 1) * step, span.stop, step), span.stop]
    return [slice(a, b) for a, b in itertools.pairwise(ends)]
