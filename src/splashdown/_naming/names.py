"""Assigns a relative path to each asset, before the first byte. Pure functions.

Owns the layouts and resolves clashes. ``safe_names.py`` has the rules of safe names, ``_naming/templates.py`` the
templates.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from posixpath import basename
from typing import Any
from urllib.parse import unquote, urlsplit

from splashdown._naming.templates import Fields, check, render
from splashdown._receipts.names import RESERVED, free_folders, is_reserved
from splashdown._series.blocks import packed
from splashdown._series.digests import common, repeated
from splashdown.columns import cells, columns
from splashdown.errors import UsageError
from splashdown.formats import FORMATS
from splashdown.model import Asset
from splashdown.safe_names import (
    fold,
    is_device,
    is_safe_path,
    leads_below,
    numbered,
    safe_path,
    safe_segment,
    shorten,
    split_suffix,
)

#: Layouts by name; any other string is a template.
LAYOUTS: Mapping[str, str] = {
    "openeo": "",  # the rule of the openEO clients, see openeo_name()
    "advertised": "",  # file:local_path, else the file name of the href
    "flat": "{filename}",
    "by-item": "{collection}/{item}/{filename}",
    "by-date": "{datetime:%Y/%m/%d}/{item}/{filename}",
}

_FILE_NAME = re.compile(r"[\w.-]+\.[a-zA-Z0-9]{1,10}\Z")
_OUTSIDE = re.compile(r"[^\w.-]")
#: The form that nearly all keys of openEO have.
_USUAL_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,150}\.[a-zA-Z0-9]{1,10}")

#: Extensions for media types. A fixed table: no document can choose an extension that a system would execute.
_EXTENSIONS: Mapping[str, str] = {
    **{media_type: one.extensions[0] for one in FORMATS for media_type in one.media_types},
    "application/fits": ".fits",
    "application/geo+json": ".geojson",
    "application/gml+xml": ".gml",
    "application/vnd.flatgeobuf": ".fgb",
    "application/vnd.google-earth.kml+xml": ".kml",
    "application/vnd.google-earth.kmz": ".kmz",
    "application/vnd.laszip": ".laz",
    "application/vnd.laszip+copc": ".copc.laz",
    "application/vnd.pmtiles": ".pmtiles",
    "application/x-bzip2": ".bz2",
    "image/fits": ".fits",
    "text/plain": ".txt",
}
#: The format that a media type is written in (RFC 6839), where the table has no other.
_SUFFIXES: Mapping[str, str] = {"json": ".json", "xml": ".xml", "zip": ".zip", "gzip": ".gz"}
#: Names that are compared in one go.
_BATCH = 4_096
#: Names of programs of a server, not of files: ``getfile.php?id=7``.
_PROGRAMS = frozenset({".php", ".asp", ".aspx", ".ashx", ".cgi", ".jsp", ".do", ".action", ".fcgi", ".dll", ".exe"})


def assign_names(
    assets: Sequence[Asset],
    *,
    layout: str = "openeo",
    reserved: Iterable[str] = (),
    names: Mapping[str | tuple[str | None, str], str] | None = None,
    job_id: str = "",
) -> Sequence[str]:
    """A name for every asset: relative, safe on every system, unique in any case and Unicode form, in the given order.

    ``layout`` is one of :data:`LAYOUTS` or a template. ``reserved`` names are never given. ``names`` maps a label or
    an identity to the name that the user chose; it is used as it is. Where names clash, assets of items move into
    a folder of their item, the others get a number; the order of the assets has no influence on that. Raises
    ``UsageError`` for an invalid template and for a chosen name that leads out of the target or is taken.
    """
    claims = _Claims(reserved)
    chosen = _chosen(assets, names or {}, claims)
    wanted = _wanted(assets, layout, job_id)
    named = packed((chosen.get(i, name) for i, name in enumerate(wanted)) if chosen else wanted)
    return _given(named, assets, chosen, claims, flat=layout == "flat")


def openeo_name(key: str, href: str, media_type: str | None) -> str:
    """The name that openEO clients give: the key where it looks like a file name, else key and name of the href.

    The key is that of the results document, where an item's file is listed there too: openEO clients know no other.
    Characters other than word characters, ``.``, ``_`` and ``-`` are dropped; a missing extension comes from
    the media type.
    """
    if _FILE_NAME.match(key):
        return safe_segment(key)
    parts = (_OUTSIDE.sub("", part.strip()) for part in (key, href_name(href)))
    return with_extension("-".join(part for part in parts if part), media_type)


def advertised_name(key: str, href: str, media_type: str | None) -> str:
    """The file name of the href, else the key, with an extension."""
    return with_extension(href_name(href) or key, media_type)


def with_extension(name: str, media_type: str | None) -> str:
    """A safe name with an extension: its own, else that of the media type."""
    name = safe_segment(name)
    if split_suffix(name)[1]:
        return name
    return shorten(name) + _extension_of(media_type)


def _extension_of(media_type: str | None) -> str:
    kind = (media_type or "").partition(";")[0].strip().lower()
    known = _EXTENSIONS.get(kind)
    if known is None and kind not in {"image/svg+xml", "application/xhtml+xml"}:  # a browser runs these
        known = _SUFFIXES.get(kind.rpartition("+")[2] if "+" in kind else "")
    return known or ""


def href_name(href: str) -> str:
    """The last segment of the href's path, percent-decoded; empty if it has none, or none that names a file.

    ``$value`` is how OData asks for the bytes of what is named before it, and programs have no part in a name.
    """
    try:
        split = urlsplit(href)
    except ValueError:
        return ""
    name = basename(unquote(basename(split.path.rstrip("/"))))
    if name in {".", ".."} or name.startswith("$"):
        return ""
    stem, dot, extension = name.rpartition(".")
    return stem if split.query and dot and f".{extension.lower()}" in _PROGRAMS else name


def has_file_name(key: str, href: str) -> bool:
    """Whether the key or the href names a file, so that the file's name has an extension of its own."""
    return bool(_FILE_NAME.match(key) or split_suffix(href_name(href))[1])


