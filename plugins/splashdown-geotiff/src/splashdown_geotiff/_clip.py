"""The part of a raster that lies in an area, as a Cloud Optimized GeoTIFF: GDAL's COG driver writes it.

The pixels are read over the asset's own connections, tile by tile, and are those of the source: its grid, no
resampling. They are coded without loss, whatever codec the source has.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pyproj import Transformer
from pyproj.exceptions import ProjError

from splashdown.clipping import Area, Box, Clip
from splashdown.errors import LoadError, error_text
from splashdown.protocols import AssetHandle
from splashdown_geotiff._plan import Window
from splashdown_geotiff._raster import GeoTIFF
from splashdown_geotiff._select import BesideError, Selection

if TYPE_CHECKING:
    from rasterio.io import DatasetWriter

_MEDIA_TYPE = "image/tiff; application=geotiff; profile=cloud-optimized"
_DEGREES = "EPSG:4326"
#: Decoded bytes that are in memory at a time, however large the area is.
_PIECE_BYTES = 64 * 1024**2
#: Side of a tile of the new file; one that is not larger needs no overviews.
_TILE = 512
_MARGIN, _HALF_CIRCLE = 0.05, 180.0
#: What the file or the catalog says of the pixels of the whole file.
_STATISTICS = "STATISTICS_"
_STALE = ("proj:shape", "proj:transform", "proj:bbox", "proj:geometry", "proj:centroid")
_CRS_FIELDS = ("proj:code", "proj:epsg", "proj:wkt2", "proj:projjson")


def clip_raster(asset: AssetHandle, area: Area) -> Clip | None:
    """The pixels of a raster that an area touches; ``None`` where it touches none. The header is read for that.

    Raises ``LoadError`` for a file that is not a raster, and ``OptionError`` for one that does not say where it lies.
    """
    _require_gdal()
    raster = GeoTIFF(asset)
    if raster.crs is None:
        raise LoadError(f"{asset.asset.label}: it does not name its CRS, so an area in degrees has no place in it")
    box = _near(raster, area.bbox)
    if box is None:
        return None
    try:
        chosen = raster.select(bbox=box, bbox_crs=_DEGREES)
    except BesideError:
        return None
    assert chosen.transform is not None
    part = _Part(raster=raster, selection=chosen)
    return Clip(
        media_type=_MEDIA_TYPE,
        extension=".tif",
        recipe=f"cog/1 {','.join(map(str, chosen.window))}",
        write=part.write,
        bbox=part.degrees(),
        metadata=part.metadata(),
        stale=_STALE,
    )


def _near(raster: GeoTIFF, box: Box) -> Box | None:
    """The part of a box that is near a raster: a CRS of a region has no coordinates for places far from it."""
    if raster.bounds is None:
        return box  # the selection says what is missing
    try:
        west, south, east, north = Transformer.from_crs(raster.crs, _DEGREES, always_xy=True).transform_bounds(
            *raster.bounds
        )
    except ProjError:
        return box
    if not all(map(math.isfinite, (west, south, east, north))) or west > east or east > _HALF_CIRCLE or west < -180:
        return box
    # Edges are curved in degrees: the box around some of their points is not all of it.
    margin = _MARGIN * max(east - west, north - south)
    spans = [(box[0], box[2])] if box[0] <= box[2] else [(box[0], _HALF_CIRCLE), (-_HALF_CIRCLE, box[2])]
    found = [(max(w, west - margin), min(e, east + margin)) for w, e in spans]
    found = [(w, e) for w, e in found if w <= e]
    low, high = max(box[1], south - margin), min(box[3], north + margin)
    if not found or low > high:
        return None
    return (found[0][0], low, found[0][1], high) if len(found) == 1 else box


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A window of an open raster at full resolution."""

    raster: GeoTIFF
    selection: Selection

    def degrees(self) -> Box | None:
        """Its box in degrees."""
        window = self.selection.window
        assert self.selection.transform is not None
        bounds = self.selection.transform.bounds(window.width, window.height)
        try:
            to_degrees = Transformer.from_crs(self.raster.crs, _DEGREES, always_xy=True)
            west, south, east, north = to_degrees.transform_bounds(*bounds)
        except ProjError:
            return None
        turned = (_turned(west), max(south, -90.0), _turned(east), min(north, 90.0))
        return turned if all(map(math.isfinite, turned)) else None

    def metadata(self) -> Mapping[str, Any]:
        """What STAC's projection extension says of it."""
        window, transform = self.selection.window, self.selection.transform
        assert transform is not None
        found: dict[str, Any] = {
            "proj:shape": [window.height, window.width],
            "proj:transform": list(transform),
            "proj:bbox": list(transform.bounds(window.width, window.height)),
        }
        asset = self.raster.asset
        if not any(name in owner for name in _CRS_FIELDS for owner in (asset.metadata, asset.properties)):
            assert self.raster.crs is not None
            authority = self.raster.crs.to_authority()
            if authority is not None:
                found["proj:code"] = ":".join(authority)
            else:
                found["proj:wkt2"] = self.raster.crs.to_wkt()
        return found

    def write(self, path: Path) -> None:
        """Read the pixels and write the file; a plain GeoTIFF beside it takes them first, a few rows at a time."""
        import rasterio
        import rasterio.shutil

        plain = path.with_name("pixels.tif")
        with _failures(self.raster.label), rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True, GDAL_PAM_ENABLED="NO"):
            with rasterio.open(plain, "w", **self._profile()) as file:
                self._describe(file)
                self._copy(file)
            rasterio.shutil.copy(plain, path, driver="COG", **self._cog_options())
        plain.unlink()

    def _profile(self) -> Mapping[str, Any]:
        window, header = self.selection.window, self.raster.header
        assert self.raster.crs is not None
        assert self.selection.transform is not None
        from rasterio.transform import Affine

        return {
            "driver": "GTiff",
            "width": window.width,
            "height": window.height,
            "count": len(self.selection.bands),
            "dtype": header.dtype.name,
            "crs": self.raster.crs.to_wkt(),
            "transform": Affine(*self.selection.transform),
            "nodata": header.nodata,
            "photometric": "RGB" if header.colors[:3] == ("red", "green", "blue") else "MINISBLACK",
            "BIGTIFF": "IF_SAFER",
            "tiled": True,
            "blockxsize": _TILE,
            "blockysize": _TILE,
        }

    def _cog_options(self) -> Mapping[str, Any]:
        return {
            "COMPRESS": "DEFLATE",
            "PREDICTOR": "YES" if self.raster.dtype.kind != "c" else "NO",
            "BLOCKSIZE": str(_TILE),
            "OVERVIEW_RESAMPLING": "NEAREST",
            "BIGTIFF": "IF_SAFER",
            "NUM_THREADS": "2",
        }

    def _describe(self, file: DatasetWriter) -> None:
        from rasterio.enums import ColorInterp

        header = self.raster.header
        bands = [header.bands[number] for number in self.selection.bands]
        file.scales, file.offsets = [one.scale for one in bands], [one.offset for one in bands]
        file.update_tags(**_lasting(header.tags))
        for number, band in enumerate(bands, 1):
            if band.description:
                file.set_band_description(number, band.description)
            tags = _lasting(band.tags)
            if units := tags.pop("units", None):
                file.set_band_unit(number, units)
            file.update_tags(number, **tags)
        if any(header.colors) and not header.palette:
            known = ColorInterp.__members__
            file.colorinterp = [known.get(color, ColorInterp.undefined) for color in header.colors]
        if header.palette:
            file.write_colormap(1, header.palette)

    def _copy(self, file: DatasetWriter) -> None:
        from rasterio.windows import Window as Place

        window, header, engine = self.selection.window, self.raster.header, self.raster.engine
        for first, rows in _strips(window, len(self.selection.bands) * header.dtype.itemsize):
            part = Window(window.column, window.row + first, window.width, rows)
            pixels = np.empty((len(self.selection.bands), rows, window.width), header.dtype)
            engine.read_into(pixels, 0, part, self.selection.bands)
            place = Place(0, first, window.width, rows)
            file.write(pixels, window=place)
            if header.mask == "internal":
                file.write_mask(~engine.read_mask(0, part), window=place)


