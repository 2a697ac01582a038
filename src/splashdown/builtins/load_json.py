"""The action ``load_json``: one asset as parsed JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from splashdown.hookspecs import hookimpl
from splashdown.specs import ActionSpec

if TYPE_CHECKING:
    from splashdown.results import JobResults


def load_json(results: JobResults, key: str | None = None, **options: Any) -> Any:
    """Load the asset with this key, or the only one, as JSON; options are the JSON loader's."""
    return results.get_asset(key).load("json", **options)


@hookimpl
def splashdown_actions() -> Iterable[ActionSpec]:
    """Offer the verb."""
    yield ActionSpec(name="load_json", run=load_json, summary="one asset as parsed JSON")
