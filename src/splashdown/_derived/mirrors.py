"""Mirrors that a user names: further places of files, tried after the href, in the user's order.

They become alternates (STAC extension "Alternate Assets") before those of the metadata, so that one rule holds for all:
another place is tried when the first one fails, and counts only where size and checksum show that the file is the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from splashdown._engine.renew import elsewhere
from splashdown._series.assets import pack
from splashdown.errors import OptionError
from splashdown.model import Asset, ResultSet
from splashdown.redact import redact, safely_shown
from splashdown.sources import bare_href, is_in_store, is_url


def check_mirrors(mirrors: Mapping[Any, object]) -> Sequence[tuple[str, str]]:
    """The pairs of prefixes, in their order. Raises ``OptionError`` for what is not a URL, or may cut a name in two."""
    for each in itertools.chain.from_iterable(mirrors.items()):
        if not isinstance(each, str) or not (is_url(each) or is_in_store(each)) or any(c in each for c in "?#"):
            shown = redact(each) if isinstance(each, str) else repr(each)
            raise OptionError(f"a mirror is FROM=TO, two complete URLs without a query: {shown} is not one")
    pairs = [(str(source), str(target)) for source, target in mirrors.items()]
    for source, target in pairs:
        if source.endswith("/") != target.endswith("/"):
            raise OptionError(
                f"of the mirror {redact(source)}={redact(target)} one URL ends in a slash and the other does not: end"
                " both in one"
            )
    return pairs


def with_mirrors(results: ResultSet, mirrors: Sequence[tuple[str, str]]) -> ResultSet:
    """The set whose assets have the mirrors as alternates, also after their links were renewed."""
    refresh = results.refresh and _ReadAgain(read=results.refresh, mirrors=mirrors)
    return replace(results, assets=pack(mirrored(results.assets, mirrors)), refresh=refresh)


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _ReadAgain:
    """Reads the source again, in another process too, and adds the mirrors."""

    read: Callable[[], ResultSet] = field(repr=False)
    mirrors: Sequence[tuple[str, str]]

    def __call__(self) -> ResultSet:
        return with_mirrors(self.read(), self.mirrors)

    def elsewhere(self) -> Self | None:
        read = elsewhere(self.read)
        return None if read is None else replace(self, read=read)


def mirrored(assets: Sequence[Asset], mirrors: Sequence[tuple[str, str]]) -> Iterator[Asset]:
    """The assets; those whose href begins with the source of a mirror have it as an alternate."""
    for asset in assets:
        found = {
            # Without its signature, which is for its own host.
            f"mirror {number}": {"href": target + bare_href(asset.href)[len(source) :]}
            for number, (source, target) in enumerate(mirrors, 1)
            if _is_below(asset.href, source)
        }
        yield replace(asset, metadata=_with(asset.metadata, found)) if found else asset


def _with(metadata: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    known = metadata.get("alternate")
    return {**metadata, "alternate": {**found, **(known if isinstance(known, Mapping) else {})}}


def _is_below(href: str, source: str) -> bool:
    """Whether an href is that prefix or below it: ``https://a.example`` is not one of ``https://a.example.org/x``."""
    if not href.startswith(source):
        return False
    return source.endswith("/") or href[len(source) : len(source) + 1] in {"", "/", "?", "#"}
