"""Names what a document says is needed to read an asset: the STAC extensions Authentication and Storage. Pure.

It is said to people, in one line. Nothing is sent, chosen or paid because a document says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from splashdown.model import Asset

#: Types, names and schemes are words; anything else is not repeated to a terminal or a log.
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")
#: A document may list any number of schemes.
_MOST: Final = 5
_NOTHING: Final[Mapping[str, Any]] = {}


def needs_of(asset: Asset, document: Mapping[str, Any] = _NOTHING) -> str:
    """What reading an asset takes, ``openIdConnect of https://login.example``; empty where nothing is said.

    The schemes are those of the asset's item, else of ``document``, the root of the source. Of several ways, any one
    is enough.
    """
    own = _object_of(asset)
    ways = dict.fromkeys(_sign_in(scheme) for scheme in _referred(own, "auth", asset, document))
    stores = dict.fromkeys(line for one in _referred(own, "storage", asset, document) for line in _storage(one, asset))
    return "; ".join(part for part in (" or ".join(way for way in ways if way), *stores) if part)


def needs_of_link(link: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    """What reading a linked document takes, by the schemes of the document that links it."""
    if "auth:refs" not in link:  # few have any
        return ""
    properties = document.get("properties")
    holder = properties if isinstance(properties, Mapping) else _NOTHING
    listing = Asset(key="", href="", metadata=link, properties=holder)
    ways = dict.fromkeys(_sign_in(scheme) for scheme in _referred(link, "auth", listing, document))
    return " or ".join(way for way in ways if way)


def _object_of(asset: Asset) -> Mapping[str, Any]:
    """The object that refers to the schemes: the asset's, or that of the alternate whose href was chosen."""
    metadata = asset.metadata
    others = metadata.get("alternate")
    if isinstance(others, Mapping) and metadata.get("href") != asset.href:
        for other in others.values():
            if isinstance(other, Mapping) and other.get("href") == asset.href:
                return other
    return metadata


def _referred(
    own: Mapping[str, Any], kind: str, asset: Asset, document: Mapping[str, Any]
) -> Iterator[Mapping[str, Any]]:
    """The schemes that an object refers to, in its order."""
    refs, schemes = own.get(f"{kind}:refs"), _schemes(f"{kind}:schemes", asset, document)
    # The table of the storage extension has one string, its schema a list.
    names = [refs] if isinstance(refs, str) else refs
    if not isinstance(names, Sequence):
        return
    for name in names[:_MOST]:
        scheme = schemes.get(name) if isinstance(name, str) else None
        if isinstance(scheme, Mapping):
            yield scheme


def _schemes(name: str, asset: Asset, document: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = document.get("properties")
    for holder in (asset.properties, document, properties):
        found = holder.get(name) if isinstance(holder, Mapping) else None
        if isinstance(found, Mapping):
            return found
    return _NOTHING


def _sign_in(scheme: Mapping[str, Any]) -> str:
    kind = _word(scheme.get("type"))
    if kind == "http":
        return f"http {_word(scheme.get('scheme'))}".rstrip()
    if kind == "apiKey":
        name, place = _word(scheme.get("name")), _word(scheme.get("in"))
        return " ".join(("apiKey", *(("in the", place) if place else ()), name)).rstrip()
    where = next(_origins(scheme), "")
    return f"{kind} of {where}" if kind and where else kind


def _origins(scheme: Mapping[str, Any]) -> Iterator[str]:
    """The origins of a scheme's URLs: where a person signs in."""
    flows = scheme.get("flows")
    holders = [scheme, flows, *(flows.values() if isinstance(flows, Mapping) else ())]
    for holder in (one for one in holders if isinstance(one, Mapping)):
        for name in ("openIdConnectUrl", "authorizationUrl", "tokenUrl", "authorizationApi"):
            if origin := _origin(holder.get(name)):
                yield origin


def _storage(scheme: Mapping[str, Any], asset: Asset) -> Iterator[str]:
    in_s3 = asset.href.lower().startswith("s3://")
    platform = scheme.get("platform")
    # A template is of a provider whose addresses are known.
    if in_s3 and isinstance(platform, str) and "{" not in platform and (origin := _origin(platform)):
        yield f"the store at {origin} (s3.endpoint_url)"
    if in_s3 and (region := _word(scheme.get("region"))):
        yield f"region {region} (s3.region)"
    if scheme.get("requester_pays") is True:
        yield "the reader pays (s3.requester_pays)" if in_s3 else "the reader pays"


def _origin(url: object) -> str:
    if not isinstance(url, str) or not url.isprintable():
        return ""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not _WORD.fullmatch(host):
        return ""
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def _word(value: object) -> str:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else ""
