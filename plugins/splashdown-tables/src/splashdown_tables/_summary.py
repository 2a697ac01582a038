"""The few facts about a table that a person asks for first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def summarise(frame: Any) -> Mapping[str, object]:
    """Rows, columns with their types, the span of times, and, with geometry, CRS and bounds."""
    facts: dict[str, object] = {
        "rows": len(frame),
        "columns": ", ".join(f"{name} ({kind})" for name, kind in list(frame.dtypes.items())[:30]),
    }
    if getattr(frame.index, "tz", None) is not None and len(frame):
        facts["time"] = f"{frame.index.min():%Y-%m-%d} to {frame.index.max():%Y-%m-%d}"
    if hasattr(frame, "total_bounds"):
        facts["crs"] = frame.crs.to_string() if frame.crs is not None else "none"
        facts["bounds"] = ", ".join(f"{value:.10g}" for value in frame.total_bounds)
        facts["geometry"] = ", ".join(sorted(map(str, frame.geom_type.dropna().unique())))
    return facts
