"""Applies filters in the user's order and records what each one dropped, and why."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence

from splashdown._foreign.calls import Named, ask, wrong_type
from splashdown.errors import PluginError
from splashdown.model import Asset, ResultSet, Skipped
from splashdown.protocols import Filter, SupportsWhy

#: As many reasons as one line gives.
_MOST_REASONS = 3


def apply_filters(
    assets: Iterable[Asset], filters: Mapping[str, object], create: Callable[[str, object], Filter]
) -> tuple[list[Asset], list[Skipped]]:
    """The assets that pass all filters, and those that do not. A filter whose value is ``None`` is not applied."""
    left, skipped = list(assets), list[Skipped]()
    for name, value in filters.items():
        if value is None:
            continue
        chosen = create(name, value)
        kept = _kept(name, chosen, left)
        identities = {asset.identity for asset in kept}
        skipped += [
            Skipped(asset=asset, reason=_reason(chosen, name, value, asset))
            for asset in left
            if asset.identity not in identities
        ]
        left = kept
    return left, skipped


def _kept(name: str, chosen: Filter, assets: list[Asset]) -> list[Asset]:
    """What a filter keeps, which has to be some of the assets that it got, each once."""
    whose = f"the filter {name!r}"
    with Named(whose):
        answer: object = chosen(list(assets))
        if not isinstance(answer, Iterable):
            raise wrong_type(answer, Iterable, whose)
        kept = list(itertools.islice(answer, len(assets) + 1))
    given = {id(asset) for asset in assets}
    for asset in kept:
        if not isinstance(asset, Asset):
            raise PluginError(f"{whose} returned {type(asset).__name__} among the assets; it has to return assets")
        # The same objects: one that only looks like a given asset could lead elsewhere.
        if id(asset) not in given:
            seen = any(id(asset) == id(one) for one in assets)
            fault = "twice" if seen else "which it was not given; it has to return some of the assets that it gets"
            raise PluginError(f"{whose} returned the asset {asset.label!r} {fault}".replace("' which", "', which"))
        given.remove(id(asset))
    return kept


def nothing_left(source: ResultSet, skipped: Sequence[Skipped]) -> str:
    """Why there is nothing to choose or to save."""
    named = f"{source.kind} {source.id!r}"
    if not skipped:
        return f"{named} lists no assets"
    reasons = sorted({one.reason for one in skipped})
    more = f"; and {len(reasons) - _MOST_REASONS} more" if len(reasons) > _MOST_REASONS else ""
    return f"no asset of {named} is left: {'; '.join(reasons[:_MOST_REASONS])}{more}"


def _reason(chosen: Filter, name: str, value: object, asset: Asset) -> str:
    """Why a filter dropped an asset, in its own words where it has any."""
    reason = f"dropped by the filter {name}={value!r}"
    if not isinstance(chosen, SupportsWhy):
        return reason
    return f"{reason}: {ask(f'why() of the filter {name!r}', chosen.why, asset, returns=str)}"
