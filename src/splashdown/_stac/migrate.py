"""Recognises the kinds of STAC documents, and migrates old ones with pystac."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from splashdown._series.documents import plain
from splashdown.errors import ResolveError, error_text

_KINDS = frozenset({"Feature", "FeatureCollection", "Collection", "Catalog"})
#: Documents of these versions have a ``type`` and are read without migration.
_CURRENT = ("1.0", "1.1")


def kind_of(body: Mapping[str, Any]) -> str:
    """``Feature``, ``FeatureCollection``, ``Collection`` or ``Catalog``; empty for anything else.

    Before 1.0, catalogs and collections had no ``type``: a collection has an extent (or a license).
    """
    kind = body.get("type")
    if kind is not None:
        return kind if isinstance(kind, str) and kind in _KINDS else ""
    if "stac_version" in body or ("id" in body and isinstance(body.get("links"), list)):
        return "Collection" if "extent" in body or "license" in body else "Catalog"
    return ""


def is_current(body: Mapping[str, Any]) -> bool:
    """Whether the document needs no migration."""
    version = body.get("stac_version")
    if isinstance(version, str):
        return version.startswith(_CURRENT) and "-" not in version
    # Members of an item collection may leave it out; a plain GeoJSON feature has nothing to migrate.
    return True


def up_to_date(body: dict[str, Any], name: str) -> dict[str, Any]:
    """The document in a current version; the same object if it is current already.

    Raises ``ResolveError`` for a document too broken for migration.
    """
    if is_current(body) or kind_of(body) == "FeatureCollection":
        return body
    try:
        return _migrated(_readable(plain(body)))
    except Exception as error:  # pystac raises many kinds for broken documents
        version = body.get("stac_version")
        raise ResolveError(f"{name} is a STAC {version} document that cannot be read ({error_text(error)})") from None


def _migrated(body: dict[str, Any]) -> dict[str, Any]:
    from pystac.serialization import identify_stac_object, migrate_to_latest

    try:
        return migrate_to_latest(body, identify_stac_object(body))
    except ValueError:
        # pystac removes the extension "eo" from an item without fields of it, and fails if it is not listed.
        from pystac.extensions.eo import EOExtension

        listed = {**body, "stac_extensions": [EOExtension.get_schema_uri(), *body.get("stac_extensions", ())]}
        return migrate_to_latest(listed, identify_stac_object(listed))


def _readable(body: dict[str, Any]) -> dict[str, Any]:
    ready = dict(body)
    # Before 0.8, links and assets were objects by name, and an item could omit empty members.
    if isinstance(ready.get("links"), Mapping):
        ready["links"] = [{"rel": rel, **link} for rel, link in ready["links"].items()]
    ready.setdefault("links", [])
    # A "type" before 1.0.0-rc.1 is ahead of its version; pystac refuses it.
    if kind_of(ready) in {"Catalog", "Collection"} and "-rc" not in str(ready.get("stac_version")):
        ready.pop("type", None)
    if kind_of(ready) == "Feature":
        ready.setdefault("properties", {})
    # Before 0.8 an extent was a single box and a single interval; pystac does not change that.
    if isinstance(ready.get("extent"), Mapping):
        ready["extent"] = {
            name: {inner: [value]} if isinstance(value, list) and (inner := _EXTENT.get(name)) else value
            for name, value in ready["extent"].items()
        }
    return ready


_EXTENT = {"spatial": "bbox", "temporal": "interval"}
