"""The receipt: the STAC document that is saved beside the files, describing what is really there.

Landed assets get a relative href, ``file:size`` and ``file:checksum`` (STAC file extension) of the stored
bytes; the others keep their href without its secrets. The next run reads it to tell what is ours and complete.
It is written and read through the sink, so that it works for every target.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from splashdown._stac.links import Linker
from splashdown._stac.public import public_href
from splashdown.errors import SplashdownError
from splashdown.model import Asset, Buffer, Content, Known, Outcome, Part, ResultSet
from splashdown.protocols import Sink, SupportsRead

#: The STAC extension that defines ``file:size`` and ``file:checksum``.
FILE_EXTENSION = "https://stac-extensions.github.io/file/v2.1.0/schema.json"

#: What the receipt of each kind of source is called; openEO users know the first name.
NAMES: Mapping[str, str] = {
    "job": "job-results.json",
    "item": "item.json",
    "collection": "collection.json",
    "catalog": "catalog.json",
    "items": "items.json",
}

#: What else may be written beside a receipt: it says the same in another form.
COMPANIONS = ("items.parquet",)

# Fields of ours on an asset, beside the file extension's: what the next run needs to recognise it.
_VALIDATOR = "splashdown:validator"
_ITEM = "splashdown:item"
_KEY = "splashdown:key"
#: Of the whole document: files of earlier runs that the source does not list any more.
_STALE = "splashdown:stale"
_STALE_DOCUMENTS = "splashdown:stale_documents"

#: From so many on, assets and items are written one in a line.
_MANY = 1_000
# Bounds what is read of a receipt that somebody else may have put there.
_MAX_BYTES = 256 * 2**20


def name_of(result_set: ResultSet) -> str:
    """The file name of the receipt for this kind of source."""
    return NAMES.get(result_set.kind, "results.json")


def build(result_set: ResultSet, landed: Iterable[Outcome], kept: Mapping[str, Known] | None = None) -> dict[str, Any]:
    """The document with what landed; ``kept`` are names that an earlier run put there and that still hold."""
    document: dict[str, Any] = _copied(result_set.document)
    if document.get("type") == "FeatureCollection":
        document.setdefault("features", [_copied(item) for item in result_set.items])
    _relink(document, result_set.href)
    places = {
        outcome.asset.identity: (
            outcome.transfer.name,
            Known(size=outcome.size or 0, checksum=outcome.checksum, validator=outcome.validator),
        )
        for outcome in landed
    }
    for name, known in (kept or {}).items():
        if known.identity is not None:
            places.setdefault(known.identity, (name, known))
    for entry in _entries(document):
        if isinstance(entry.get("href"), str):
            entry["href"] = public_href(entry["href"])
    features = {f["id"]: f for f in document.get("features") or () if isinstance(f, dict) and _text(f.get("id"))}
    for asset in result_set.assets:
        holder, key = _holder(document, features, asset)
        if key not in holder:
            holder[key] = _copied(asset.metadata)
        entry = holder[key]
        entry["href"] = public_href(asset.href)
        place = places.get(asset.identity)
        if place is not None:
            describe(entry, f"./{place[0]}", place[1], asset.identity)
    declare(document, FILE_EXTENSION, "/file/")
    keep_stale(document, result_set.assets, places, kept or {})
    return document


def write(sink: Sink, name: str, document: Mapping[str, Any]) -> str:
    """Store the receipt as one step; returns its location."""
    return store_bytes(sink, name, encoded(document), "application/json")


def encoded(document: Mapping[str, Any]) -> bytes:
    """A document as it is saved, indented; where very many assets or items are in it, each of them is one line."""
    data = bytearray(b"{")
    for number, (name, value) in enumerate(document.items()):
        data += f"{',' if number else ''}\n  {_json(name)}: ".encode(errors="backslashreplace")
        for text in _lines(value):
            # JSON may hold half a surrogate pair (RFC 8259, section 8.2), UTF-8 may not: it stays the escape it was.
            data += text.encode(errors="backslashreplace")
    data += b"\n}" if document else b"}"
    return bytes(data)


def _lines(value: Any) -> Iterator[str]:
    """JSON in pieces: one for all, or one for each entry of what is long. Indenting costs ten times as much."""
    if not isinstance(value, dict | list) or len(value) < _MANY:
        yield json.dumps(value, indent=2, ensure_ascii=False).replace("\n", "\n  ")
        return
    named = isinstance(value, dict)
    comma = "{" if named else "["
    for one in value:
        yield f"{comma}\n    {f'{_json(one)}: {_json(value[one])}' if named else _json(one)}"
        comma = ","
    yield "\n  }" if named else "\n  ]"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def store_bytes(sink: Sink, name: str, data: Buffer, media_type: str) -> str:
    """Store a small object that is in memory, replacing what has its name."""
    upload = sink.begin(name, Content(size=len(data), media_type=media_type, source=name))
    try:
        tag = sink.put_part(upload, Part(number=1, start=0, stop=len(data)), [data] if data else [])
        return sink.commit(upload, [tag])
    except BaseException:
        sink.abort(upload)
        raise


def known(document: Mapping[str, Any], recorded: float | None = None, folder: str = "") -> dict[str, Known]:
    """What a receipt says was put there: by name, relative to the target. ``folder`` is that of the receipt.

    ``recorded`` is when the receipt was written (seconds since the epoch): a file that is older than its receipt
    has not changed since it was described.
    """
    result: dict[str, Known] = {}
    stale = document.get(_STALE)
    entries = [*_entries(document), *(e for e in (stale if isinstance(stale, list) else ()) if isinstance(e, dict))]
    for entry in entries:
        name, size, key = below(folder, entry.get("href")), entry.get("file:size"), entry.get(_KEY)
        if not (name and isinstance(size, int) and isinstance(key, str)):
            continue
        result[name] = Known(
            size=size,
            checksum=_text(entry.get("file:checksum")),
            validator=_text(entry.get(_VALIDATOR)),
            identity=(_text(entry.get(_ITEM)), key),
            recorded=recorded,
        )
    return result


def below(folder: str, href: object) -> str | None:
    """The name, relative to the target, that a relative href of a document in ``folder`` means; none outside of it."""
    if not isinstance(href, str) or not href.startswith(("./", "../")):
        return None
    name = posixpath.normpath(posixpath.join(folder, href))
    return None if name.startswith(("../", "/")) or name in {".", ".."} else name


def _copied(value: Any) -> Any:
    """A JSON value whose objects and arrays are new, at a fifth of the cost of ``copy.deepcopy``."""
    if isinstance(value, Mapping):
        return {name: _copied(one) for name, one in value.items()}
    return [_copied(one) for one in value] if isinstance(value, list | tuple) else value


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def read_bytes(sink: SupportsRead, name: str) -> bytes | None:
    """The bytes of a small object; ``None`` where there is none, or none of a receipt's size."""
    data = bytearray()
    try:
        with sink.read(name) as chunks:
            for chunk in chunks:
                data += chunk
                if len(data) > _MAX_BYTES:
                    return None
    except (OSError, SplashdownError):
        return None
    return bytes(data)


