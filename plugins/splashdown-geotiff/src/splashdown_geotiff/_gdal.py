"""GDAL as the engine, for codings that only it reads; used with rasterio installed, on a local copy of the bytes.

GDAL never sees the asset's href, and the only name it gets is a path that we have made. It opens with one driver,
looks for no files beside it, and a file that names others as its overviews is refused.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from splashdown.errors import LoadError, error_text
from splashdown.protocols import AssetHandle
from splashdown_geotiff._control import Control, ControlPoint
from splashdown_geotiff._georeference import Transform
from splashdown_geotiff._header import Band, Header
from splashdown_geotiff._limits import GDAL_BANDS, SEGMENT_BYTES
from splashdown_geotiff._nodata import held_nodata
from splashdown_geotiff._plan import Window

if TYPE_CHECKING:
    import rasterio


class GdalEngine:
    """An ``Engine`` over rasterio. GDAL's datasets serve one thread at a time, hence the lock."""

    def __init__(self, handle: AssetHandle) -> None:
        self._handle = handle
        self._label = handle.asset.label
        self._path = handle.path()
        self._lock = threading.Lock()
        self._files: dict[int, rasterio.DatasetReader] = {}
        with _failures(self._label, "open it"):
            file = self._open(0)
            if file.count > GDAL_BANDS:
                raise LoadError(f"{self._label}: it has {file.count:,} bands, more than {GDAL_BANDS:,}: refused")
            self._refuse_references(file)
            self.header = self._describe(file)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle how it was made: another process opens the file again."""
        return GdalEngine, (self._handle,)

    def read_into(self, out: NDArray[Any], level: int, window: Window, bands: tuple[int, ...]) -> None:
        """Fill ``out`` with a window of a level."""
        with self._lock:
            out[...] = self._call(level, "read", [b + 1 for b in bands], window)

    def read_mask(self, level: int, window: Window) -> NDArray[np.bool_]:
        """GDAL's mask of the first band, which is the file's."""
        with self._lock:
            hidden: NDArray[np.bool_] = self._call(level, "read_masks", 1, window) == 0
            return hidden

    def _call(self, level: int, method: str, bands: Any, window: Window) -> NDArray[Any]:
        from rasterio.windows import Window as RasterioWindow

        place = RasterioWindow(*window)
        with _failures(self._label, "read its pixels"):
            found: NDArray[Any] = getattr(self._open(level), method)(bands, window=place)
        return found

    def _open(self, level: int) -> rasterio.DatasetReader:
        import rasterio

        if level not in self._files:
            options = {"overview_level": level - 1} if level else {}
            with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR", GDAL_PAM_ENABLED="NO"):
                self._files[level] = rasterio.open(Path(self._path), driver="GTiff", sharing=False, **options)
        return self._files[level]

    def _refuse_references(self, file: rasterio.DatasetReader) -> None:
        """GDAL's GTiff driver follows the file names in the domain OVERVIEWS, even out of memory."""
        if any(file.tags(band, ns="OVERVIEWS") for band in (0, *file.indexes)):
            raise LoadError(f"{self._label}: it names other files as its overviews: refused")
        rows, columns = file.block_shapes[0]
        size = rows * columns * max(np.dtype(t).itemsize for t in _types(file))
        if size > SEGMENT_BYTES:
            raise LoadError(f"{self._label}: one of its tiles takes {size:,} bytes, more than {SEGMENT_BYTES:,}")

    def _describe(self, file: rasterio.DatasetReader) -> Header:
        flags = [flag.name for flag in file.mask_flag_enums[0]]
        alpha = file.count - 1 if "alpha" in flags else None
        dtype = np.dtype(_types(file)[0])
        kind = "alpha" if "alpha" in flags else "nodata" if "nodata" in flags else ""
        transform = None if file.transform.is_identity else Transform(*file.transform[:6])
        return Header(
            levels=((file.width, file.height), *_overviews(file, self._label)),
            dtype=dtype,
            bands=_bands(file),
            transform=transform,
            control=_control(file) if transform is None else None,
            crs=_crs(file),
            nodata=held_nodata(file.nodata, dtype),
            mask="internal" if "per_dataset" in flags and kind != "alpha" else kind,
            alpha=alpha,
            tags={k: v for k, v in file.tags().items() if k != "AREA_OR_POINT"},
            block=file.block_shapes[0],
            colors=tuple(one.name for one in file.colorinterp),
            palette=_palette(file),
        )


@contextmanager
def _failures(label: str, doing: str) -> Iterator[None]:
    """Raise what GDAL cannot do as ``LoadError``. Its own errors reach rasterio's callers now and then unchanged."""
    from rasterio._err import CPLE_BaseError
    from rasterio.errors import RasterioError

    try:
        yield
    except (RasterioError, CPLE_BaseError) as error:
        raise LoadError(f"{label}: GDAL cannot {doing} ({error_text(error)})") from error


def _palette(file: rasterio.DatasetReader) -> dict[int, tuple[int, int, int, int]]:
    try:
        found: dict[int, tuple[int, int, int, int]] = file.colormap(1)
    except ValueError:  # it has none
        return {}
    return found


def _types(file: rasterio.DatasetReader) -> list[str]:
    wide = {"complex_int16": "complex64", "complex_int32": "complex128"}
    return [wide.get(t, t) for t in file.dtypes]


def _overviews(file: rasterio.DatasetReader, label: str) -> list[tuple[int, int]]:
    factors = file.overviews(1)
    if not all(factors):
        raise LoadError(f"{label}: it has an overview that is larger than its pixels: damaged")
    return [(-(-file.width // factor), -(-file.height // factor)) for factor in factors]


def _bands(file: rasterio.DatasetReader) -> tuple[Band, ...]:
    # Each of these properties asks all bands: asked once for each, thousands of bands would take minutes.
    columns = zip(file.indexes, file.descriptions, file.scales, file.offsets, strict=True)
    return tuple(_band(file.tags(number), *values) for number, *values in columns)


def _band(tags: dict[str, str], description: str | None, scale: float, offset: float) -> Band:
    return Band(description=description or tags.get("DESCRIPTION"), scale=scale, offset=offset, tags=tags)


def _control(file: rasterio.DatasetReader) -> Control | None:
    points, crs = file.gcps
    rpcs = file.tags(ns="RPC") or None
    if not points and not rpcs:
        return None
    return Control(
        points=tuple(ControlPoint(p.col, p.row, p.x, p.y, p.z or 0.0) for p in points),
        crs=CRS.from_wkt(crs.to_wkt()) if points and crs else None,
        rpcs=rpcs,
    )


def _crs(file: rasterio.DatasetReader) -> CRS | None:
    return CRS.from_wkt(file.crs.to_wkt()) if file.crs else None
