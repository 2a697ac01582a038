"""CSV and Parquet to pandas, and to geopandas where there is geometry."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from splashdown.errors import LoadError, OptionError, error_text
from splashdown.protocols import AssetHandle
from splashdown_tables._boxes import Box, checked_box, geometry_column, touched_groups

if TYPE_CHECKING:
    import pandas as pd

#: A file of this size takes several times as much memory as a table.
MAX_BYTES = 1024**3
#: Columns that hold times in the tables that openEO back-ends write.
_TIMES = ("date", "t", "time", "datetime", "timestamp")


def load_csv(
    asset: AssetHandle,
    *,
    sep: str = ",",
    encoding: str | None = None,
    dates: bool | Sequence[str] = True,
    decimal: str = ".",
    thousands: str | None = None,
    comment: str | None = None,
    skiprows: int = 0,
    dtype: object = None,
    na_values: Sequence[str] = (),
    keep_default_na: bool = True,
    max_bytes: int = MAX_BYTES,
) -> pd.DataFrame:
    """A CSV table as a ``pandas.DataFrame``.

    ``encoding`` is UTF-8 unless the file begins with the mark of UTF-16. ``decimal`` to ``keep_default_na`` are those
    of ``pandas.read_csv``: ``dtype=str`` keeps leading zeros, ``keep_default_na=False`` keeps "NA" as a word.

    ``dates`` names the columns that hold times; ``True`` tries those that are called ``date``, ``t``, ``time``,
    ``datetime`` or ``timestamp`` and leaves the others alone. Raises ``LoadError`` for a file that is not such a
    table or is larger than ``max_bytes``.
    """
    import pandas as pd

    content = asset.bytes(max_bytes)
    if encoding is None:
        encoding = "utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    wide = encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32", "utf16", "utf32"))
    if (b"\0" in content and not wide) or content.lstrip()[:1] == b"<":
        raise LoadError(f"{asset.asset.label} is not a CSV table: it begins with {content[:8].hex(' ')}")
    try:
        frame = _read_csv(
            content, asset.asset.label, sep=sep, encoding=encoding, decimal=decimal, thousands=thousands,
            comment=comment, skiprows=skiprows, dtype=dtype, na_values=list(na_values), keep_default_na=keep_default_na,
        )  # fmt: skip
        for name in _time_columns(frame, dates):
            frame[name] = pd.to_datetime(frame[name], errors="raise" if dates is not True else "coerce")
    except UnicodeDecodeError as error:
        raise LoadError(
            f"{asset.asset.label} is not text in {encoding} ({error.reason}): say encoding, for example latin-1"
        ) from error
    except (ValueError, KeyError, LookupError, TypeError) as error:
        raise LoadError(f"{asset.asset.label} cannot be read as CSV ({error_text(error)})") from error
    return frame


def _read_csv(content: bytes, label: str, **options: Any) -> pd.DataFrame:
    """What pandas reads, but never with the names of columns moved to their neighbours.

    It takes the surplus fields of rows that are longer than the first line for names of the rows, without a word.
    """
    import pandas as pd

    # A separator of several characters is a pattern for pandas, which its faster parser does not know.
    options["engine"] = "c" if len(options["sep"]) == 1 else "python"
    frame = pd.read_csv(io.BytesIO(content), **options)
    if isinstance(frame.index, pd.RangeIndex) or frame.empty:
        return frame
    # Rows, and not the first line, end with a separator.
    if frame.index.nlevels == 1 and frame.iloc[:, -1].isna().all():
        return pd.read_csv(io.BytesIO(content), index_col=False, **options)
    raise LoadError(
        f"{label}: its rows have more fields than its first line has names, so fields have no names; "
        "say what stands between columns with sep, for example ';'"
    )


def load_parquet(
    asset: AssetHandle,
    *,
    columns: str | Sequence[str] | None = None,
    bbox: Sequence[float] | None = None,
    max_bytes: int = MAX_BYTES,
) -> pd.DataFrame:
    """A Parquet table; a ``geopandas.GeoDataFrame`` where it is GeoParquet.

    With ``columns`` only their pages and those of pandas' index are read, by ranges; without the geometry among them it
    is a plain table. ``bbox`` is west, south, east, north in the CRS of the table: rows whose geometry touches that
    box. Only row groups that may hold such rows are read; rows without an index of their own are counted from 0.

    Raises ``OptionError`` for a column that is not there, and ``LoadError`` for a file that is not Parquet, for a file
    over ``max_bytes``, and for one that unpacks to more than four times that.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    label = asset.asset.label
    wanted = [columns] if isinstance(columns, str) else None if columns is None else list(columns)
    box = None if bbox is None else checked_box(bbox)
    part = wanted is not None or box is not None
    source: Any = asset.open() if part else io.BytesIO(asset.bytes(max_bytes))
    try:
        with pq.ParquetFile(source) as file:
            schema = file.schema_arrow
            _check_columns(schema.names, wanted or (), label)
            groups = list(range(file.metadata.num_row_groups))
            read = None if wanted is None else [*wanted, *_index_columns(schema, wanted)]
            geometry = ""
            if box is not None:
                geometry, sides = geometry_column(schema, label)
                groups = touched_groups(file.metadata, sides, box)
                read = read if read is None or geometry in read else [*read, geometry]
            check_unpacked(file, read, groups, max_bytes, label)
            table = file.read_row_groups(groups, columns=read)
    except (pa.ArrowException, OSError, KeyError) as error:
        raise LoadError(f"{label} cannot be read as Parquet ({error_text(error)})") from error
    frame = _frame_of(table, label)
    if box is None:
        return frame
    frame = _within(frame, geometry, box)
    return frame if wanted is None or geometry in wanted else frame.drop(columns=geometry)


