"""The action ``load_json``: one asset as parsed JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from splashdown.actions import Results
from splashdown.hookspecs import hookimpl
from splashdown.specs import ActionSpec


def load_json(results: Results, key: str | None = None, **options: Any) -> Any:
    """Load the asset with this key, or the only one, as JSON; options are the JSON loader's."""
    return results.get_asset(key).load("json", **options)


@hookimpl
def splashdown_actions() -> Iterable[ActionSpec]:
    """Offer the verb."""
    yield ActionSpec(name="load_json", run=load_json, summary="one asset as parsed JSON")
