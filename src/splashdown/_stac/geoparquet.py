"""STAC-GeoParquet in and out, on pyarrow and stac-geoparquet (extra ``geoparquet``), imported when used."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from splashdown._stac.reading import Found, Reader, is_local, path_of, shown
from splashdown.errors import NoProviderError, ResolveError, describe

_INSTALL = "STAC-GeoParquet needs more packages: pip install 'splashdown[geoparquet]'"
#: Rows that are in memory at a time.
_ROWS = 1000


def read_items(place: str, reader: Reader) -> Iterator[Found]:  # noqa: ARG001 - remote files are not read yet
    """The items of a STAC-GeoParquet file, some rows at a time.

    Raises ``NoProviderError`` when the packages are not installed and ``ResolveError`` for a file that is no such.
    """
    try:
        import pyarrow.parquet as pq
        from stac_geoparquet.arrow import stac_table_to_items
    except ImportError:
        raise NoProviderError(_INSTALL) from None
    if not is_local(place):
        raise ResolveError(f"{shown(place)}: STAC-GeoParquet is read from local files; download it first")
    import pyarrow as pa

    path = path_of(place)
    if not path.is_file():
        raise ResolveError(f"{path} does not exist; check the path")
    try:
        file = pq.ParquetFile(path)
        for batch in file.iter_batches(_ROWS):
            for item in stac_table_to_items(pa.Table.from_batches([batch])):
                yield Found(place=place, body=item)
    except ResolveError:
        raise
    except Exception as error:  # arrow raises many kinds for a file that is something else
        raise ResolveError(f"{path} is no STAC-GeoParquet file ({describe(error)[:200]})") from None


def write_items(items: Sequence[Mapping[str, Any]]) -> bytes:
    """The items as one STAC-GeoParquet file. Raises ``NoProviderError`` when the packages are not installed."""
    try:
        from stac_geoparquet.arrow import parse_stac_items_to_arrow, to_parquet
    except ImportError:
        raise NoProviderError(_INSTALL) from None
    # The writer takes nothing but a path.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "items.parquet"
        to_parquet(parse_stac_items_to_arrow([dict(item) for item in items]), path)
        return path.read_bytes()
