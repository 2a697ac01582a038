"""Lazy pixels: a Dask array whose every block is a read of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splashdown.errors import LoadError, OptionError
from splashdown_geotiff._plan import Window
from splashdown_geotiff._select import Selection

Chunks = int | str | Sequence[Any] | Mapping[str, Any]
#: Decoded bytes of one band in a block when the caller leaves its size to us.
_BLOCK_BYTES = 32 * 1024**2


class LazyPixels:
    """What Dask slices: ``(band, y, x)``, each slice read when it is computed."""

    def __init__(
        self, read: Callable[[Window, tuple[int, ...]], NDArray[Any]], selection: Selection, dtype: np.dtype[Any]
    ) -> None:
        self._read = read
        self._selection = selection
        self.dtype = dtype
        self.shape = (len(selection.bands), selection.window.height, selection.window.width)
        self.ndim = 3

    def __getitem__(self, key: tuple[slice | int, ...]) -> NDArray[Any]:
        # Dask merges later selections into the key: numbers and steps too.
        ranges = [_extent(part, size) for part, size in zip(key, self.shape, strict=True)]
        (band, last_band), (row, last_row), (column, last_column) = ranges
        whole = self._selection.window
        window = Window(whole.column + column, whole.row + row, last_column - column, last_row - row)
        found = self._read(window, self._selection.bands[band:last_band])
        within = (_within(part, first, size) for part, (first, _), size in zip(key, ranges, self.shape, strict=True))
        return found[tuple(within)]


def _extent(part: slice | int, size: int) -> tuple[int, int]:
    """First and one past last of what a key touches."""
    touched = range(size)[part] if isinstance(part, slice) else range(size)[part : part + 1 or None]
    return (min(touched), max(touched) + 1) if touched else (0, 0)


def _within(part: slice | int, first: int, size: int) -> slice | int:
    """The key relative to the first of what was read."""
    if isinstance(part, int):
        return part % size - first
    start, stop, step = part.indices(size)
    # Going down, a stop before the first element has to be left open.
    return slice(start - first, None if stop - first < 0 else stop - first, step)


def lazy_array(pixels: LazyPixels, chunks: Chunks, block: tuple[int, int]) -> Any:
    """A Dask array of ``pixels``; ``chunks`` as in xarray, ``{}`` for blocks of whole tiles."""
    try:
        import dask.array as da
    except ImportError as error:
        raise LoadError("chunks= needs Dask, which is not installed: pip install 'splashdown-geotiff[dask]'") from error
    return da.from_array(pixels, chunks=_sizes(pixels, chunks, block), asarray=False, fancy=False, name=False)  # type: ignore[no-untyped-call]


def _sizes(pixels: LazyPixels, chunks: Chunks, block: tuple[int, int]) -> Any:
    if not isinstance(chunks, Mapping):
        return chunks
    unknown = set(chunks) - {"band", "y", "x"}
    if unknown:
        raise OptionError(f"chunks: no dimension {min(unknown)!r}; there are band, y and x")
    default = dict(zip(("band", "y", "x"), (pixels.shape[0], *_tiles(pixels, block)), strict=True))
    return tuple(chunks.get(axis, default[axis]) for axis in ("band", "y", "x"))


def _tiles(pixels: LazyPixels, block: tuple[int, int]) -> tuple[int, int]:
    """Whole tiles, as many as make a block worth its overhead."""
    rows, columns = block
    room = max(1, _BLOCK_BYTES // (rows * columns * pixels.dtype.itemsize))
    across = min(math.ceil(pixels.shape[2] / columns), max(1, math.isqrt(room)))
    down = min(math.ceil(pixels.shape[1] / rows), max(1, room // across))
    return rows * down, columns * across
