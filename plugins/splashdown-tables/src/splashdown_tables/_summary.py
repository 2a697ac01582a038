"""The few facts about a table that a person asks for first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Columns that are described; a time series of a thousand fields has thousands.
_MOST_COLUMNS = 40


def summarise(frame: Any) -> Mapping[str, object]:
    """Rows, columns, the span of times, with geometry CRS and bounds, and what each column holds."""
    rows, columns = frame.shape
    more = f", of which the first {_MOST_COLUMNS} are shown" if columns > _MOST_COLUMNS else ""
    facts: dict[str, object] = {"rows": rows, "columns": f"{columns}{more}"}
    if getattr(frame.index, "tz", None) is not None and rows:
        facts["time"] = f"{frame.index.min():%Y-%m-%d} to {frame.index.max():%Y-%m-%d}"
    if hasattr(frame, "total_bounds"):
        facts["crs"] = frame.crs.to_string() if frame.crs is not None else "none"
        facts["bounds"] = ", ".join(f"{value:.10g}" for value in frame.total_bounds)
        facts["geometry"] = ", ".join(sorted(map(str, frame.geom_type.dropna().unique())))
    facts["statistics"] = [_column(frame.iloc[:, number]) for number in range(min(columns, _MOST_COLUMNS))]
    return facts


def _column(column: Any) -> Mapping[str, object]:
    """Name, type, how many values are missing; of numbers and times the extremes, of numbers the mean."""
    import pandas as pd

    name = column.name
    facts: dict[str, object] = {
        "column": ", ".join(map(str, name)) if isinstance(name, tuple) else str(name),
        "type": str(column.dtype),
        "missing": int(column.isna().sum()),
    }
    kinds = pd.api.types
    number = kinds.is_numeric_dtype(column) and not kinds.is_bool_dtype(column) and not kinds.is_complex_dtype(column)
    if column.count() and (number or kinds.is_datetime64_any_dtype(column)):
        low, high = column.min(), column.max()
        facts["min"], facts["max"] = (low.item(), high.item()) if number else (f"{low:%Y-%m-%d}", f"{high:%Y-%m-%d}")
        if number:
            facts["mean"] = float(column.mean())
    return facts
