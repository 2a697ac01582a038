"""Items of a target as an API gets them: with hrefs for the public, and nothing that is of this project alone."""

from __future__ import annotations

import copy
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from splashdown._receipts.contents import read_document
from splashdown._receipts.memory import read_target
from splashdown._series.documents import Documents
from splashdown._stac.describe import text
from splashdown._stac.hrefs import public_href
from splashdown._stac.marks import OURS, below
from splashdown._stac.migrate import kind_of
from splashdown.errors import ResolveError, UsageError
from splashdown.protocols import Sink, SupportsRead, SupportsStat
from splashdown.redact import redact_target, safely_shown
from splashdown.sources import is_url, scheme_of

#: Links that belong to the place of a document; the API makes its own.
_OF_PLACE = frozenset({"self", "root", "parent", "collection", "item", "items", "child", "prev", "next", "data"})
#: Hrefs that mean the same on every machine.
_EVERYWHERE = frozenset({"http", "https", "s3", "gs", "az", "abfs", "abfss"})


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Found:
    """One document to publish."""

    id: str
    collection: str
    body: dict[str, Any]
    why: str = ""  #: why it cannot be published

    @property
    def name(self) -> str:
        """What reports call it."""
        return f"{self.collection}/{self.id}"


@safely_shown
@dataclass(kw_only=True, repr=False)
class TargetItems:
    """The items that receipts in a target describe, and the collections that are saved with them."""

    sink: Sink
    target: str
    public_url: str | None
    collection: str | None
    collections: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.public_url is not None and not _is_public(self.public_url):
            raise UsageError("public_url is an http(s) URL without a password, query or fragment")
        if self.public_url is None and scheme_of(self.target) in {"", "file", "memory"}:
            raise UsageError("files of this machine have no address for others: say where they are served, public_url=")

    def items(self) -> Iterator[Found]:
        """Every item, each after the collections above it.

        Raises ``ResolveError`` where there is no receipt with an item.
        """
        found, count = read_target(self.sink, everywhere=True), 0
        for name in found.documents:
            if not isinstance(self.sink, SupportsRead) or (body := read_document(self.sink, name)) is None:
                continue
            folder = posixpath.dirname(name)
            if kind_of(body) == "Collection" and (key := text(body.get("id"))):
                self.collections[key] = self._public(body, folder, found.records)
            features = body.get("features") if kind_of(body) == "FeatureCollection" else [body]
            for feature in features if isinstance(features, list | Documents) else ():
                if isinstance(feature, dict) and kind_of(feature) == "Feature":
                    count += 1
                    yield self._item(feature, folder, found.records)
        if not count:
            raise ResolveError(
                f"{redact_target(self.target)} holds no receipt with STAC items: save results with items, and"
                " those of a job with download_collection (--as-collection)"
            )

    def _item(self, feature: Mapping[str, Any], folder: str, records: Mapping[str, object]) -> Found:
        body = self._public(feature, folder, records)
        key, owner = text(body.get("id")), self.collection or text(body.get("collection")) or ""
        body["collection"] = owner
        why = "it has no id that a URL can hold" if not _is_segment(key) else ""
        if not why and not _is_segment(owner):
            why = "it belongs to no collection: name one, collection="
        if not why and not body["assets"]:
            why = "none of its files is in the target"
        return Found(id=key or "?", collection=owner, body=body, why=why)

    def _public(self, document: Mapping[str, Any], folder: str, records: Mapping[str, object]) -> dict[str, Any]:
        body = {name: copy.deepcopy(value) for name, value in document.items() if not name.startswith(OURS)}
        assets = body.get("assets")
        body["assets"] = {
            key: one
            for key, asset in (assets if isinstance(assets, dict) else {}).items()
            if isinstance(asset, dict) and (one := self._asset(asset, folder, records)) is not None
        }
        links = body.get("links")
        body["links"] = [one for link in (links if isinstance(links, list) else ()) if (one := _link(link)) is not None]
        return body

    def _asset(self, asset: Mapping[str, Any], folder: str, records: Mapping[str, object]) -> dict[str, Any] | None:
        """The asset with an href for everyone; ``None`` for a file that is neither in the target nor elsewhere."""
        href, name = asset.get("href"), below(folder, asset.get("href"))
        if name is not None:
            public = self._href(name) if name in records else None
        else:
            public = public_href(href) if isinstance(href, str) and scheme_of(href) in _EVERYWHERE else None
        if public is None:
            return None
        kept = {key: value for key, value in asset.items() if not key.startswith(OURS) and key != "file:local_path"}
        return {**kept, "href": public}

    def _href(self, name: str) -> str | None:
        if self.public_url is not None:
            return f"{self.public_url.rstrip('/')}/{quote(name)}"
        stored = self.sink.stat(name) if isinstance(self.sink, SupportsStat) else None
        return stored.location if stored and scheme_of(stored.location) in _EVERYWHERE else None


def _link(link: object) -> dict[str, Any] | None:
    if not isinstance(link, dict) or link.get("rel") in _OF_PLACE:
        return None
    href = link.get("href")
    return {**link, "href": public_href(href)} if isinstance(href, str) and is_url(href) else None


def _is_segment(value: str | None) -> bool:
    """Whether a string can be one segment of a path: those that paths treat apart, or that break lines, cannot."""
    return bool(value) and value not in {".", ".."} and str(value).isprintable()


def _is_public(url: str) -> bool:
    return is_url(url) and public_href(url) == url and not set("?# ") & set(url) and url.isprintable()
