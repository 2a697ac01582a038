"""The built-in filters of ``results.select(NAME=value)``.

Most values are one string or a list of alternatives; ``values.py`` reads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from splashdown.hookspecs import hookimpl
from splashdown.protocols import Filter
from splashdown.specs import FilterSpec


def by_geometry(value: Any) -> Filter:
    """Items whose geometry intersects another one."""
    from splashdown.builtins.filters.spatial import by_geometry as create

    return create(value)


def by_cql2(value: Any) -> Filter:
    """Items for which a CQL2 expression is true."""
    from splashdown.builtins.filters.cql import by_cql2 as create

    return create(value)


@hookimpl
def splashdown_filters() -> Iterable[FilterSpec]:
    """The filters, by the keyword of ``select``."""
    # Late: resolvers use the module for the values alone.
    from splashdown.builtins.filters.each import (
        by_band,
        by_bbox,
        by_collection,
        by_datetime,
        by_exclude,
        by_item,
        by_key,
        by_max_size,
        by_min_size,
        by_regex,
        by_role,
        by_type,
    )
    from splashdown.builtins.filters.groups import latest_per, one_per

    yield FilterSpec(name="keys", create=by_key, summary="keys, or item/key, by glob")
    yield FilterSpec(name="exclude", create=by_exclude, summary="all but these keys, by glob")
    yield FilterSpec(name="regex", create=by_regex, summary="keys in which a regular expression is found")
    yield FilterSpec(name="types", create=by_type, summary="media types, parameters apart; image/* is a pattern")
    yield FilterSpec(name="roles", create=by_role, summary="roles: data, thumbnail, metadata, ...")
    yield FilterSpec(name="items", create=by_item, summary="ids of items, by glob")
    yield FilterSpec(name="collections", create=by_collection, summary="ids of collections, by glob")
    yield FilterSpec(name="datetime", create=by_datetime, summary="A/B, RFC 3339 or dates, '..' is an open end")
    yield FilterSpec(name="bbox", create=by_bbox, summary="west, south, east, north in degrees")
    yield FilterSpec(name="geometry", create=by_geometry, summary="GeoJSON or WKT that the item intersects")
    yield FilterSpec(name="min_size", create=by_min_size, summary="at least so many bytes, as file:size says")
    yield FilterSpec(name="max_size", create=by_max_size, summary="at most so many bytes, as file:size says")
    yield FilterSpec(name="bands", create=by_band, summary="names or common names of bands, by glob")
    yield FilterSpec(name="cql2", create=by_cql2, summary="a CQL2 expression on the item's properties")
    yield FilterSpec(name="latest_per", create=latest_per, summary="the latest of each item, key, date or property")
    yield FilterSpec(name="one_per", create=one_per, summary="the first of each item, key, date or property")