def _entries(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The asset objects that a document holds itself."""
    for entry in dict(document.get("assets") or {}).values():
        if isinstance(entry, dict):
            yield entry
    for feature in document.get("features") or ():
        if isinstance(feature, dict):
            yield from _entries(feature)


def _holder(
    document: dict[str, Any], features: Mapping[str, dict[str, Any]], asset: Asset
) -> tuple[dict[str, Any], str]:
    """The ``assets`` object that the asset belongs to, and its key there.

    An asset of a linked item goes to the root document under the key that it is listed with there, else as
    ``item/key``: openEO (API 1.x) wants every asset listed at the collection too, and one document is enough for a
    receipt.
    """
    item, key = asset.item, asset.key
    if item is not None and item in features:
        return features[item].setdefault("assets", {}), key
    assets = document.setdefault("assets", {})
    if asset.listed_as is not None:
        return assets, asset.listed_as
    if item is None or document.get("type") == "Feature" or _same(assets, item, key):
        return assets, key
    return assets, f"{item}/{key}"


def _same(assets: Mapping[str, Any], item: str, key: str) -> bool:
    entry = assets.get(key)
    return isinstance(entry, dict) and entry.get(_ITEM) == item


def describe(entry: dict[str, Any], href: str, known: Known, identity: tuple[str | None, str]) -> None:
    """Make an asset object say what is stored: ``href`` is relative to its document."""
    entry.update({"href": href, "file:size": known.size, _KEY: identity[1]})
    entry.pop("alternate", None)
    for field_name, value in (("file:checksum", known.checksum), (_VALIDATOR, known.validator), (_ITEM, identity[0])):
        if value is None:
            entry.pop(field_name, None)
        else:
            entry[field_name] = value


def _relink(document: dict[str, Any], base: str | None) -> None:
    """Leave out links that the receipt answers itself (items, children, pages, ``self``); make the others absolute.

    Every asset that was found by way of the links is listed here, and a reader of the receipt would follow them to
    documents that are not beside it, or need the signature that is not written down.
    """
    for holder in (document, *(f for f in document.get("features") or () if isinstance(f, dict))):
        if "links" in holder:
            Linker(name="", base=base).apply(holder, root="", parent="")


def keep_stale(
    document: dict[str, Any],
    assets: Iterable[Asset],
    places: Mapping[tuple[str | None, str], tuple[str, Known]],
    kept: Mapping[str, Known],
) -> None:
    """Remember files of earlier runs that no asset stands for any more: ``sync --delete`` may remove them one day."""
    used = {places[asset.identity][0] for asset in assets if asset.identity in places}
    stale: list[dict[str, Any]] = []
    for name, entry in kept.items():
        if name not in used and entry.identity is not None:
            stale.append({})
            describe(stale[-1], f"./{name}", entry, entry.identity)
    if stale:
        document[_STALE] = stale


def keep_documents(document: dict[str, Any], names: Iterable[str]) -> None:
    """Remember documents of earlier runs that the root does not link any more."""
    stale = [f"./{name}" for name in names if name not in NAMES.values()]
    if stale:
        document[_STALE_DOCUMENTS] = stale


def stale_documents(document: Mapping[str, Any]) -> list[str]:
    """The names of those documents, relative to the target."""
    stale = document.get(_STALE_DOCUMENTS)
    return [name for href in (stale if isinstance(stale, list) else ()) if (name := below("", href))]


def forget(document: dict[str, Any], names: Iterable[str]) -> bool:
    """Take files and documents that were removed off the lists of stale ones; whether there were any."""
    gone = {f"./{name}" for name in names}
    changed = False
    for field in (_STALE, _STALE_DOCUMENTS):
        stale = document.get(field)
        if not isinstance(stale, list):
            continue
        left = [each for each in stale if (each.get("href") if isinstance(each, dict) else each) not in gone]
        changed = changed or len(left) < len(stale)
        document[field] = left
        if not left:
            del document[field]
    return changed


def declare(document: dict[str, Any], uri: str, mark: str) -> None:
    """List an extension, unless one with ``mark`` in its URI is listed already."""
    extensions = document.get("stac_extensions")
    listed = list(extensions) if isinstance(extensions, list) else []
    if not any(mark in str(each) for each in listed):
        listed.append(uri)
    document["stac_extensions"] = listed
