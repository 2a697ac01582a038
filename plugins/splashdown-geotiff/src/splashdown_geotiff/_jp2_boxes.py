"""The boxes of a JP2 file (ISO/IEC 15444-1, annex I): where its code stream and its pixels lie."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from pyproj import CRS
from pyproj.exceptions import CRSError

from splashdown.errors import LoadError, error_text
from splashdown_geotiff._crs import read_crs
from splashdown_geotiff._directory import read_directories
from splashdown_geotiff._georeference import POINT_SHIFT, Transform, read_keys, read_transform
from splashdown_geotiff._head import Head
from splashdown_geotiff._limits import METADATA_BYTES

SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
#: A degenerate GeoTIFF in a box (GeoJP2).
_GEOJP2 = bytes.fromhex("b14bf8bd083d4b43a5ae8cd7d5a6ce03")
_BOXES = 64
_EPSG = re.compile(r"(?:urn:ogc:def:crs:EPSG:[^:]*:|EPSG:|https?://www\.opengis\.net/def/crs/EPSG/[^/]*/)([0-9]{4,6})$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the pixels lie; either part may be missing."""

    transform: Transform | None = None
    crs: CRS | None = None


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    start: int  #: of the contents
    stop: int


def read_boxes(head: Head) -> tuple[tuple[int, int], Place]:
    """First and one past the last byte of the code stream, and the place. Raises ``LoadError`` for damaged files."""
    stream, place = None, Place()
    for box in _boxes(head, 0, head.size):
        if box.kind == b"jp2c":
            stream = (box.start, box.stop)
        elif place.transform is None and box.kind == b"uuid" and box.stop - box.start <= METADATA_BYTES:
            content = bytes(head.read(box.start, box.stop - box.start))
            if content.startswith(_GEOJP2):
                place = _from_geotiff(content[16:], head)
        elif place.transform is None and box.kind == b"asoc" and box.stop - box.start <= METADATA_BYTES:
            place = _from_gml(_xml(head, box, 0), head.label) or place
    if stream is None:
        raise LoadError(f"{head.label}: a JP2 file without a code stream: damaged")
    return stream, place


def _boxes(head: Head, start: int, stop: int) -> Iterator[_Box]:
    for _ in range(_BOXES):
        if start + 8 > stop:
            return
        size, kind, first = int.from_bytes(head.read(start, 4), "big"), bytes(head.read(start + 4, 4)), start + 8
        if size == 1:
            size, first = int.from_bytes(head.read(start + 8, 8), "big"), start + 16
        end = stop if size == 0 else start + size
        if not first <= end <= stop:
            raise LoadError(f"{head.label}: a box of JP2 at bytes {start}:{end}, the file has {head.size}: damaged")
        yield _Box(kind, first, end)
        start = end


def _xml(head: Head, box: _Box, depth: int) -> bytes:
    """The first XML in a box of boxes, which holds GML."""
    for inner in _boxes(head, box.start, box.stop):
        if inner.kind == b"xml ":
            content = bytes(head.read(inner.start, inner.stop - inner.start))
            if b"RectifiedGrid" in content:
                return content
        elif inner.kind == b"asoc" and depth < 4 and (found := _xml(head, inner, depth + 1)):
            return found
    return b""


class _Bytes:
    """A handle on the few bytes of a box."""

    def __init__(self, content: bytes, head: Head) -> None:
        self.asset = head.handle.asset
        self.size = len(content)
        self._content = memoryview(content)

    def read_range(self, start: int, stop: int) -> memoryview:
        """These bytes, cut at the end."""
        return self._content[start:stop]


def _from_geotiff(content: bytes, head: Head) -> Place:
    inner: Any = _Bytes(content, head)  # it is read by ranges only
    directory = read_directories(Head(inner))[0]
    keys = read_keys(directory)
    return Place(transform=read_transform(directory, keys, head.label), crs=read_crs(keys, head.label))


def _from_gml(content: bytes, label: str) -> Place | None:
    """The grid of a GMLJP2 box (OGC 05-047), as ESA writes it for Sentinel-2. Its origin is the centre of a pixel."""
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise LoadError(f"{label}: its GML has a document type declaration: refused")
    try:
        grid = ET.fromstring(content.rstrip(b"\0")).find(".//{*}RectifiedGrid")  # noqa: S314 - no document type
        if grid is None:
            return None
        origin = _numbers(grid.findtext(".//{*}origin//{*}pos") or grid.findtext(".//{*}origin//{*}coordinates"))
        across, down = (_numbers(vector.text) for vector in grid.findall("{*}offsetVector"))
        named = [e.get("srsName") for e in grid.iter() if e.get("srsName")]
        crs = _crs(named[0]) if named else None
    except (ET.ParseError, ValueError, TypeError) as error:
        raise LoadError(f"{label}: the place of its pixels (GML) cannot be read ({error_text(error)})") from error
    if crs is not None and crs.axis_info and crs.axis_info[0].direction == "north":
        origin, across, down = origin[::-1], across[::-1], down[::-1]
    centre = Transform(across[0], down[0], origin[0], across[1], down[1], origin[1])
    return Place(transform=centre.moved(-POINT_SHIFT, -POINT_SHIFT) if centre.usable else None, crs=crs)


def _numbers(text: str | None) -> tuple[float, float]:
    first, second = (text or "").replace(",", " ").split()[:2]
    return float(first), float(second)


def _crs(name: str | None) -> CRS | None:
    found = _EPSG.search(name or "")
    try:
        return CRS.from_epsg(int(found[1])) if found else None
    except CRSError:
        return None
