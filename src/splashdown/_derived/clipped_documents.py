"""The documents of a result set after clipping: what they say of the new files, and where those come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from splashdown._derived.sets import Made
from splashdown._receipts.document import declare
from splashdown._receipts.entries import key_of, members
from splashdown._stac.hrefs import public_href
from splashdown.clipping import Box, rectangle
from splashdown.model import Asset, ResultSet

PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"
#: What an item says of the grid of its whole files.
_OF_WHOLE = (
    *("proj:shape", "proj:transform", "proj:bbox", "proj:geometry", "proj:centroid"),
    *("cube:dimensions", "cube:variables"),
)


def rewrite(base: ResultSet, made: Made) -> ResultSet:
    """The set whose documents describe the clips that take the place of its assets."""
    clips = [one for assets in made.values() for one in assets]
    if not clips:
        return base
    by_item: dict[str | None, list[Asset]] = {}
    for one in clips:
        by_item.setdefault(one.item, []).append(one)
    items = base.items
    if any(_id(item) in by_item for item in items):
        items = [_owner(item, by_item[name], None) if (name := _id(item)) in by_item else item for item in items]
    return replace(base, document=_owner(base.document, clips, base.href), items=items)


def _owner(owner: Mapping[str, Any], clips: Sequence[Asset], href: str | None) -> dict[str, Any]:
    """An Item or a Collection with these clips in the places of its assets."""
    made = dict(owner)
    listed = members(owner)
    if listed:
        own = _by_key(owner, listed, clips)
        made["assets"] = {key: own[key].metadata if key in own else value for key, value in listed.items()}
    whole = _union(one.bbox for one in clips)
    if made.get("type") == "Feature":
        if whole is not None:
            made |= {"bbox": list(whole), "geometry": rectangle(whole)}
        properties = made.get("properties")
        if isinstance(properties, Mapping):
            made["properties"] = {name: value for name, value in properties.items() if name not in _OF_WHOLE}
    elif whole is not None and isinstance(extent := made.get("extent"), Mapping):
        made["extent"] = {**extent, "spatial": {"bbox": [list(whole)]}}
    if (origin := _self(owner) or href) is not None:
        links = made.get("links")
        own_link = {"rel": "derived_from", "href": public_href(origin), "type": "application/json"}
        made["links"] = [*(links if isinstance(links, list | tuple) else ()), own_link]
    if any(name.startswith("proj:") for one in clips for name in one.metadata):
        declare(made, PROJECTION, "/projection/")
    return made


def _by_key(owner: Mapping[str, Any], listed: Mapping[str, Any], clips: Sequence[Asset]) -> dict[str, Asset]:
    if owner.get("type") == "Feature":
        return {one.key: one for one in clips}
    return {key_of(owner, listed, one.item, one.key, one.listed_as): one for one in clips}


def _self(owner: Mapping[str, Any]) -> str | None:
    links = owner.get("links")
    for link in links if isinstance(links, list | tuple) else ():
        href = link.get("href") if isinstance(link, Mapping) and link.get("rel") == "self" else None
        if isinstance(href, str) and "://" in href:
            return href
    return None


def _id(item: Mapping[str, Any]) -> str | None:
    name = item.get("id")
    return name if isinstance(name, str) else None


def _union(boxes: Iterable[tuple[float, ...] | None]) -> Box | None:
    known = [box for box in boxes if box is not None]
    # Boxes on both sides of the antimeridian have no box around them that says more than the item's own.
    if not known or any(box[0] > box[2] for box in known):
        return None
    return (
        min(box[0] for box in known),
        min(box[1] for box in known),
        max(box[2] for box in known),
        max(box[3] for box in known),
    )
