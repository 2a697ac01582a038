"""``GeoTIFF``: an open raster. Keeps header and connections, so that each read costs its pixels alone."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from splashdown.errors import LoadError, OptionError
from splashdown.model import Asset
from splashdown.protocols import AssetHandle
from splashdown_geotiff._around import AroundEngine, is_around
from splashdown_geotiff._control import Control
from splashdown_geotiff._directory import NotATiffError
from splashdown_geotiff._georeference import Transform
from splashdown_geotiff._header import Engine, Header
from splashdown_geotiff._jp2_boxes import SIGNATURE
from splashdown_geotiff._layout import UnsupportedError
from splashdown_geotiff._lazy import LazyPixels, lazy_array
from splashdown_geotiff._limits import check_output, within_memory
from splashdown_geotiff._names import band_names
from splashdown_geotiff._native import NativeEngine
from splashdown_geotiff._options import ArrayOptions, PartOptions, PixelOptions, Pixels, split_options
from splashdown_geotiff._scales import with_scales
from splashdown_geotiff._select import Extent, Selection, select
from splashdown_geotiff._values import missing, output_type, scale

if TYPE_CHECKING:
    import xarray as xr
    from pyproj import CRS


class GeoTIFF:
    """One raster, opened. May be read from several threads at once.

    ``engine`` is ``"native"``, ``"gdal"`` (rasterio on a local copy), or ``"auto"``: native, and GDAL for the
    codings that only it reads. Raises ``LoadError`` for a file that is not a GeoTIFF, or is damaged.
    """

    def __init__(self, handle: AssetHandle, *, engine: str = "auto") -> None:
        self._handle = handle
        opened = _open(handle, engine)
        opened.header = with_scales(handle.asset, opened.header)
        self._engine: Engine = AroundEngine(opened) if is_around(opened.header) else opened
        self._names = band_names(handle.asset, self._engine.header)
        _warn_of_place(self._engine.header, self.label)

    def __repr__(self) -> str:
        return f"<GeoTIFF {self._handle.asset.label} {self.shape} {self.dtype}>"

    @property
    def header(self) -> Header:
        """What was read of the file before its pixels."""
        return self._engine.header

    @property
    def engine(self) -> Engine:
        """What reads the pixels."""
        return self._engine

    @property
    def label(self) -> str:
        """The asset's name in messages."""
        return self._handle.asset.label

    @property
    def asset(self) -> Asset:
        """The asset that is read."""
        return self._handle.asset

    @property
    def shape(self) -> tuple[int, int, int]:
        """Bands, rows and columns at full resolution."""
        width, height = self._engine.header.levels[0]
        return (len(self._names), height, width)

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """The type of the stored pixels."""
        return self._engine.header.dtype

    @property
    def bands(self) -> tuple[str | int, ...]:
        """Names of the bands: STAC's, else those in the file, else 1, 2, ..."""
        return self._names

    @property
    def crs(self) -> CRS | None:
        """The coordinate reference system."""
        return self._engine.header.crs

    @property
    def control(self) -> Control | None:
        """Ground control points and RPCs of a raster without a transform."""
        return self._engine.header.control

    @property
    def transform(self) -> Transform | None:
        """The affine transform ``(a, b, c, d, e, f)``, in the order of STAC's ``proj:transform``."""
        return self._engine.header.transform

    @property
    def bounds(self) -> tuple[float, float, float, float] | None:
        """Left, bottom, right, top in the units of the CRS."""
        return None if self.transform is None else self.transform.bounds(self.shape[2], self.shape[1])

    @property
    def nodata(self) -> float | None:
        """The value that marks pixels without data, as they hold it; ``None`` where their type cannot."""
        return self._engine.header.nodata

    @property
    def mask(self) -> str:
        """Where the mask comes from: ``internal`` (in the file), ``nodata-values``, ``nodata``, ``alpha`` or none."""
        return self._engine.header.mask

    @property
    def overviews(self) -> tuple[tuple[int, int], ...]:
        """Width and height of each overview, finest first; the place is what ``overview=`` takes."""
        return self._engine.header.levels[1:]

    @property
    def block(self) -> tuple[int, int]:
        """Rows and columns of a tile or strip: what one read cannot be smaller than."""
        return self._engine.header.block

    @property
    def scales(self) -> tuple[float, ...]:
        """Each band's scale factor, from the file, or from STAC where the file has none."""
        return tuple(b.scale for b in self._engine.header.bands)

    @property
    def offsets(self) -> tuple[float, ...]:
        """Each band's offset."""
        return tuple(b.offset for b in self._engine.header.bands)

    @property
    def tags(self) -> Mapping[str, str]:
        """The metadata items of the file."""
        return self._engine.header.tags

    def read(self, **options: Unpack[ArrayOptions]) -> xr.DataArray:
        """The raster, or a part of it, as ``(band, y, x)``; see ``load_geotiff`` for the arguments."""
        part, pixels = split_options(options)
        chosen = self.select(**part)
        with within_memory(self.label):
            return self.describe(self._values(chosen, pixels), chosen, pixels)

    def read_numpy(self, **options: Unpack[PixelOptions]) -> NDArray[Any]:
        """The pixels alone; with ``masked=True`` a masked array that keeps the type of the file."""
        part, pixels = split_options(options)
        chosen = self.select(**part)
        with within_memory(self.label):
            if pixels.masked:
                return self._masked(chosen, pixels)
            values: NDArray[Any] = self._values(chosen, pixels)
            return values

    def _masked(self, chosen: Selection, pixels: Pixels) -> np.ma.MaskedArray[Any, Any]:
        stored = self._empty(chosen, self.dtype, pixels.max_bytes)
        self._engine.read_into(stored, chosen.level, chosen.window, chosen.bands)
        hidden = missing(self._engine, chosen, stored)
        if pixels.scaled:
            stored = stored.astype(output_type(self.dtype, masked=False, scaled=True), copy=False)
            scale(stored, self._engine.header, chosen.bands)
        mask = np.ma.nomask if hidden is None else np.broadcast_to(hidden, stored.shape)
        return np.ma.MaskedArray(stored, mask=mask, fill_value=self.nodata)

    def fill(self, out: NDArray[Any], selection: Selection, pixels: Pixels) -> None:
        """Read a selection into an array of the type that ``output_type`` names."""
        # A 64-bit integer's nodata is lost once it is a float: then it is looked for before.
        exact = out.dtype == self.dtype or self.dtype.itemsize <= 4
        stored = out if exact else np.empty(out.shape, self.dtype)
        self._engine.read_into(stored, selection.level, selection.window, selection.bands)
        hidden = missing(self._engine, selection, stored) if pixels.masked else None
        if not exact:
            out[...] = stored
        if pixels.scaled:
            scale(out, self._engine.header, selection.bands)
        if hidden is not None and hidden.any():
            np.copyto(out, np.nan, where=hidden)

    def select(self, **part: Unpack[PartOptions]) -> Selection:
        """What a read would take; nothing is read."""
        return select(self._engine.header, self._names, **part)

    def describe(self, values: Any, selection: Selection, pixels: Pixels) -> xr.DataArray:
        """An array of ``values`` with the coordinates and attributes of a selection."""
        from splashdown_geotiff._array import data_array

        asset, header = self._handle.asset, self._engine.header
        return data_array(values, asset, header, self._names, selection, pixels)

    def _values(self, selection: Selection, pixels: Pixels) -> Any:
        dtype = output_type(self.dtype, masked=pixels.masked, scaled=pixels.scaled)

        def read(*extents: Extent) -> NDArray[Any]:
            part = selection.part(*extents)
            with within_memory(self.label):
                out = self._empty(part, dtype, pixels.max_bytes)
                self.fill(out, part, pixels)
            return out

        shape = selection.shape
        if pixels.chunks is not None:
            return lazy_array(LazyPixels(read, ("band", "y", "x"), shape, dtype), pixels.chunks, self.block)
        return read(*((0, size) for size in shape))

    def _empty(self, selection: Selection, dtype: np.dtype[Any], max_bytes: int | None) -> NDArray[Any]:
        """Memory for a selection, unless it is over the cap. Its pages are taken only as they are written."""
        check_output(math.prod(selection.shape) * dtype.itemsize, max_bytes, self._handle.asset.label)
        return np.empty(selection.shape, dtype)