def _within(frame: Any, geometry: str, box: Box) -> Any:
    """The rows whose geometry touches the box."""
    import pandas as pd
    import shapely

    found = frame[frame[geometry].intersects(shapely.box(*box))]
    # An index that only counts is not stored, and would count the rows of the groups that were read.
    return found.reset_index(drop=True) if isinstance(frame.index, pd.RangeIndex) else found


def _check_columns(known: Sequence[str], wanted: Sequence[str], label: str) -> None:
    # A part of a nested column is named NAME.PART.
    for name in wanted:
        if name not in known and name.partition(".")[0] not in known:
            raise OptionError(f"{label} has no column {name!r}; there are {', '.join(known)}")


def _index_columns(schema: Any, wanted: Sequence[str]) -> list[str]:
    """The columns that pandas has written its index to, as far as they are not wanted anyway."""
    try:
        described = json.loads((schema.metadata or {})[b"pandas"])["index_columns"]
        # An index that only counts is described, and not stored.
        return [name for name in described if isinstance(name, str) and name in schema.names and name not in wanted]
    except (ValueError, KeyError, TypeError):
        return []  # not written by pandas


def _time_columns(frame: pd.DataFrame, dates: bool | Sequence[str]) -> list[str]:
    if dates is False:
        return []
    if dates is not True:
        return list(dates)
    import pandas as pd

    found = [c for c in frame.columns if str(c).lower() in _TIMES and not pd.api.types.is_numeric_dtype(frame[c])]
    # A column of that name which holds something else is left as it is.
    return [c for c in found if pd.to_datetime(frame[c], errors="coerce").notna().equals(frame[c].notna())]


def check_unpacked(file: Any, columns: Sequence[str] | None, groups: Sequence[int], max_bytes: int, label: str) -> None:
    """Sizes are in the footer, so that a bomb is known before it is unpacked."""
    wanted = None if columns is None else set(columns)
    size = 0
    for group in groups:
        row_group = file.metadata.row_group(group)
        for number in range(row_group.num_columns):
            column = row_group.column(number)
            if wanted is None or column.path_in_schema.partition(".")[0] in wanted:
                size += max(column.total_uncompressed_size, 0)
    if size > 4 * max_bytes:
        raise LoadError(f"{label} unpacks to {size:,} bytes: name the columns= you need, or raise max_bytes")


def _has_geometry(table: Any) -> bool:
    """Whether a column of those that GeoParquet's metadata describe was read."""
    try:
        described = json.loads(table.schema.metadata[b"geo"])["columns"]
    except (ValueError, KeyError, TypeError):
        return True  # damaged: what reads it says so
    return not set(described).isdisjoint(table.schema.names)


def _frame_of(table: Any, label: str) -> pd.DataFrame:
    if b"geo" not in (table.schema.metadata or {}) or not _has_geometry(table):
        frame: pd.DataFrame = table.to_pandas()
        return frame
    import geopandas as gpd
    import pyarrow as pa
    import pyarrow.parquet as pq

    # geopandas knows the rules of GeoParquet (which column, which CRS, which encoding), but only reads files.
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="none")
    buffer.seek(0)
    try:
        features: pd.DataFrame = gpd.read_parquet(buffer)
    except (ValueError, pa.ArrowException) as error:
        raise LoadError(f"{label} cannot be read as GeoParquet ({error_text(error)})") from error
    return features
