"""Makes assets of a results document and its items: their union, with the same file once. Pure.

The openEO API has every asset at collection level; back-ends repeat some, or all, or other ones, in linked items.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from splashdown._documents.document import Document
from splashdown._documents.places import shown, why_refused
from splashdown._series.assets import pack
from splashdown._stac.describe import advertised_href, describer, text
from splashdown.builtins.openeo.tree import Tree
from splashdown.columns import columns
from splashdown.errors import ResolveError
from splashdown.model import Asset
from splashdown.sources import bare_href

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
    metadata. Raises :class:`~splashdown.errors.ResolveError` when nothing is left because of broken documents; also
    when only items list assets and one of them could not be read, unless ``partial`` allows that.
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
    if reading.broken and not listed and not in_items:
        raise ResolveError(f"{reading.broken[0]}; its document is broken")
    warnings.extend(f"{line}; it was left out" for line in reading.broken)
    warnings.extend(
        f"a linked document was left out, its assets may be listed elsewhere: {line}" for line in tree.broken
    )
    return Union(assets=pack(_unite(listed, in_items)), warnings=tuple(warnings))


def _unite(listed: Sequence[Asset], in_items: Sequence[Asset]) -> Iterator[Asset]:
    """Each file once under each key that it has: as the collection lists it, then as items do."""
    twins = _Twins(listed, in_items)
    taken: set[tuple[str | None, str]] = set()
    for asset in chain(map(twins.united, listed), twins.rest()):
        chosen = _own_name(asset, taken)
        taken.add(chosen.identity)
        yield chosen


class _Twins:
    """Finds the files of a collection among those of its items."""

    def __init__(self, listed: Sequence[Asset], in_items: Sequence[Asset]) -> None:
        # The query of a signed href differs each time; it names the file only where paths alone would not.
        self._ambiguous = ambiguous = _ambiguous(listed) | _ambiguous(in_items)
        self._listed_keys = _repeated(listed, ambiguous)
        self._in_items = in_items
        self._first: dict[str, int] = {}
        self._others: dict[str, list[int]] = {}
        for number, href in enumerate(columns(in_items, "href")):
            file = _file(href, ambiguous)
            if self._first.setdefault(file, number) != number:
                self._others.setdefault(file, []).append(number)
        self._united = bytearray(len(in_items))  # a flag for each
        self._keys: dict[str, set[str]] = {file: set() for file in self._others}

    def united(self, listed: Asset) -> Asset:
        """A listed asset with what an item has of the same file, of the same key if there are several."""
        file = _file(listed.href, self._ambiguous)
        if file not in self._first:
            return listed
        numbers = [n for n in (self._first[file], *self._others.get(file, ())) if not self._united[n]]
        if not numbers:
            return listed
        keys = {self._in_items[n].key: n for n in reversed(numbers)}
        other = self._listed_keys.get(file, set())  # each of these has an asset of its own
        other = other | self._keys.get(file, set())  # an item's key stands for one of the listed ones
        number = keys.get(listed.key, next((n for key, n in reversed(keys.items()) if key not in other), None))
        if number is None:
            return listed
        self._united[number] = True
        found = self._in_items[number]
        if file in self._keys:
            self._keys[file] |= {found.key, listed.key}
        return _merged(found, listed)

    def rest(self) -> Iterator[Asset]:
        """The assets of items that :meth:`united` has not returned; a file that comes again has to have another key."""
        for number, asset in enumerate(self._in_items):
            if self._united[number]:
                continue
            keys = self._keys.get(_file(asset.href, self._ambiguous))
            if keys is None:
                yield asset
            elif asset.key not in keys:
                keys.add(asset.key)
                yield asset


def _repeated(listed: Sequence[Asset], ambiguous: frozenset[str]) -> dict[str, set[str]]:
    """The keys of each file that a document lists several times."""
    keys: dict[str, str | set[str]] = {}
    for href, key in columns(listed, "href", "key"):
        file = _file(href, ambiguous)
        first = keys.setdefault(file, key)
        if isinstance(first, set):
            first.add(key)
        elif first != key:
            keys[file] = {first, key}
    return {file: found for file, found in keys.items() if isinstance(found, set)}


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
    return _PATH_SIGNATURE.sub(r"\1*", bare_href(href))


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
    broken: list[str] = field(default_factory=list)  #: what is not as STAC has it

    def assets_of(self, document: Document, item: str | None) -> Iterator[Asset]:
        assets = document.body.get("assets")
        if assets is None or assets == []:  # an empty list stands for an empty object in some encoders
            return
        if not isinstance(assets, Mapping):
            self.broken.append(f"{shown(document.place)} has assets that are not a JSON object")
            return
        describe = describer(item, document.body)
        for key, metadata in assets.items():
            href = advertised_href(metadata, self.alternate)
            if href is None:
                self.broken.append(f"{shown(document.place)}: the asset {key!r} has no href")
                continue
            absolute = _absolute(document, href)
            if absolute is None:
                self.warnings.append(f"the asset {key!r} was left out: {why_refused(document.place, href)}")
                continue
            yield describe(key, absolute, metadata)


def _absolute(document: Document, href: str) -> str | None:
    return href if _COMPLETE.fullmatch(href) else document.resolve(href)
