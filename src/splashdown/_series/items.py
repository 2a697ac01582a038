"""The items of a source in blocks, and assets that look up what their item says of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from splashdown._series.assets import relinked
from splashdown._series.documents import Documents, Place, View, plain
from splashdown.model import Asset


class PackedItems(Documents):
    """Item documents in little memory, however many there are: a sequence for ``ResultSet.items``.

    An item holds nothing but JSON values.
    """

    def keep(self, item: dict[str, Any]) -> Place:
        """Keep an item; returns where, for assets that are made with views of it."""
        at = len(self)
        self.append(plain(item))
        return self, at

    def add(self, item: dict[str, Any], assets: Iterable[Asset]) -> list[Asset]:
        """Keep an item; returns its assets, which refer to it instead of holding what it says."""
        _, at = self.keep(item)
        properties = View(self, at, ("properties",)) if item.get("properties") else None
        geometry = View(self, at, ("geometry",)) if item.get("geometry") else None
        return [
            relinked(
                asset,
                geometry if asset.geometry else None,
                View(self, at, ("assets", asset.key)),
                _in_place_of(asset.properties, properties),
            )
            for asset in assets
        ]


def _in_place_of(value: Mapping[str, Any], view: View | None) -> Mapping[str, Any]:
    return view if view is not None and value else value
