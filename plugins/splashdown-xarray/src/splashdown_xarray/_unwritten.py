"""Values of netCDF variables that were never written.

A variable with an unlimited dimension is stored as far as it was written, and ends earlier than its dimension when
another variable was written further. h5netcdf fills numbers up; text and everything else is filled up here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from xarray import Variable
from xarray.backends import BackendArray, H5NetCDFStore
from xarray.core import indexing

_FILLED_BY_H5NETCDF = "fiu"


class FillingStore(H5NetCDFStore):
    """xarray's store for h5netcdf, whose variables are all as long as their dimensions."""

    def open_store_variable(self, name: Any, var: Any) -> Any:
        """The variable, filled up where it is shorter than its dimensions."""
        found = super().open_store_variable(name, var)  # type: ignore[no-untyped-call]
        if np.dtype(var.dtype).kind in _FILLED_BY_H5NETCDF or _written(var) == found.shape:
            return found
        fill = found.attrs.get("_FillValue", "" if found.encoding.get("dtype") is str else None)
        lazy = indexing.LazilyIndexedArray(_FilledArray(self, name, found.shape, found.dtype, fill))
        return Variable(found.dims, lazy, found.attrs, found.encoding)


def _written(variable: Any) -> tuple[int, ...]:
    """How far a variable was written, which only the dataset below h5netcdf's variable knows."""
    shape: tuple[int, ...] = variable._h5ds.shape  # noqa: SLF001
    return shape


class _FilledArray(BackendArray):
    """The part that was written, and a fill value after its end."""

    def __init__(self, store: FillingStore, name: str, shape: tuple[int, ...], dtype: Any, fill: Any) -> None:
        self._store, self._name, self._fill = store, name, fill
        self.shape, self.dtype = shape, np.dtype(dtype)

    def __getitem__(self, key: Any) -> Any:
        basic = indexing.IndexingSupport.BASIC
        return indexing.explicit_indexing_adapter(key, self.shape, basic, self._read)

    def _read(self, key: tuple[Any, ...]) -> NDArray[Any]:
        with self._store.lock:
            stored = self._store.ds.variables[self._name]
            written = _written(stored)
            places = [np.atleast_1d(np.arange(size)[part]) for size, part in zip(self.shape, key, strict=True)]
            held = [place < size for place, size in zip(places, written, strict=True)]
            values = np.full([len(place) for place in places], self._empty(), self.dtype)
            if all(h.any() for h in held):
                # One slice along each axis, forwards: HDF5 reads no others.
                spans = [(p[h].min(), p[h].max() + 1) for p, h in zip(places, held, strict=True)]
                block = np.asarray(stored[tuple(slice(*span) for span in spans)])
                within = [p[h] - span[0] for p, h, span in zip(places, held, spans, strict=True)]
                values[np.ix_(*map(np.flatnonzero, held))] = block[np.ix_(*within)]
        return values[tuple(0 if isinstance(part, int | np.integer) else slice(None) for part in key)]

    def _empty(self) -> Any:
        return np.zeros((), self.dtype)[()] if self._fill is None else self._fill
