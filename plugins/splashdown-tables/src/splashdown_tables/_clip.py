"""The rows of a GeoParquet file whose geometry touches an area, as a file of their own.

Rows are whole and as they were: columns, types and metadata stay, geometries are not cut. Row groups that cannot touch
the area are not read, where the file has boxes of its rows (GeoParquet 1.1, ``covering``).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from splashdown.clipping import Area, Clip
from splashdown.errors import LoadError, error_text
from splashdown.protocols import AssetHandle
from splashdown_tables._boxes import Box, geometry_column, touched_groups
from splashdown_tables._frames import MAX_BYTES, check_unpacked

_MEDIA_TYPE = "application/vnd.apache.parquet"
_DEGREES = "OGC:CRS84"  #: the CRS of a column that names none (GeoParquet 1.1, "crs")
#: What STAC says of the table as a whole.
_STALE = ("table:row_count",)


def clip_parquet(asset: AssetHandle, area: Area) -> Clip | None:
    """The rows in an area; ``None`` where no row group may hold one. The footer is read for that.

    Raises ``LoadError`` for a file that is not GeoParquet or is damaged.
    """
    label = asset.asset.label
    with _opened(asset) as file:
        geometry, sides = geometry_column(file.schema_arrow, label)
        boxes = [_in_crs(box, file.schema_arrow, geometry, label) for box in _halves(area.bbox)]
        groups = sorted({group for box in boxes for group in touched_groups(file.metadata, sides, box)})
        for group in groups:
            check_unpacked(file, None, [group], MAX_BYTES, label)
    if not groups:
        return None

    def write(path: Path) -> None:
        _write(asset, path, geometry, boxes, groups)

    return Clip(
        media_type=_MEDIA_TYPE,
        extension=".parquet",
        recipe=f"parquet/1 {boxes}",
        write=write,
        bbox=area.bbox,
        stale=_STALE,
    )


def _write(asset: AssetHandle, path: Path, geometry: str, boxes: Sequence[Box], groups: Sequence[int]) -> None:
    """One row group after the other, so that memory holds no more than one."""
    import pyarrow.parquet as pq
    import shapely

    with _opened(asset) as file, pq.ParquetWriter(path, _without_box(file.schema_arrow, geometry)) as writer:
        for group in groups:
            table = file.read_row_group(group)
            try:
                shapes = shapely.from_wkb(table[geometry].to_numpy(zero_copy_only=False))
            except (shapely.errors.GEOSException, TypeError, ValueError) as error:
                raise LoadError(f"{asset.asset.label}: its geometries are not WKB ({error_text(error)})") from error
            inside = shapely.intersects(shapes, shapely.union_all([shapely.box(*box) for box in boxes]))
            if inside.any():
                writer.write_table(table.filter(inside).replace_schema_metadata(writer.schema.metadata))


def _without_box(schema: Any, geometry: str) -> Any:
    """The schema, without the box of all rows: it is optional, and that of a part is another one."""
    metadata = dict(schema.metadata)
    described = json.loads(metadata[b"geo"])
    described["columns"][geometry].pop("bbox", None)
    metadata[b"geo"] = json.dumps(described).encode()
    return schema.with_metadata(metadata)


def _halves(box: Box) -> list[Box]:
    """The box, or its two halves where it crosses the antimeridian."""
    west, south, east, north = box
    return [box] if west <= east else [(west, south, 180.0, north), (-180.0, south, east, north)]


def _in_crs(box: Box, schema: Any, geometry: str, label: str) -> Box:
    """A box of degrees in the CRS of the geometries."""
    from pyproj import CRS, Transformer
    from pyproj.exceptions import ProjError

    said = json.loads(schema.metadata[b"geo"])["columns"][geometry].get("crs", _DEGREES)
    if said is None:
        raise LoadError(f"{label}: it does not name the CRS of its geometries, so degrees have no place in it")
    try:
        own = CRS.from_user_input(said)
        if own.is_geographic:
            return box
        found = Transformer.from_crs(_DEGREES, own, always_xy=True).transform_bounds(*box)
    except (ProjError, TypeError, ValueError) as error:
        raise LoadError(f"{label}: the area cannot be expressed in its CRS ({error_text(error)})") from error
    if not all(map(math.isfinite, found)):
        raise LoadError(f"{label}: the area lies too far from where its CRS ({own.name}) is meant for")
    return float(found[0]), float(found[1]), float(found[2]), float(found[3])


@contextmanager
def _opened(asset: AssetHandle) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with asset.open() as source, pq.ParquetFile(source) as file:
            yield file
    except (pa.ArrowException, OSError, KeyError) as error:
        raise LoadError(f"{asset.asset.label} cannot be read as Parquet ({error_text(error)})") from error
