"""FlatGeobuf to geopandas: whole, or the features in a box alone, found by the index of the file.

GDAL decodes. For a box it gets a file of the same length in which only those ranges are filled that it will read:
the header, the nodes of the index on the way, and the features that they lead to. The rest is a hole.
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from splashdown.errors import LoadError, error_text
from splashdown.protocols import AssetHandle
from splashdown_tables._boxes import Box, checked_box

if TYPE_CHECKING:
    import geopandas as gpd

MAX_BYTES = 1024**3
#: The format's version 3, whatever its patch (FlatGeobuf specification, "Magic bytes").
_MAGIC = b"fgb\x03fgb"
_FIRST_READ = 64 * 1024
#: A header lists columns; real ones have a few kilobytes.
_LARGEST_HEADER = 16 * 1024**2
_NODE = struct.Struct("<4dQ")
#: Ranges that lie so close together are fetched with one request.
_GAP = 64 * 1024
#: Places of two fields in the table of the header (``header.fbs``).
_FEATURES_COUNT, _INDEX_NODE_SIZE = 8, 9
#: Without a word about it, a node of the index has so many children.
_USUAL_NODE_SIZE = 16

Range = tuple[int, int]


def load_flatgeobuf(
    asset: AssetHandle, *, bbox: Sequence[float] | None = None, max_bytes: int = MAX_BYTES
) -> gpd.GeoDataFrame:
    """A FlatGeobuf file as a ``geopandas.GeoDataFrame``.

    ``bbox`` is west, south, east, north in the CRS of the file: features whose geometry touches that box. If the file
    has an index, only those features and their part of the index are read. Raises ``LoadError`` for a file that is not
    FlatGeobuf, and where more than ``max_bytes`` would have to be read.
    """
    label = asset.asset.label
    box = None if bbox is None else checked_box(bbox)
    head = bytes(asset.read_range(0, _FIRST_READ))
    # GDAL takes a file for what its bytes say, not for its name: only FlatGeobuf may get there.
    if not head.startswith(_MAGIC):
        raise LoadError(f"{label} is not FlatGeobuf: it begins with {head[:8].hex(' ') or 'nothing'}")
    with tempfile.TemporaryDirectory(prefix="splashdown-") as folder:
        part = Path(folder, "part.fgb")
        try:
            indexed = box is not None and _copy_part(asset, head, box, part, max_bytes)
        except (struct.error, ValueError, IndexError) as error:
            raise LoadError(f"{label} is damaged: its header or index makes no sense ({error_text(error)})") from error
        if not indexed and asset.size > max_bytes:
            raise LoadError(f"{label} has {asset.size:,} bytes, more than max_bytes={max_bytes:,}")
        return _decoded(part if indexed else asset.path(), label, box)


def _copy_part(asset: AssetHandle, head: bytes, box: Box, path: Path, max_bytes: int) -> bool:
    """Write what GDAL needs for a box; false for a file without an index."""
    index = _Index.of(asset, head)
    if index is None:
        return False
    with path.open("wb") as file:
        file.truncate(asset.size)
        index.copy(box, file, max_bytes)
    return True


def _decoded(path: Path, label: str, box: Box | None) -> gpd.GeoDataFrame:
    import pyogrio
    import shapely

    try:
        frame: gpd.GeoDataFrame = pyogrio.read_dataframe(path, bbox=box)
    except Exception as error:  # damaged files end in errors of many kinds
        raise LoadError(f"{label} cannot be read as FlatGeobuf ({error_text(error)})") from error
    if box is None or frame.empty:
        return frame
    # GDAL compares boxes of features where its GEOS is not at hand.
    touching: gpd.GeoDataFrame = frame[shapely.intersects(frame.geometry.array, shapely.box(*box))]
    return touching.reset_index(drop=True)


class _Index:
    """The packed R-tree between header and features, read from the root to the leaves that touch a box."""

    def __init__(self, asset: AssetHandle, begin: int, count: int, node_size: int) -> None:
        self._asset, self._begin, self._node_size = asset, begin, node_size
        sizes = [count, -(-count // node_size)]  # a single leaf has a root above it, too
        while sizes[-1] > 1:
            sizes.append(-(-sizes[-1] // node_size))
        nodes = sum(sizes)
        #: First node and one past the last of each level, the root first: levels lie so in the file.
        self._levels: list[Range] = []
        at = 0
        for size in reversed(sizes):
            self._levels.append((at, at + size))
            at += size
        self._features = begin + nodes * _NODE.size
        if self._features > asset.size:
            raise ValueError("the index ends beyond the file")

    @classmethod
    def of(cls, asset: AssetHandle, head: bytes) -> _Index | None:
        """The index of a file, ``None`` where it has none."""
        (size,) = struct.unpack_from("<I", head, 8)
        if size > min(_LARGEST_HEADER, asset.size):
            raise ValueError(f"the header has {size} bytes")
        header = head[12 : 12 + size] if 12 + size <= len(head) else bytes(asset.read_range(12, 12 + size))
        count = _field(header, _FEATURES_COUNT, "<Q", 0)
        node_size = _field(header, _INDEX_NODE_SIZE, "<H", _USUAL_NODE_SIZE)
        if not count or node_size < 2:
            return None
        if count > asset.size // _NODE.size:
            raise ValueError(f"the header counts {count} features")
        return cls(asset, 12 + size, count, node_size)

    def copy(self, box: Box, file: BinaryIO, max_bytes: int) -> None:
        """Write header, nodes and features for a box into a file, at their places."""
        copied = _Copied(self._asset, file, max_bytes)
        copied.take([(0, self._begin)])
        found: list[int] = [0]  # the root
        features: list[tuple[int, int | None]] = []
        for level, (first, last) in enumerate(self._levels):
            leaf = level == len(self._levels) - 1
            # A node is read with its neighbours below the same parent; a leaf with the next one, where it ends.
            spans = _merged(sorted((at, min(at + (1 if level == 0 else self._node_size), last)) for at in found), 0)
            if any(not first <= at < last for at, _ in spans):
                raise LoadError(f"{self._asset.asset.label} is damaged: its index leads beyond itself")
            spans = [(at, min(end + leaf, last)) for at, end in spans]
            copied.take((self._begin + at * _NODE.size, self._begin + end * _NODE.size) for at, end in spans)
            found = [child for span in spans for child, _ in self._touching(copied, box, span)]
            if leaf:
                features = [hit for span in spans for hit in self._touching(copied, box, span)]
        copied.take((self._features + at, self._end(at, following)) for at, following in features)

    def _touching(self, copied: _Copied, box: Box, span: Range) -> Iterator[tuple[int, int | None]]:
        """Where each node leads that touches a box, and where the node after it does, if that was read."""
        import numpy as np

        first, last = span
        data = copied.get(self._begin + first * _NODE.size, self._begin + last * _NODE.size)
        nodes = np.frombuffer(data, dtype=[("box", "<f8", 4), ("at", "<u8")])
        west, south, east, north = box
        sides, leads = nodes["box"], nodes["at"].tolist()
        hit = (sides[:, 0] <= east) & (sides[:, 1] <= north) & (sides[:, 2] >= west) & (sides[:, 3] >= south)
        for place in np.flatnonzero(hit):
            yield leads[place], leads[place + 1] if place + 1 < len(leads) else None

    def _end(self, at: int, following: int | None) -> int:
        """One past the last byte of a feature: features lie in the order of their leaves."""
        if following is not None:
            return self._features + following
        begin = self._features + at
        (size,) = struct.unpack("<I", self._asset.read_range(begin, begin + 4))
        return begin + 4 + int(size)


class _Copied:
    """Ranges of an asset that are in a file at their places."""

    def __init__(self, asset: AssetHandle, file: BinaryIO, max_bytes: int) -> None:
        self.asset, self._file, self._left, self._max = asset, file, max_bytes, max_bytes
        self._parts: dict[int, bytes] = {}

    def take(self, ranges: Iterable[Range]) -> None:
        """Fetch ranges, over several connections, and write them."""
        label, size = self.asset.asset.label, self.asset.size
        wanted = sorted(ranges)
        if any(not 0 <= begin <= end <= size for begin, end in wanted):
            raise LoadError(f"{label} is damaged: its index leads beyond the file")
        merged = _merged(wanted, _GAP)
        self._left -= sum(end - begin for begin, end in merged)
        if self._left < 0:
            raise LoadError(f"{label}: this box needs more than max_bytes={self._max:,}; take a smaller one")
        self._parts = {}
        for place, data in self.asset.read_ranges(merged):
            begin, end = merged[place]
            if len(data) != end - begin:
                raise LoadError(f"{label}: asked for {end - begin} bytes and got {len(data)}")
            self._parts[begin] = bytes(data)
            self._file.seek(begin)
            self._file.write(data)

    def get(self, begin: int, end: int) -> bytes:
        """Bytes of what was taken last."""
        at = max(one for one in self._parts if one <= begin)
        return self._parts[at][begin - at : end - at]


def _merged(ranges: Iterable[Range], gap: int) -> list[Range]:
    """Sorted ranges, with those joined between which there are at most ``gap`` bytes."""
    found: list[Range] = []
    for begin, end in ranges:
        if found and begin <= found[-1][1] + gap:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


def _field(table: bytes, number: int, kind: str, default: int) -> int:
    """A number in the root table of a FlatBuffer (its encoding: "Tables")."""
    (at,) = struct.unpack_from("<I", table, 0)
    (back,) = struct.unpack_from("<i", table, at)
    vtable = at - back
    (length,) = struct.unpack_from("<H", table, vtable)
    entry = 4 + 2 * number
    if entry + 2 > length:
        return default
    (offset,) = struct.unpack_from("<H", table, vtable + entry)
    return int(struct.unpack_from(kind, table, at + offset)[0]) if offset else default
