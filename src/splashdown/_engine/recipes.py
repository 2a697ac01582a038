"""Assets that are made of others, in another process: a value says how, and the process makes the transport of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from splashdown._engine.remote import MadeOf, Remote
from splashdown._engine.remote_handle import RemoteHandle
from splashdown._engine.renew import Origin, Renewal
from splashdown.model import Asset
from splashdown.protocols import Transport


class Recipe(Protocol):
    """How one asset is made of another one. It pickles."""

    @property
    def asset(self) -> Asset:
        """The other one, with the newest link that is known."""

    @property
    def loader(self) -> str:
        """The loader that makes it, which the other process needs; empty where it needs none."""

    def transport(self, workshop: Workshop) -> Transport:
        """What reads the new asset."""


@runtime_checkable
class HasRecipes(Protocol):
    """The transports of a result set that another process can make again."""

    def recipe(self, href: str) -> Recipe | None:
        """How the asset of an href is made; ``None`` for one that is not made of another."""

    def origin(self, href: str) -> Origin | None:
        """The origin of the asset of an href, which the source lists."""

    @property
    def base(self) -> Callable[[str], Transport | None] | None:
        """What the source reads in a way of its own, which no recipe says."""


class Workshop:
    """What the recipes of one batch share: how the assets are read that others are made of."""

    def __init__(self, remote: Remote, loaders: Any, recipes: Mapping[str, Recipe], renewal: Renewal) -> None:
        self.remote, self.loaders = remote, loaders
        self._renewal = renewal  #: of what other assets are made of
        self._recipes = recipes
        self._transports: dict[str, Transport] = {}
        self._handles: dict[str, RemoteHandle] = {}
        self._lock = threading.RLock()

    def reading(self) -> Remote:
        """The remote side that makes what has a recipe, and reads the rest as before."""
        return replace(self.remote, transport=self._transport, lane=None) if self._recipes else self.remote

    def origins(self) -> Remote:
        """The remote side that reads what other assets are made of."""
        return replace(self.reading(), renewal=self._renewal)

    def handle(self, asset: Asset) -> RemoteHandle:
        """An open asset; a second call for its href gives the same."""
        with self._lock:
            if asset.href not in self._handles:
                remote = self.origins()
                settings = replace(remote.settings, checksum=None)
                self._handles[asset.href] = RemoteHandle(asset, replace(remote, settings=settings))
            return self._handles[asset.href]

    def close(self) -> None:
        """Give back what was opened."""
        for handle in self._handles.values():
            handle.close()

    def _transport(self, href: str) -> Transport:
        recipe = self._recipes.get(href)
        if recipe is None:
            return self.remote.transport(href)
        with self._lock:
            if href not in self._transports:
                self._transports[href] = recipe.transport(self)
            return self._transports[href]


def recipes_of(remote: Remote, hrefs: Iterable[str]) -> dict[str, Recipe]:
    """The recipes for hrefs, and those of what these are made of, by href."""
    made: object = None if remote.made_of is None else remote.made_of.results.transport
    found: dict[str, Recipe] = {}
    if not isinstance(made, HasRecipes):
        return found
    for href in hrefs:
        wanted = href
        while wanted not in found and (recipe := made.recipe(wanted)) is not None:
            found[wanted] = recipe
            wanted = recipe.asset.href
    return found


def read_by(recipes: Mapping[str, Recipe], href: str) -> str:
    """The link that an asset is read by in the end."""
    while href in recipes:
        href = recipes[href].asset.href
    return href


def origin_of(remote: Remote, href: str) -> Origin | None:
    """The origin of the asset of an href; ``None`` for one that is not made of another."""
    made: object = None if remote.made_of is None else remote.made_of.results.transport
    return made.origin(href) if isinstance(made, HasRecipes) else None


def without_recipes(remote: Remote) -> Remote:
    """The same for another process, where recipes come with the assets that have one."""
    if remote.made_of is None:
        return remote
    results = remote.made_of.results
    made: object = results.transport
    if not isinstance(made, HasRecipes):
        return remote
    return replace(remote, made_of=MadeOf(replace(results, transport=made.base), remote.made_of.access))
