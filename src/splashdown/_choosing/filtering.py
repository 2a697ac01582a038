"""Applies filters in the user's order and records what each one dropped, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

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
        kept = list(chosen(left))
        identities = {asset.identity for asset in kept}
        skipped += [
            Skipped(asset=asset, reason=_reason(chosen, name, value, asset))
            for asset in left
            if asset.identity not in identities
        ]
        left = kept
    return left, skipped


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
    return f"{reason}: {chosen.why(asset)}" if isinstance(chosen, SupportsWhy) else reason
