"""The ``alternate`` hrefs of assets (STAC extension "Alternate Assets"), by the name that the user gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from splashdown.columns import columns
from splashdown.errors import OptionError, did_you_mean
from splashdown.model import Asset


def check_alternate(assets: Sequence[Asset], name: str | None) -> None:
    """Raise ``OptionError`` when no asset has an alternate href of this name."""
    if name is None or not assets:
        return
    known: dict[str, None] = {}
    for metadata in columns(assets, "metadata"):
        found = metadata.get("alternate") if isinstance(metadata, Mapping) else None
        if isinstance(found, Mapping):
            known |= dict.fromkeys(str(one) for one in found)
        if name in known:
            return
    there = f"there are {', '.join(known)}" if known else "no asset has alternates"
    raise OptionError(f"no asset has an alternate href named {name!r}; {there}{did_you_mean(name, list(known))}")
