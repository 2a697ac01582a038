"""The reader of our own as an engine: finds levels and masks among a file's images and reads their windows."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splashdown.errors import LoadError
from splashdown.protocols import AssetHandle
from splashdown_geotiff._control import read_control
from splashdown_geotiff._crs import read_crs
from splashdown_geotiff._directory import Directory, read_directories
from splashdown_geotiff._georeference import read_keys, read_transform
from splashdown_geotiff._head import Head
from splashdown_geotiff._header import Band, Header
from splashdown_geotiff._layout import Index, Layout, read_index, read_layout
from splashdown_geotiff._limits import TAG_BYTES
from splashdown_geotiff._metadata import Metadata, read_metadata
from splashdown_geotiff._nodata import held_nodata, read_nodata_values
from splashdown_geotiff._plan import Window
from splashdown_geotiff._read import WindowReader

_SUBFILE, _COLOR_MAP = 254, 320
#: The ``PhotometricInterpretation`` of pixels that are numbers of colours.
_PALETTE = 3
#: Bits of ``NewSubfileType`` (TIFF 6.0, page 36): a reduced version, a page of several, a transparency mask.
_REDUCED, _MASK = 1, 4


class Image:
    """One image of the file; where its segments lie is read when they are first wanted."""

    def __init__(self, head: Head, directory: Directory, layout: Layout) -> None:
        self.layout = layout
        self._head = head
        self._directory = directory
        self._index: Index | None = None
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()

    def read_into(self, out: NDArray[Any], window: Window, bands: tuple[int, ...], fill: float) -> None:
        """Fill ``out`` with a window."""
        with self._lock:
            if self._index is None:
                self._index = read_index(self._directory, self.layout, self._head)
        WindowReader(self._head, self.layout, self._index, window, bands).read_into(out, fill)


class NativeEngine:
    """An ``Engine`` over one asset: one request for the header, as a rule, then one per run of wanted segments."""

    def __init__(self, handle: AssetHandle) -> None:
        self._head = Head(handle)
        directories = read_directories(self._head)
        self._levels, self._masks = self._sort(directories)
        self.header = self._describe(directories[0])

    def read_into(self, out: NDArray[Any], level: int, window: Window, bands: tuple[int, ...]) -> None:
        """Fill ``out`` with a window of a level."""
        self._levels[level].read_into(out, window, bands, _cast(self._fill, out.dtype))

    def read_mask(self, level: int, window: Window) -> NDArray[np.bool_]:
        """The internal mask of a level, which has an image of its own size."""
        size = self.header.levels[level]
        finer = [m for m in self._masks if m.layout.width >= size[0] and m.layout.height >= size[1]]
        if not finer:
            raise LoadError(f"{self._head.label}: no mask of {size[0]} x {size[1]} pixels for this overview")
        mask = min(finer, key=lambda m: m.layout.width)
        if (mask.layout.width, mask.layout.height) == size:
            return _hidden(mask, window)
        # Masks that were added after the overviews have none of their own.
        return _sampled(mask, size, window)

    def _sort(self, directories: list[Directory]) -> tuple[list[Image], list[Image]]:
        """The first image with its overviews, finest first, and the masks. Further pages are left alone."""
        first = Image(self._head, directories[0], read_layout(directories[0], self._head.label))
        levels, masks = [first], []
        for directory in directories[1:]:
            kind = directory.number(_SUBFILE, 0)
            if not kind & (_REDUCED | _MASK):
                continue
            image = Image(self._head, directory, read_layout(directory, self._head.label))
            if kind & _MASK:
                masks.append(image)
            elif _is_overview(image.layout, first.layout):
                levels.append(image)
        levels[1:] = sorted(levels[1:], key=lambda i: -i.layout.width)
        return levels, masks

    def _describe(self, directory: Directory) -> Header:
        layout, label = self._levels[0].layout, self._head.label
        keys = read_keys(directory)
        metadata = read_metadata(directory, label)
        alpha = _alpha(layout, metadata)
        nodata = held_nodata(metadata.nodata, layout.dtype)
        by_band = read_nodata_values(metadata.tags, layout.samples, layout.dtype, label)
        # GDAL fills what is not stored with nodata even where its type cannot hold it.
        self._fill = metadata.nodata or 0
        transform, crs = read_transform(directory, keys, label), read_crs(keys, label)
        control = read_control(directory, keys, crs) if transform is None else None
        return Header(
            levels=tuple((i.layout.width, i.layout.height) for i in self._levels),
            dtype=layout.dtype,
            bands=tuple(_band(metadata, number) for number in range(layout.samples)),
            transform=transform,
            # The system of control points is theirs, not that of the pixels.
            crs=None if control is not None and control.points else crs,
            control=control,
            nodata=nodata,
            nodata_values=by_band,
            mask=_mask_kind(bool(self._masks), by_band, nodata, alpha),
            alpha=alpha,
            tags=metadata.tags,
            block=(layout.rows, layout.columns),
            colors=_colors(layout, metadata, alpha),
            palette=_palette(directory, layout),
        )


def _hidden(mask: Image, window: Window) -> NDArray[np.bool_]:
    out = np.empty((1, window.height, window.width), np.uint8)
    mask.read_into(out, window, (0,), 0)
    hidden: NDArray[np.bool_] = out[0] == 0
    return hidden


def _sampled(mask: Image, size: tuple[int, int], window: Window) -> NDArray[np.bool_]:
    """A mask of another level, at the centres of the pixels of an image of this size, a few rows at a time."""
    width, height = size
    columns = _centres(window.column, window.width, mask.layout.width / width)
    rows = _centres(window.row, window.height, mask.layout.height / height)
    across = int(columns[-1] - columns[0]) + 1
    step = max(1, _MASK_PIXELS * height // (mask.layout.height * across))
    found = np.empty((window.height, window.width), bool)
    for start in range(0, window.height, step):
        part = rows[start : start + step]
        whole = Window(int(columns[0]), int(part[0]), across, int(part[-1] - part[0]) + 1)
        found[start : start + step] = _hidden(mask, whole)[np.ix_(part - part[0], columns - columns[0])]
    return found


def _centres(first: int, count: int, factor: float) -> NDArray[np.intp]:
    return ((np.arange(first, first + count) + 0.5) * factor).astype(np.intp)


#: Pixels of a finer mask that are read at a time.
_MASK_PIXELS = 16 * 1024**2


def _is_overview(layout: Layout, full: Layout) -> bool:
    same = (layout.samples, layout.dtype) == (full.samples, full.dtype)
    return same and layout.width <= full.width and layout.height <= full.height


def _mask_kind(internal: bool, by_band: Sequence[object], nodata: float | None, alpha: int | None) -> str:
    """The first that there is, in GDAL's order."""
    kinds = {"internal": internal, "nodata-values": by_band, "nodata": nodata is not None, "alpha": alpha is not None}
    return next((kind for kind, there in kinds.items() if there), "")


