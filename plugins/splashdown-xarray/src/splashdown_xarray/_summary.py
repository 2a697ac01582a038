"""The few facts about a data cube that a person asks for first. No data is read for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def summarise(cube: Any) -> Mapping[str, object]:
    """Dimensions, variables with their types, the extent of each coordinate, and the size in memory."""
    facts: dict[str, object] = {
        "dimensions": ", ".join(f"{name} {size}" for name, size in cube.sizes.items()),
        "variables": ", ".join(f"{name} ({array.dtype})" for name, array in cube.data_vars.items()),
        "bytes": cube.nbytes,
    }
    for name, index in cube.indexes.items():
        if len(index):
            facts[str(name)] = f"{index[0]} to {index[-1]}"
    return facts
