"""STAC-GeoParquet in and out, on pyarrow and stac-geoparquet (extra ``geoparquet``), imported when used."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from splashdown._documents.document import Document
from splashdown._documents.places import is_local, path_of, shown
from splashdown._documents.reading import Reader
from splashdown.errors import NoProviderError, ResolveError, error_text
from splashdown.sources import bare_href

_INSTALL = "STAC-GeoParquet needs more packages: pip install 'splashdown[geoparquet]'"
#: Rows in memory at a time.
_ROWS = 1000


def is_table(place: str, media_type: object = None) -> bool:
    """Whether a place, or a link of this media type, is a file in Parquet."""
    named = bare_href(place).lower().endswith((".parquet", ".geoparquet"))
    return named or (isinstance(media_type, str) and "parquet" in media_type.lower())


def read_items(place: str, reader: Reader) -> Iterator[Document]:
    """The items of a STAC-GeoParquet file, some rows at a time; a remote file is in memory as a whole.

    Raises ``NoProviderError`` when the packages are not installed and ``ResolveError`` for a file of another kind.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
        from stac_geoparquet.arrow import stac_table_to_items
    except ImportError:
        raise NoProviderError(_INSTALL) from None
    if is_local(place):
        source: Any = path_of(place)
        if not source.is_file():
            raise ResolveError(f"{source} does not exist; check the path")
    else:
        source = pa.BufferReader(reader.read_bytes(place))
    try:
        file = pq.ParquetFile(source)
        for batch in file.iter_batches(_ROWS):
            for item in stac_table_to_items(pa.Table.from_batches([batch])):
                yield Document(place=place, body=item, inside=True)
    except ResolveError:
        raise
    except Exception as error:  # arrow raises many kinds for a file that is something else
        raise ResolveError(f"{shown(place)} is not a STAC-GeoParquet file ({error_text(error)[:200]})") from None


def can_write() -> None:
    """Raise ``NoProviderError`` when the packages are not installed."""
    if not all(importlib.util.find_spec(name) for name in ("pyarrow", "stac_geoparquet")):
        raise NoProviderError(_INSTALL)


def write_items(items: Sequence[Mapping[str, Any]]) -> bytes:
    """The items as one STAC-GeoParquet file. Raises ``NoProviderError`` when the packages are not installed."""
    try:
        from stac_geoparquet.arrow import parse_stac_items_to_arrow, to_parquet
    except ImportError:
        raise NoProviderError(_INSTALL) from None
    import tempfile

    # The writer accepts paths only.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "items.parquet"
        to_parquet(parse_stac_items_to_arrow([dict(item) for item in items]), path)
        return path.read_bytes()
