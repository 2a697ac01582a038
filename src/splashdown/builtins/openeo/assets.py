"""Makes assets of a results document and its items: their union, with the same file once. Pure.

The openEO API has every asset at collection level; back-ends repeat some, or all, or other ones, in linked items.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from splashdown._documents.document import Document
from splashdown._documents.places import resolve_href, shown, why_refused
from splashdown._series.assets import pack
from splashdown._stac.describe import advertised_href, describe_asset, text
from splashdown.builtins.openeo.tree import Tree
from splashdown.columns import columns
from splashdown.errors import ResolveError
from splashdown.model import Asset

# An absolute href that ``urljoin`` returns unchanged; most are like this, and there may be very many.
_COMPLETE = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]+)?/[^\s\\#?;]*(?:\?[^\s\\#;]+)?")
# A signature that a back-end puts into the path changes with every second; the rest of the path names the file.
# Some have the user's id before it.
_PATH_SIGNATURE = re.compile(r"(/results/assets/(?:[^/]+/)?)[0-9a-f]{32,128}(?=/)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Union:
    """All assets, and one line for each that was left out."""

    assets: Sequence[Asset]
    warnings: tuple[str, ...]


def collect(tree: Tree, *, alternate: str | None = None, partial: bool = False) -> Union:
    """The assets of the root document and of its items; ``alternate`` names the href to take of several.

    A file that both list is one asset: it has the place of the collection's entry, and the item's id, key and
    metadata. Raises :class:`~splashdown.errors.ResolveError` for an asset without an href; also when only items list
    assets and one of them could not be read, unless ``partial`` allows that.
    """
    warnings: list[str] = []
    reading = _Reading(alternate, warnings)
    listed = pack(reading.assets_of(tree.root, None))
    in_items = pack(asset for item in tree.items for asset in reading.assets_of(item, text(item.body.get("id"))))
    if not listed and tree.broken and not partial:
        raise ResolveError(
            f"{shown(tree.root.place)} lists its assets in items only, and not all could be read: {tree.broken[0]};"
            " take the others with partial=True (--partial)"
        )
    warnings.extend(
        f"a linked document was left out, its assets may be listed elsewhere: {line}" for line in tree.broken
    )
    return Union(assets=pack(_unite(listed, in_items)), warnings=tuple(warnings))


def _unite(listed: Sequence[Asset], in_items: Sequence[Asset]) -> Iterator[Asset]:
    # The query of a signed href differs each time; it names the file only where paths alone would not.
    ambiguous = _ambiguous(listed) | _ambiguous(in_items)
    by_file: dict[str, int] = {}
    for number, href in enumerate(columns(in_items, "href")):
        by_file.setdefault(_file(href, ambiguous), number)
    given: set[str] = set()
    taken: set[tuple[str | None, str]] = set()
    candidates = chain(((asset, True) for asset in listed), ((in_items[n], False) for n in by_file.values()))
    for asset, is_listed in candidates:
        file = _file(asset.href, ambiguous)
        if file in given:
            continue
        given.add(file)
        twin = in_items[by_file[file]] if is_listed and file in by_file else None
        chosen = _own_name(asset if twin is None else _merged(twin, asset), taken)
        taken.add(chosen.identity)
        yield chosen


def _own_name(asset: Asset, taken: set[tuple[str | None, str]]) -> Asset:
    # Items of two sub-catalogs may have one id; `(item, key)` has to stay unique, and the same on each reading.
    number = 2
    named = asset
    while named.identity in taken:
        named = replace(asset, item=f"{asset.item or 'item'}-{number}")
        number += 1
    return named


def _ambiguous(assets: Sequence[Asset]) -> frozenset[str]:
    # Within one document, two different queries on one path are two files (`/get?id=1`, `/get?id=2`).
    hrefs = dict(columns(assets, "href", "item"))
    paths = Counter((item, _path(href)) for href, item in hrefs.items())
    return frozenset(path for (_, path), count in paths.items() if count > 1)


def _path(href: str) -> str:
    return _PATH_SIGNATURE.sub(r"\1*", href.partition("#")[0].partition("?")[0])


def _file(href: str, ambiguous: frozenset[str]) -> str:
    path = _path(href)
    return href.partition("#")[0] if path in ambiguous else path


def _merged(asset: Asset, listed: Asset) -> Asset:
    return replace(
        asset,
        media_type=asset.media_type or listed.media_type,
        roles=asset.roles or listed.roles,
        size=listed.size if asset.size is None else asset.size,
        checksum=asset.checksum or listed.checksum,
        local_path=asset.local_path or listed.local_path,
        listed_as=listed.key,
    )


@dataclass(frozen=True, slots=True)
class _Reading:
    alternate: str | None
    warnings: list[str]

    def assets_of(self, document: Document, item: str | None) -> Iterator[Asset]:
        assets = document.body.get("assets")
        if assets is None:
            return
        if not isinstance(assets, Mapping):
            raise ResolveError(f"{shown(document.place)} has assets that are not a JSON object")
        for key, metadata in assets.items():
            href = advertised_href(metadata, self.alternate)
            if href is None:
                raise ResolveError(f"{shown(document.place)}: the asset {key!r} has no href; its document is broken")
            absolute = _absolute(document.place, href)
            if absolute is None:
                self.warnings.append(f"the asset {key!r} was left out: {why_refused(document.place, href)}")
                continue
            yield describe_asset(key, absolute, metadata, item=item, owner=document.body)


def _absolute(base: str, href: str) -> str | None:
    if _COMPLETE.fullmatch(href):
        return href
    # `C:\x` and `\\host\x` parse as a URL or as a relative path, and would be opened as local files later.
    return None if "\\" in href else resolve_href(base, href)