def _wanted(assets: Sequence[Asset], layout: str, job_id: str) -> Iterable[str]:
    """The name that each asset would get alone."""
    template = LAYOUTS.get(layout, layout)
    if not template:
        named = iter(columns(assets, "local_path", "listed_as", "key", "href", "media_type"))
        batches = iter(lambda: _by_rule(islice(named, _BATCH), openeo=layout == "openeo"), [])
        return chain.from_iterable(batches)
    if "{" not in template:
        known = ", ".join(LAYOUTS)
        raise UsageError(f"{layout!r} is not a layout: use {known}, or a template such as '{{item}}/{{filename}}'")
    check(template, assets)
    return _by_template(assets, template, job_id)


def _by_rule(named: Iterable[tuple[Any, ...]], *, openeo: bool) -> list[str]:
    """The names of some assets by a layout that is a rule; a list, because a generator costs a call for each."""
    found = []
    for advertised, listed_as, key, href, media_type in named:
        if advertised and is_safe_path(advertised):
            found.append(free_folders(advertised))
        elif openeo:
            wanted = listed_as or key
            # The rule and safe_segment leave these names as they are; seen without a call.
            usual = _USUAL_KEY.fullmatch(wanted) and not is_device(wanted)
            found.append(wanted if usual else openeo_name(wanted, href, media_type))
        else:
            found.append(advertised_name(key, href, media_type))
    return found


def _by_template(assets: Sequence[Asset], template: str, job_id: str) -> Iterator[str]:
    for number, asset in enumerate(assets, 1):
        fields = Fields(
            asset=asset,
            job_id=job_id,
            counter=number,
            filename=_file_name(asset),
            name=openeo_name(asset.listed_as or asset.key, asset.href, asset.media_type),
        )
        yield free_folders(safe_path(render(template, fields)))


def _file_name(asset: Asset) -> str:
    """The name of the href, or where that names no file, of ``file:local_path``."""
    if asset.local_path and not has_file_name(asset.listed_as or asset.key, asset.href):
        return advertised_name(asset.key, asset.local_path, asset.media_type)
    return advertised_name(asset.key, asset.href, asset.media_type)


class _Claims:
    """Names in use. A file cannot have the name of a folder, nor a folder that of a file."""

    def __init__(self, reserved: Iterable[str]) -> None:
        self._files = {fold(name) for name in reserved}
        self._folders: set[str] = set()
        for name in self._files:
            self._folders.update(_parents(name))

    def free(self, name: str) -> bool:
        folded = fold(name)
        if folded in self._files or folded in self._folders or is_reserved(name):
            return False
        return not any(parent in self._files for parent in _parents(folded))

    def take(self, name: str) -> str:
        folded = fold(name)
        self._files.add(folded)
        self._folders.update(_parents(folded))
        return name

    def taken(self) -> set[str]:
        """Names (folded) that are not free, or may not be."""
        return self._files | self._folders | RESERVED

    def take_all(self, folded: Iterable[str]) -> None:
        """Take names (folded) that are known to be free."""
        for name in folded:
            self._files.add(name)
            self._folders.update(_parents(name))


