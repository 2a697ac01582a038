"""The result set in which some assets stand in place of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from splashdown._engine.recipes import HasRecipes, Recipe
from splashdown._engine.renew import Origin
from splashdown._series.assets import pack
from splashdown.model import Asset, Member, ResultSet, Skipped
from splashdown.protocols import Transport
from splashdown.redact import safely_shown

Identity = tuple[str | None, str]
#: Assets that take the place of others, by the identities of those; they are of the same item.
Made = Mapping[Identity, Sequence[Asset]]
#: Changes the documents of a result set; gets the set and what takes the place of its assets.
Rewrite = Callable[[ResultSet, Made], ResultSet]


class Makers(Protocol):
    """The transport of assets that are made of others."""

    def of(self, href: str) -> Transport | None:
        """This transport, for one of its hrefs."""

    def recipe(self, href: str) -> Recipe | None:
        """How another process makes the asset of one of its hrefs."""

    def origin(self, href: str) -> Origin | None:
        """The origin of the asset of one of its hrefs."""


class OwnTransports:
    """The transports of a set: of assets that are made of others, and of those that are read as before."""

    def __init__(self, makers: Makers, base: Callable[[str], Transport | None] | None) -> None:
        self._makers, self._base = makers, base

    def __call__(self, href: str) -> Transport | None:
        own = self._makers.of(href)
        return own if own is not None or self._base is None else self._base(href)

    def recipe(self, href: str) -> Recipe | None:
        """How another process makes the asset of an href."""
        own, below = self._makers.recipe(href), self._below
        return below.recipe(href) if own is None and below is not None else own

    def origin(self, href: str) -> Origin | None:
        """The origin of the asset of an href, which the source lists."""
        own, below = self._makers.origin(href), self._below
        if below is None:
            return own
        return below.origin(href if own is None else own.asset.href) or own

    @property
    def base(self) -> Callable[[str], Transport | None] | None:
        """What the source of the set reads in its own way, below all that was made of it."""
        return self._base if self._below is None else self._below.base

    @property
    def _below(self) -> HasRecipes | None:
        base: object = self._base
        return base if isinstance(base, HasRecipes) else None


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Derivation:
    """Assets that are made of others, and how those are read. Messages call it by its ``word``."""

    word: str
    made: Made
    makers: Makers
    origins: Mapping[Identity, tuple[str, int]]  #: by new identity, name and size of the file that it is made of
    rewrite: Rewrite
    unresolved: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """The set with other assets in place of some, those of them that are chosen, and what was left out."""

    result_set: ResultSet
    assets: Sequence[Asset]
    skipped: Sequence[Skipped]


def derive(base: ResultSet, how: Derivation) -> ResultSet:
    """The set with the new assets in the places of those that they are made of; the others are read as before."""
    found = _replaced(base, how.made, how.rewrite)
    made = {asset.identity for assets in how.made.values() for asset in assets}

    def refresh() -> ResultSet:
        assert base.refresh is not None
        fresh = base.refresh()
        # A derived asset reads through the handle of its origin, which renews its link itself.
        return replace(fresh, assets=[one for one in fresh.assets if one.identity not in made])

    return replace(
        found,
        transport=OwnTransports(how.makers, base.transport),
        refresh=refresh if base.refresh is not None else None,
        narrowed=(*base.narrowed, how.word),
        unresolved=(*base.unresolved, *how.unresolved),
        warnings=(*base.warnings, *how.unresolved),
        origins={**base.origins, **how.origins},
    )


def _replaced(base: ResultSet, made: Made, rewrite: Rewrite) -> ResultSet:
    members = tuple(_member(one, made, rewrite) for one in base.members)
    assets = pack(new for asset in base.assets for new in made.get(asset.identity, (asset,)))
    changed = replace(base, assets=assets, members=members)
    return changed if members else rewrite(changed, made)


def _member(member: Member, made: Made, rewrite: Rewrite) -> Member:
    """One of several sources, with what is made of its assets as its own results name them."""
    own: dict[Identity, list[Asset]] = {}
    for asset in member.results.assets:
        if (new := made.get(member.united_asset(asset).identity)) is not None:
            own[asset.identity] = [replace(one, item=asset.item) for one in new]
    return replace(member, results=_replaced(member.results, own, rewrite))
