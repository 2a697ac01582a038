"""The filter by CQL2 (OGC 21-065r2), on the package ``cql2`` (extra ``filters``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from splashdown.builtins.filters.each import Each
from splashdown.errors import NoProviderError, OptionError, error_text
from splashdown.model import Asset


def by_cql2(value: object) -> Each:
    """Assets for whose item an expression is true: CQL2-text (``eo:cloud_cover < 20``) or CQL2-JSON (a dict).

    The properties are the item's, with ``id``, ``collection``, ``geometry``, and the fields of the
    asset (``key``, ``type``, ``file:size``, ...); an asset whose item lacks a property does not pass.
    """
    try:
        import cql2
    except ImportError:
        raise NoProviderError("the filter 'cql2' needs a package: pip install 'splashdown[filters]'") from None
    try:
        expression = cql2.Expr(dict(value) if isinstance(value, Mapping) else str(value))
        expression.validate()
    except Exception as error:  # the parser's own classes are not public
        raise OptionError(f"the filter 'cql2' cannot read {value!r} ({_short(error)})") from None

    def passes(asset: Asset) -> bool:
        try:
            return bool(expression.matches(_item(asset)))
        except Exception:  # a property that is absent cannot be compared
            return False

    return Each(passes, lambda _: f"{value} is not true for it")


def _item(asset: Asset) -> dict[str, Any]:
    simple = {n: v for n, v in asset.metadata.items() if isinstance(v, str | int | float | bool)}
    return {
        "type": "Feature",
        "id": asset.item or asset.key,
        "collection": asset.collection,
        "geometry": json.loads(json.dumps(dict(asset.geometry))) if asset.geometry else None,
        "properties": {**simple, "key": asset.key, **asset.properties},
    }


def _short(error: Exception) -> str:
    return error_text(error)[:200]
