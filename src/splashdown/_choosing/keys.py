"""The one asset that a key means, and the errors where none or several match."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from splashdown.errors import MultipleAssetsError, UnknownKeyError, UsageError, did_you_mean
from splashdown.model import Asset

#: As many keys as one line lists.
_MOST_KEYS = 8


def asset_of_key(assets: Sequence[Asset], key: object) -> Asset:
    """The asset with this key, ``item/key`` or name in the collection; without a key the only one there is.

    Raises ``UnknownKeyError`` when none has it, ``MultipleAssetsError`` when several do, and ``UsageError`` for a key
    that is not a string.
    """
    if key is None:
        return _only(assets)
    if not isinstance(key, str):
        raise UsageError(f"expected an asset key (str), got {key!r}; get_assets() lists all assets")
    found = [asset for asset in assets if key in (asset.key, _in_full(asset))]
    # Back-ends list the files of items under other keys too: `ITEM_KEY` in the collection, `KEY` in the item.
    found = found or [asset for asset in assets if key == asset.listed_as]
    if not found:
        labels = _shortest(assets)
        raise UnknownKeyError(f"no asset has the key {key!r}; there are {_listing(labels)}{did_you_mean(key, labels)}")
    if len(found) > 1:
        owners = [_in_full(asset) for asset in found]
        raise MultipleAssetsError(
            f"{len(found)} items have an asset {key!r}: name one as item/key: {_listing(owners)}", owners
        )
    return found[0]


def _only(assets: Sequence[Asset]) -> Asset:
    if len(assets) == 1:
        return assets[0]
    labels = _shortest(assets)
    raise MultipleAssetsError(
        f"there are {len(labels)} assets: {_listing(labels)}; name one by its key, or take all with download_files",
        labels,
    )


def _shortest(assets: Sequence[Asset]) -> list[str]:
    """How to ask for each asset: by its key where no other has it, else by ``item/key``."""
    counts = Counter(asset.key for asset in assets)
    return [asset.key if counts[asset.key] == 1 else _in_full(asset) for asset in assets]


def _in_full(asset: Asset) -> str:
    """``item/key``, even where a message would have the key alone because both are the same."""
    return f"{asset.item}/{asset.key}" if asset.item else asset.key


def _listing(labels: Sequence[str]) -> str:
    shown = ", ".join(labels[:_MOST_KEYS])
    return shown if len(labels) <= _MOST_KEYS else f"{shown}, and {len(labels) - _MOST_KEYS} more"
