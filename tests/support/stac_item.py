"""The smallest STAC item, for tests that are about its assets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def stac_item(assets: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """An item called ``one`` with these assets; ``fields`` are put beside or in place of what it says otherwise."""
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": "one",
        "geometry": None,
        "properties": {"datetime": "2024-01-01T00:00:00Z"},
        "links": [],
        "assets": assets,
        **fields,
    }
