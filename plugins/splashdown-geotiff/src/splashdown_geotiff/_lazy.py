"""Lazy pixels: a Dask array whose every block is a read of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splashdown.errors import LoadError, OptionError, error_text

#: An index of one axis.
Key = slice | int | Sequence[int] | NDArray[np.integer[Any]]
Chunks = int | str | Sequence[Any] | Mapping[str, Any]
#: Decoded bytes of one band in a block when the caller leaves its size to us.
_BLOCK_BYTES = 32 * 1024**2
#: Files in one block where a whole one is small: they are read at the same time.
_SMALL_FILES = 8


class LazyPixels:
    """What Dask slices; each slice is read when it is computed.

    ``axes`` names the dimensions, of which the last two are ``y`` and ``x``. ``read`` takes the first and one past
    the last place along each of them.
    """

    def __init__(
        self, read: Callable[..., NDArray[Any]], axes: Sequence[str], shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        self._read = read
        self.axes = tuple(axes)
        self.shape = shape
        self.ndim = len(shape)
        self.dtype = dtype

    def __getitem__(self, key: tuple[Key, ...]) -> NDArray[Any]:
        # Dask merges the first selection that follows into the key: numbers, steps and lists too.
        extents = [_extent(part, size) for part, size in zip(key, self.shape, strict=True)]
        if any(first == last for first, last in extents):  # Dask asks for nothing, to see what it would get
            found = np.empty([last - first for first, last in extents], self.dtype)
        else:
            found = self._read(*extents)
        # From the last axis on, since a number takes its axis away.
        for axis in reversed(range(self.ndim)):
            within = _within(key[axis], extents[axis][0], self.shape[axis])
            found = found[(slice(None),) * axis + (within,)]
        return found


def _extent(part: Key, size: int) -> tuple[int, int]:
    """First and one past last of what a key touches."""
    touched = np.arange(size)[part].reshape(-1)
    return (int(touched.min()), int(touched.max()) + 1) if touched.size else (0, 0)


def _within(part: Key, first: int, size: int) -> Any:
    """The key relative to the first of what was read."""
    if not isinstance(part, slice):
        return np.arange(size)[part] - first
    start, stop, step = part.indices(size)
    # Going down, a stop before the first element has to be left open.
    return slice(start - first, None if stop - first < 0 else stop - first, step)


def lazy_array(pixels: LazyPixels, chunks: Chunks, block: tuple[int, int]) -> Any:
    """A Dask array of ``pixels``; ``chunks`` as in xarray, ``{}`` for blocks of whole tiles of ``block`` pixels."""
    try:
        import dask.array as da
    except ImportError as error:
        raise LoadError("chunks= needs Dask, which is not installed: pip install 'splashdown-geotiff[dask]'") from error
    sizes = _sizes(pixels, chunks, block)
    try:
        return da.from_array(pixels, chunks=sizes, asarray=False, name=False)  # type: ignore[no-untyped-call]
    except (TypeError, ValueError) as error:
        raise OptionError(
            f"chunks={chunks!r} does not fit an array of {' x '.join(map(str, pixels.shape))}"
            f" ({', '.join(pixels.axes)}): {error_text(error)}"
        ) from error


def _sizes(pixels: LazyPixels, chunks: Chunks, block: tuple[int, int]) -> Any:
    if not isinstance(chunks, Mapping):
        return chunks
    unknown = set(map(str, chunks)) - set(pixels.axes)
    if unknown:
        raise OptionError(f"chunks: no dimension {min(unknown)!r}; there are {', '.join(pixels.axes)}")
    default = dict(zip(pixels.axes, (*pixels.shape[:-2], *_tiles(pixels, block)), strict=True))
    if "t" in default:
        default["t"] = _dates(pixels, {**default, **chunks})
    return tuple(chunks.get(axis, default[axis]) for axis in pixels.axes)


def _tiles(pixels: LazyPixels, block: tuple[int, int]) -> tuple[int, int]:
    """Whole tiles, as many as make a block worth its overhead."""
    rows, columns = block
    height, width = pixels.shape[-2:]
    room = max(1, _BLOCK_BYTES // (rows * columns * pixels.dtype.itemsize))
    across = min(math.ceil(width / columns), max(1, math.isqrt(room)))
    down = min(math.ceil(height / rows), max(1, room // across))
    return rows * down, columns * across


def _dates(pixels: LazyPixels, sizes: Mapping[str, Any]) -> int:
    """Dates in a block: one, or of small files several, since Dask reads no more blocks at a time than it has cores."""
    extents = [sizes[axis] for axis in pixels.axes[1:]]
    whole = all(
        isinstance(size, int) and not 0 <= size < full for size, full in zip(extents, pixels.shape[1:], strict=True)
    )
    if not whole:
        return 1
    each = math.prod(pixels.shape[1:]) * pixels.dtype.itemsize
    return max(1, min(_SMALL_FILES, pixels.shape[0], _BLOCK_BYTES // max(1, each)))
