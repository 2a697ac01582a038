"""The JSON that openEO back-ends write for aggregated time series, to pandas.

Its form is ``{date: [[value of each band] for each geometry]}``; a geometry without data is an empty list.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from splashdown.errors import LoadError, OptionError, error_text
from splashdown.protocols import AssetHandle

if TYPE_CHECKING:
    import pandas as pd

MAX_BYTES = 256 * 1024**2
_CELL_BYTES = 8


def load_timeseries(
    asset: AssetHandle, *, bands: Sequence[str] | None = None, collapse: bool = True, max_bytes: int = MAX_BYTES
) -> pd.DataFrame:
    """An aggregated time series as a ``pandas.DataFrame``: a row for each date, a column for each geometry and band.

    The columns have the levels ``polygon`` and ``band``; with ``collapse`` a level that has one value only is left
    out. ``bands`` names the bands, which the file only counts. Raises ``LoadError`` for any other JSON.
    """
    import pandas as pd

    label = asset.asset.label
    try:
        rows = _rows(json.loads(asset.bytes(max_bytes)))
    except (ValueError, RecursionError) as error:
        raise LoadError(
            f"{label} is not a time series of openEO ({error_text(error)[:200]}): use load('json')"
        ) from error
    count = max((len(values) for row in rows.values() for values in row), default=0)
    if bands is not None and len(bands) != count:
        raise OptionError(f"bands= names {len(bands)} bands, {label} has {count}")
    names: Sequence[Any] = list(range(count)) if bands is None else list(bands)
    polygons = max((len(row) for row in rows.values()), default=0)
    if (cells := polygons * count * len(rows)) * _CELL_BYTES > max_bytes:
        raise LoadError(f"{label}: a table of {cells:,} values takes more than {max_bytes:,} bytes: raise max_bytes")
    columns = pd.MultiIndex.from_product([range(polygons), names], names=["polygon", "band"])
    data = [_flat(row, polygons, count) for row in rows.values()]
    frame = pd.DataFrame(data, index=_dates(rows, label), columns=columns, dtype="float64").sort_index()
    return _collapsed(frame) if collapse else frame


def _rows(document: Any) -> Mapping[str, list[list[float | None]]]:
    if not isinstance(document, dict) or not document:
        raise ValueError("not an object with dates as its keys")
    for date, row in document.items():
        good = isinstance(row, list) and all(
            isinstance(values, list) and all(v is None or _is_float(v) for v in values) for values in row
        )
        if not good:
            raise ValueError(f"no list of lists of numbers under {date!r}")
    return document


def _is_float(value: object) -> bool:
    """Whether a value is a number that a float holds: JSON has integers of any size."""
    return isinstance(value, float) or (isinstance(value, int) and abs(value) <= sys.float_info.max)


def _dates(rows: Mapping[str, Any], label: str) -> pd.DatetimeIndex:
    import pandas as pd

    try:
        return pd.DatetimeIndex(pd.to_datetime(list(rows), utc=True, format="ISO8601"), name="date")
    except ValueError as error:
        raise LoadError(
            f"{label} is not a time series of openEO ({error_text(error)[:200]}): use load('json')"
        ) from error


def _flat(row: list[list[float | None]], polygons: int, bands: int) -> list[float | None]:
    found: list[float | None] = []
    for polygon in range(polygons):
        values = row[polygon] if polygon < len(row) else []
        found += [*values, *[None] * (bands - len(values))]
    return found


def _collapsed(frame: pd.DataFrame) -> pd.DataFrame:
    """Without the levels that say nothing; a single column keeps the band as its name."""
    for level in ("polygon", "band"):
        if frame.columns.nlevels > 1 and len(frame.columns.unique(level)) == 1:
            frame.columns = frame.columns.droplevel(level)
    return frame