def _strips(window: Window, pixel_bytes: int) -> Iterator[tuple[int, int]]:
    """First row and number of rows of pieces that fit in memory; whole rows of tiles of the new file."""
    fitting = _PIECE_BYTES // (window.width * pixel_bytes)
    rows = max(_TILE, fitting // _TILE * _TILE)
    return ((first, min(rows, window.height - first)) for first in range(0, window.height, rows))


def _lasting(tags: Mapping[str, str]) -> dict[str, str]:
    """The items that are true of a part as well."""
    return {name: value for name, value in tags.items() if name and not name.startswith(_STATISTICS)}


def _turned(longitude: float) -> float:
    """A longitude between -180 and 180: some rasters count to 360."""
    return longitude if -180 <= longitude <= 180 else (longitude + 180) % 360 - 180


def _require_gdal() -> None:
    try:
        import rasterio  # noqa: F401 - the extra that writes the files
    except ImportError as error:
        raise LoadError("rasterio has to write it: pip install 'splashdown-geotiff[gdal]'") from error


@contextmanager
def _failures(label: str) -> Iterator[None]:
    from rasterio._err import CPLE_BaseError
    from rasterio.errors import RasterioError

    try:
        yield
    except (RasterioError, CPLE_BaseError) as error:
        raise LoadError(f"{label}: GDAL cannot write the clip ({error_text(error)})") from error