def _alpha(layout: Layout, metadata: Metadata) -> int | None:
    """The alpha band as GDAL finds it: the last of two or four, of 8 or 16 bits, by its colour interpretation.

    That is GDAL's own item, else TIFF's ``ExtraSamples`` (1: premultiplied, 2: not).
    """
    last = layout.samples - 1
    if layout.samples not in {2, 4} or layout.dtype.name not in {"uint8", "uint16"}:
        return None
    color = metadata.band(last).color
    return last if (color == "alpha" if color else _is_extra_alpha(layout, last)) else None


def _is_extra_alpha(layout: Layout, number: int) -> bool:
    """Whether ``ExtraSamples`` calls a band alpha. They follow the colours, even where fewer are listed than follow."""
    colors = _COLORS.get(layout.photometric, 1)
    first = min(colors, layout.samples - len(layout.extra))
    place = number - first
    return number >= colors and 0 <= place < len(layout.extra) and layout.extra[place] in {1, 2}


#: Bands of colour by ``PhotometricInterpretation``, where they are more than one (RGB, CMYK, YCbCr, CIELab).
_COLORS = {2: 3, 5: 4, 6: 3, 8: 3, 9: 3, 10: 3}


def _colors(layout: Layout, metadata: Metadata, alpha: int | None) -> tuple[str, ...]:
    """What each band shows, by GDAL's own items, else by TIFF's photometric interpretation."""
    usual = ("red", "green", "blue") if layout.photometric in _SHOWN_AS_RGB and layout.samples >= 3 else ()
    named = [metadata.band(n).color or (usual[n] if n < len(usual) else "") for n in range(layout.samples)]
    if alpha is not None:
        named[alpha] = "alpha"
    return tuple(named) if any(named) else ()


#: RGB, and YCbCr, which is decoded to RGB.
_SHOWN_AS_RGB = frozenset({2, 6})


def _palette(directory: Directory, layout: Layout) -> dict[int, tuple[int, int, int, int]]:
    """The colours of pixel values (TIFF ``ColorMap``): all red ones, then green and blue, of 16 bits each."""
    if layout.photometric != _PALETTE or layout.bits > 16:
        return {}
    values, count = directory.whole(_COLOR_MAP, TAG_BYTES), 1 << layout.bits
    if values is None or len(values) != 3 * count:
        return {}
    # Some writers fill in 8 bits only, as GDAL recognises.
    shift = 8 if values.max() > 255 else 0
    red, green, blue = (values.reshape(3, count) >> shift).tolist()
    return {n: (red[n], green[n], blue[n], 255) for n in range(count)}


def _band(metadata: Metadata, number: int) -> Band:
    items = metadata.band(number)
    return Band(description=items.description, scale=items.scale, offset=items.offset, tags=items.tags)


def _cast(value: float, dtype: np.dtype[Any]) -> float:
    """A fill value as this type can hold it; GDAL clamps in the same way."""
    if dtype.kind not in "iu":
        return value
    limits = np.iinfo(dtype)
    return 0 if value != value else int(min(max(value, limits.min), limits.max))  # noqa: PLR0124 - NaN