def _warn_of_place(header: Header, label: str) -> None:
    """Warn of rasters whose pixels have no coordinates although something is known about their place."""
    if header.transform is not None:
        return
    if header.control is not None:
        lies = f"{label}: it lies by {header.control.describe()}, not by a transform"
        warnings.warn(f"{lies}: its pixels have no coordinates until it is warped", stacklevel=4)
    elif header.crs is not None:
        warnings.warn(f"{label}: it names a CRS ({header.crs.name}) but not where it lies in it", stacklevel=4)


def _open_jp2(handle: AssetHandle) -> Engine:
    from splashdown_geotiff._jp2 import Jp2Engine

    return Jp2Engine(handle)


def _open(handle: AssetHandle, engine: str) -> Engine:
    if engine not in {"auto", "native", "gdal"}:
        raise OptionError(f"engine={engine!r}: there are 'auto', 'native' and 'gdal'")
    if engine != "gdal":
        try:
            return NativeEngine(handle)
        except NotATiffError as error:  # found out by the first read, so that a TIFF costs no request more
            if not error.start.startswith(SIGNATURE):
                raise
            return _open_jp2(handle)
        except UnsupportedError as error:
            if engine == "native":
                raise
            reason = f"{error}: only GDAL reads it"
    elif bytes(handle.read_range(0, len(SIGNATURE))) == SIGNATURE:
        return _open_jp2(handle)
    else:
        reason = f"{handle.asset.label}: engine='gdal' was asked for"
    try:
        import rasterio  # noqa: F401 - the extra that this engine stands on

        from splashdown_geotiff._gdal import GdalEngine
    except ImportError as error:
        raise LoadError(f"{reason}, and rasterio is not installed: pip install 'splashdown-geotiff[gdal]'") from error
    return GdalEngine(handle)