def _parents(path: str) -> Iterator[str]:
    at = path.find("/")
    while at >= 0:
        yield path[:at]
        at = path.find("/", at + 1)


def _chosen(
    assets: Sequence[Asset], names: Mapping[str | tuple[str | None, str], str], claims: _Claims
) -> dict[int, str]:
    """Names that the user gave, by position."""
    chosen: dict[int, str] = {}
    for i, asset in enumerate(assets) if names else ():
        name = names.get(asset.identity) or names.get(f"{asset.item}/{asset.key}") or names.get(asset.key)
        if name is None:
            continue
        if not leads_below(name):
            raise UsageError(f"{name!r} cannot be the name of {asset.label}: give a relative path below the target")
        if is_reserved(name):
            raise UsageError(
                f"{name!r} is kept for what this program notes about a target, it cannot be the name of {asset.label}:"
                " choose another one"
            )
        if not claims.free(name):
            raise UsageError(f"{name!r} is taken, it cannot be the name of {asset.label}: choose another one")
        chosen[i] = claims.take(name)
    return chosen


def _given(
    names: Sequence[str], assets: Sequence[Asset], chosen: Collection[int], claims: _Claims, *, flat: bool
) -> Sequence[str]:
    """Give uncontested names first, then the contested ones, so that a clash never renames a third asset."""
    if chosen:
        positions = [i for i in range(len(names)) if i not in chosen]
        contested = array("q", map(positions.__getitem__, _contested([names[i] for i in positions], claims)))
    else:
        contested = _contested(names, claims)
    if not contested:
        return names
    left = bytearray(len(names))
    for i in contested:
        left[i] = 1
    claims.take_all(fold(name) for i, name in enumerate(names) if not left[i] and i not in chosen)
    item_of, name_of = cells(assets, "item"), names.__getitem__
    first = packed(next(_alternatives(item_of(i) or "", name_of(i), flat=flat)) for i in contested)
    if _contested(first, claims):
        owner = cells(assets, "item", "key", "href")
        other: dict[int, str] = {}
        for i in sorted(contested, key=lambda i: tuple(part or "" for part in owner(i))):
            wanted = _alternatives(item_of(i) or "", name_of(i), flat=flat)
            other[i] = claims.take(next(name for name in wanted if claims.free(name)))
        first = [other[i] for i in contested]
    each = iter(first)
    return packed(next(each) if left[i] else name for i, name in enumerate(names))


def _contested(names: Sequence[str], claims: _Claims) -> array[int]:
    """The positions of names that another one wants as well, or that are not free."""
    hashes, parents = array("q"), array("q")
    for batch in _folded(names):
        hashes.extend(map(hash, batch))
        parents.extend([hash(parent) for name in batch if "/" in name for parent in _parents(name)])
    # Hashes say which names may be equal; only those are compared, and kept for that.
    may_repeat, may_hold = repeated(hashes), common(hashes, parents)
    del hashes, parents
    counts, folders = Counter[str](), set[str]()
    for batch in _folded(names) if may_repeat or may_hold else ():
        counts.update([name for name in batch if hash(name) in may_repeat])
        folders.update(
            [parent for name in batch if "/" in name for parent in _parents(name) if hash(parent) in may_hold]
        )
    more, taken = {name for name, count in counts.items() if count > 1}, claims.taken()
    found, start = array("q"), 0
    for batch in _folded(names):
        found.extend(
            [
                i
                for i, name in enumerate(batch, start)
                if name in more or name in folders or (("/" in name or name in taken) and not claims.free(names[i]))
            ]
        )
        start += len(batch)
    return found


def _folded(names: Iterable[str]) -> Iterator[list[str]]:
    """The names as they are compared, in batches: most are ASCII, and cost no call each."""
    each = iter(names)
    while batch := [name.lower() if name.isascii() else fold(name) for name in islice(each, _BATCH)]:
        yield batch


def _alternatives(item: str, name: str, *, flat: bool) -> Iterator[str]:
    """Names for an asset of an item (or of none) whose name is contested, best first, without end."""
    folder = safe_segment(item) if item else ""
    if folder and folder not in name.split("/")[:-1]:
        name = free_folders(safe_path(f"{folder}_{name}" if flat else f"{folder}/{name}"))
    yield name
    first, slash, rest = name.partition("/")
    head, _, last = name.rpartition("/")
    number = 2
    while True:
        yield f"{head}{slash}{numbered(last, number)}"
        if slash:  # a file may have the folder's name, and then no name in it is free
            yield f"{numbered(first, number)}/{rest}"
        number += 1
