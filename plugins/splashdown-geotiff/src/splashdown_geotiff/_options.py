"""What can be asked of a raster: the keywords of the loaders, and the options of ``splashdown load``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from splashdown.errors import OptionError
from splashdown.redact import safely_shown
from splashdown.specs import LoaderOptions

if TYPE_CHECKING:
    from splashdown_geotiff._lazy import Chunks
    from splashdown_geotiff._select import Bands, Box


class PartOptions(TypedDict, total=False):
    """Which part of a raster is read; without any of them all of it."""

    bands: Bands | None  #: names, or numbers from 1
    bbox: Box | None  #: west, south, east, north in the raster's CRS or in ``bbox_crs``; touched pixels are read
    bbox_crs: object  #: whatever pyproj takes for a CRS
    window: Sequence[int] | None  #: column, row, width, height in pixels
    overview: int | None  #: the overview with this number, 0 is the finest
    resolution: float | None  #: the coarsest level whose pixels are at most this large; nothing is resampled


class PixelOptions(PartOptions, total=False):
    """Which part is read, and in which form its pixels are returned."""

    masked: bool  #: pixels without data are hidden: NaN, or a mask of numpy
    scaled: bool  #: scale and offset of the bands are applied
    max_bytes: int | None  #: most bytes of the result, or of one block of a lazy one


class ArrayOptions(PixelOptions, total=False):
    """Which part is read, and how it becomes an ``xarray.DataArray``."""

    chunks: Chunks | None  #: lazy, with Dask; ``{}`` for blocks of whole tiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Pixels:
    """What becomes of the pixels of a read, and how many bytes they may be."""

    masked: bool = False
    scaled: bool = False
    max_bytes: int | None = None
    chunks: Chunks | None = None


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CubeOptions:
    """How rasters become a cube; see ``load_cube``."""

    bands: tuple[str, ...] | None
    crs: object
    resolution: float | None
    bbox: Sequence[float] | None
    bbox_crs: object
    groupby: str
    resampling: str
    masked: bool
    scaled: bool
    chunks: Chunks | None
    jobs: int
    max_bytes: int | None
    engine: str

    def __post_init__(self) -> None:
        if self.groupby not in {"time", "solar_day"}:
            raise OptionError(f"groupby={self.groupby!r}: expected time or solar_day")
        if self.jobs < 1:
            raise OptionError(f"jobs={self.jobs}: at least one file is read at a time")
        if self.bbox_crs is not None and self.bbox is None:
            raise OptionError("bbox_crs= says what the numbers of bbox= mean: pass that, too")


def split_options(options: ArrayOptions | PixelOptions) -> tuple[PartOptions, Pixels]:
    """The part that is read, and the rest. Raises ``TypeError`` for a name that is neither."""
    part: Any = {name: value for name, value in options.items() if name in PartOptions.__annotations__}
    rest: dict[str, Any] = {name: value for name, value in options.items() if name not in part}
    return part, Pixels(**rest)


def _option(help: str, metavar: str = "") -> Any:
    return field(default=None, metadata={"help": help, "metavar": metavar})


@dataclass(frozen=True, kw_only=True)
class OpenOptions:
    """How a file is opened."""

    engine: Literal["auto", "native", "gdal"] | None = _option("What reads it: auto, native or gdal.", "NAME")


@safely_shown
@dataclass(frozen=True, kw_only=True, repr=False)
class RasterOptions(LoaderOptions, OpenOptions):
    """The options for a raster."""

    bands: tuple[str, ...] | None = _option("Only these bands, by name or number from 1.", "B04,B08")
    bbox: tuple[float, ...] | None = _option("Only this box, in the raster's CRS or in --bbox-crs.", "W,S,E,N")
    bbox_crs: str | None = _option("The CRS of --bbox, e.g. EPSG:4326 for degrees.", "CRS")
    window: tuple[int, ...] | None = _option("Only these pixels: column, row, width, height.", "C,R,W,H")
    overview: int | None = _option("The overview with this number; 0 is the finest.", "N")
    resolution: float | None = _option("The coarsest level with pixels of at most this size.", "SIZE")
    scaled: bool = field(default=False, metadata={"help": "Apply scale and offset of each band."})
