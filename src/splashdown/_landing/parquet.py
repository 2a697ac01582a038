"""The rows of a list of jobs in Parquet, on pyarrow, which is imported when it is used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from splashdown.errors import NoProviderError, ResolveError, error_text
from splashdown.redact import redact

#: How a file in Parquet begins.
MARK = b"PAR1"
_ROWS = 256  # in memory at a time
#: A file of some kilobytes may say that it holds gigabytes.
_MOST_BYTES = 512 * 2**20
_LONGEST_CELL = 64 * 1024  # bytes


def rows_of_parquet(
    data: bytes, place: str, *, columns: Sequence[str], one_of: Sequence[str], most: int
) -> Iterator[tuple[int, object]]:
    """Row numbers from 1, and rows with those of the columns that there are; ``one_of`` has to be among them.

    Raises ``NoProviderError`` without pyarrow, and ``ResolveError`` for another file, or for one of more than ``most``
    rows.
    """
    try:
        import pyarrow as pa
    except ImportError:
        raise NoProviderError(
            "a list of jobs in Parquet needs pyarrow: pip install splashdown-tables (or give the list as CSV)"
        ) from None
    shown = redact(place) if place else "the list"
    number = 0
    try:
        for batch in _batches(pa.BufferReader(data), shown, columns, one_of, most):
            for row in batch.to_pylist():
                number += 1
                yield number, row
    except ResolveError:
        raise
    except Exception as error:  # arrow raises many kinds for a file that is something else
        raise ResolveError(f"{shown} is not a Parquet file ({error_text(error)[:200]})") from None


def _batches(source: Any, shown: str, columns: Sequence[str], one_of: Sequence[str], most: int) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    found = pq.ParquetFile(source)
    schema, about = found.schema_arrow, found.metadata
    if about.num_rows > most:
        raise ResolveError(f"{shown} has more than {most:,} rows: split it")
    names = [name for name in columns if name in schema.names]
    if not set(names) & set(one_of):
        raise ResolveError(f"{shown} has none of the columns {', '.join(one_of)}: one of them names the jobs")
    groups = (about.row_group(n) for n in range(about.num_row_groups))
    chunks = (group.column(n) for group in groups for n in range(group.num_columns))
    if sum(c.total_uncompressed_size for c in chunks if c.path_in_schema in names) > _MOST_BYTES:
        raise ResolveError(f"{shown} would take more than {_MOST_BYTES // 2**20} MiB, too large for a list of jobs")
    for name in names:
        _refuse_odd(schema.field(name).type, name, shown)
    # A string that is in the file once, for very many rows, stays one: its length is known before it is copied.
    strings = [name for name in names if _is_text(schema.field(name).type)]
    source.seek(0)
    for batch in pq.ParquetFile(source, read_dictionary=strings).iter_batches(_ROWS, columns=names):
        for name in names:
            column = batch.column(name)
            values = column.dictionary if isinstance(column, pa.DictionaryArray) else column
            if _is_text(values.type) and (pc.max(pc.binary_length(values)).as_py() or 0) > _LONGEST_CELL:
                raise ResolveError(f"{shown} has a cell of more than {_LONGEST_CELL:,} bytes in the column {name}")
        yield batch


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind))


def _refuse_odd(kind: Any, name: str, shown: str) -> None:
    """Raise ``ResolveError`` for a column that holds neither strings nor numbers."""
    from pyarrow import types

    inner = kind.value_type if types.is_dictionary(kind) else kind
    plain = (types.is_integer, types.is_floating, types.is_boolean, types.is_null)
    if not _is_text(inner) and not any(is_one(inner) for is_one in plain):
        raise ResolveError(f"{shown} has values of the type {str(kind)[:100]} in the column {name}: write strings")
