"""GDAL's reading of GeoTIFF keys, for systems that are not read here; used where rasterio is installed.

GDAL gets a picture of one pixel that is written here: nothing of the file but its keys, and no name of it.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from pyproj import CRS
from pyproj.exceptions import ProjError

#: TIFF's field types: 16-bit and 32-bit whole numbers, doubles, characters.
_SHORT, _LONG, _DOUBLE, _ASCII = 3, 4, 12, 2


def gdal_crs(keys: Mapping[int, Any]) -> CRS | None:
    """The system that GDAL finds in these keys; ``None`` where it finds none or is not installed."""
    try:
        import rasterio
        from rasterio._err import CPLE_BaseError
        from rasterio.errors import NotGeoreferencedWarning, RasterioError
        from rasterio.io import MemoryFile
    except ImportError:
        return None
    import warnings

    try:
        with (
            warnings.catch_warnings(),
            rasterio.Env(GDAL_PAM_ENABLED="NO"),
            MemoryFile(_one_pixel(keys)) as memory,
        ):
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with memory.open(driver="GTiff", sharing=False) as file:
                return CRS.from_wkt(file.crs.to_wkt()) if file.crs else None
    except (RasterioError, CPLE_BaseError, ProjError):  # the last: what GDAL wrote down cannot be read by PROJ
        return None


def _one_pixel(keys: Mapping[int, Any]) -> bytes:
    """A TIFF of one pixel with these keys."""
    index, doubles, characters = _key_tags(keys)
    tags: dict[int, tuple[int, int, bytes]] = {
        256: (_SHORT, 1, struct.pack("<H", 1)),
        257: (_SHORT, 1, struct.pack("<H", 1)),
        258: (_SHORT, 1, struct.pack("<H", 8)),
        262: (_SHORT, 1, struct.pack("<H", 1)),
        273: (_LONG, 1, struct.pack("<I", 8)),
        279: (_LONG, 1, struct.pack("<I", 1)),
        34735: (_SHORT, len(index), struct.pack(f"<{len(index)}H", *index)),
    }
    if doubles:
        tags[34736] = (_DOUBLE, len(doubles), struct.pack(f"<{len(doubles)}d", *doubles))
    if characters:
        tags[34737] = (_ASCII, len(characters), characters)
    entries, values, at = b"", b"", 10 + 2 + 12 * len(tags) + 4
    for tag, (kind, count, value) in sorted(tags.items()):
        if len(value) > 4:
            place = struct.pack("<I", at + len(values))
            values += value + b"\0" * (len(value) % 2)
        else:
            place = value.ljust(4, b"\0")
        entries += struct.pack("<HHI", tag, kind, count) + place
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    return b"II*\0" + struct.pack("<I", 10) + b"\0\0" + directory + values


def _key_tags(keys: Mapping[int, Any]) -> tuple[list[int], list[float], bytes]:
    """The three tags of GeoTIFF (OGC 19-008r4, section 7.1)."""
    index, doubles, characters = [1, 1, 0, len(keys)], list[float](), b""
    for key, value in sorted(keys.items()):
        if isinstance(value, int):
            index += [key, 0, 1, value]
        elif isinstance(value, str):
            encoded = value.encode() + b"|"
            index += [key, 34737, len(encoded), len(characters)]
            characters += encoded
        else:
            numbers = value if isinstance(value, tuple) else (value,)
            index += [key, 34736, len(numbers), len(doubles)]
            doubles += numbers
    return index, doubles, characters + b"\0" if characters else b""
