"""Reads a Metalink 4 document (RFC 5854) as a STAC Item: a file is an asset, its further URLs are alternates.

So sizes, hashes and mirrors mean what they mean in STAC, and the engine needs no other rule for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

from splashdown._documents.places import shown
from splashdown.checksums import Multihash
from splashdown.errors import ResolveError
from splashdown.sources import is_url

_NAMESPACE = "{urn:ietf:params:xml:ns:metalink}"
#: A declaration of a document type or an entity, in any encoding: that is how XML explodes.
_DECLARATION = re.compile(rb"<\0?!\0?[DE]")
#: Hash functions by the names of IANA, the best first: code and length of their multihashes.
_HASHES = {"sha-512": (0x13, 64), "sha-384": (0x20, 48), "sha-256": (0x12, 32), "sha-1": (0x11, 20), "md5": (0xD5, 16)}
_LAST = 1_000_000  #: the priority of a URL without one (RFC 5854, section 4.2.16.1)


def read_metalink(content: bytes, place: str) -> dict[str, Any]:
    """The Item that stands for the document. Raises ``ResolveError`` with one line for what is not Metalink 4."""
    if _DECLARATION.search(content):
        raise ResolveError(f"{shown(place)} has a document type declaration, which no Metalink document needs: refused")
    try:
        root = ET.fromstring(content)  # noqa: S314 - no document type, so no entities
    except (ET.ParseError, ValueError, LookupError) as error:
        raise ResolveError(f"{shown(place)} is not a Metalink document: {' '.join(str(error).split())}") from None
    if root.tag != f"{_NAMESPACE}metalink":
        raise ResolveError(f"{shown(place)} is not Metalink 4 (RFC 5854): its root is {root.tag[:80]!r}")
    files = root.findall(f"{_NAMESPACE}file")
    assets = {name: found for file in files if (name := _text(file.get("name"))) and (found := _asset(name, file))}
    if not assets:
        raise ResolveError(f"{shown(place)} lists no file with a URL")
    published = root.findtext(f"{_NAMESPACE}published")
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": PurePosixPath(unquote(urlsplit(place).path)).stem or "metalink",
        "geometry": None,
        "properties": {"datetime": _text(published) or None},
        "links": [],
        "assets": assets,
    }


def _asset(name: str, file: ET.Element) -> dict[str, Any] | None:
    """An asset object; ``None`` for a file without a URL."""
    urls = _urls(file)
    if not urls:
        return None
    found: dict[str, Any] = {"href": urls[0], "file:local_path": name}
    size = _text(file.findtext(f"{_NAMESPACE}size"))
    if re.fullmatch("[0-9]{1,18}", size):
        found["file:size"] = int(size)
    if checksum := next(_checksums(file), None):
        found["file:checksum"] = checksum
    if len(urls) > 1:
        found["alternate"] = {f"url {number}": {"href": url} for number, url in enumerate(urls[1:], 2)}
    if description := _text(file.findtext(f"{_NAMESPACE}description")):
        found["description"] = description
    return found


def _urls(file: ET.Element) -> list[str]:
    """The URLs by their priority; those of the web before others, which a plugin may not be there for."""
    ranked = [
        (not is_url(url), _priority(one), place, url)
        for place, one in enumerate(file.findall(f"{_NAMESPACE}url"))
        if (url := _text(one.text))
    ]
    return list(dict.fromkeys(url for *_, url in sorted(ranked)))


def _priority(url: ET.Element) -> int:
    said = url.get("priority", "")
    return int(said) if re.fullmatch("[0-9]{1,6}", said) else _LAST


def _checksums(file: ET.Element) -> Iterator[str]:
    """The hashes of the whole file as multihashes, the best first; those of its pieces are deeper."""
    said: Mapping[str, str] = {
        one.get("type", "").lower(): _text(one.text).lower() for one in file.findall(f"{_NAMESPACE}hash")
    }
    for name, (code, length) in _HASHES.items():
        if re.fullmatch(f"[0-9a-f]{{{2 * length}}}", said.get(name, "")):
            yield str(Multihash(code, bytes.fromhex(said[name])))


def _text(value: str | None) -> str:
    return (value or "").strip()
