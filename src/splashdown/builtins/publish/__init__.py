"""The action ``publish``: what landed in a target becomes items of a STAC API, each once and only when it is new.

It works on the target alone, so that a failed run is repeated without the source.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from splashdown.actions import ActionSession, PublishReport
from splashdown.hookspecs import hookimpl
from splashdown.redact import safely_shown
from splashdown.specs import ActionSpec

if TYPE_CHECKING:
    from splashdown.builtins.publish.catalog import Catalog
    from splashdown.builtins.publish.items import Found, TargetItems


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True)
class PublishOptions:
    """What ``publish`` takes besides the target."""

    api: str = field(metadata={"help": "The URL of the STAC API, which has the transaction extension."})
    public_url: str | None = field(
        default=None, metadata={"help": "Where the files of the target are served; without it, where they are stored."}
    )
    collection: str | None = field(
        default=None, metadata={"help": "The collection of all items, instead of the one that each names."}
    )
    token: str | None = field(
        default=None, repr=False, metadata={"help": "Of the API, where [auth] does not list it.", "secret": True}
    )
    dry_run: bool = field(default=False, metadata={"help": "Say what would be sent, and send nothing."})
    jobs: int = field(default=4, metadata={"help": "Items at a time."})
    sink_options: Mapping[str, Any] = field(default_factory=dict)


def publish(session: ActionSession, target: str | Path, **given: Any) -> PublishReport:
    """Put the items of a target into a STAC API. Failures of items are in the report.

    Raises ``ResolveError`` where the target has no items or the API cannot be read, and ``UsageError`` for an API that
    takes none.
    """
    from splashdown._foreign.calls import Closing
    from splashdown.builtins.publish.catalog import Catalog
    from splashdown.builtins.publish.items import TargetItems

    options = PublishOptions(**given)
    with (
        Closing(session.sink(str(target), **options.sink_options)) as sink,
        Closing(Catalog(options.api, options.token or session.auth_for(options.api), session.http)) as catalog,
    ):
        items = TargetItems(sink=sink, target=str(target), public_url=options.public_url, collection=options.collection)
        catalog.check()
        return _published(items, catalog, options)


def _published(items: TargetItems, catalog: Catalog, options: PublishOptions) -> PublishReport:
    from concurrent.futures import ThreadPoolExecutor

    ends: dict[str, list[str]] = {"created": [], "updated": [], "unchanged": []}
    failed: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    every = list(items.items())  # collections are known then
    missing = _missing_collections(items, catalog, {one.collection for one in every if not one.why}, options)

    def put(one: Found) -> tuple[str, str]:
        why = one.why or missing.get(one.collection, "")
        return ("", why) if why else _put(catalog, one, options)

    fresh: list[Found] = []
    for one in every:
        if not one.why and (one.collection, one.id) in seen:
            failed[f"{one.collection}/{one.id}"] = "another item of the target has the same id and collection"
            continue
        seen.add((one.collection, one.id))
        fresh.append(one)
    with ThreadPoolExecutor(options.jobs, "splashdown-publish") as pool:
        for one, (end, why) in zip(fresh, pool.map(put, fresh), strict=True):
            name = f"{one.collection}/{one.id}"
            if why:
                failed[name] = why
            elif name not in failed:
                ends[end].append(name)
    return PublishReport(
        target=items.target, api=catalog.url, **{name: tuple(ids) for name, ids in ends.items()}, failed=failed
    )


def _put(catalog: Catalog, one: Found, options: PublishOptions) -> tuple[str, str]:
    """What became of an item, or why nothing did."""
    from splashdown.errors import SplashdownError, error_text

    try:
        return catalog.put(one.id, one.collection, one.body, dry_run=options.dry_run), ""
    except SplashdownError as error:
        return "", error_text(error)


def _missing_collections(
    items: TargetItems, catalog: Catalog, wanted: Iterable[str], options: PublishOptions
) -> dict[str, str]:
    """Add the collections that the API lacks and the target has; why others are missing."""
    from splashdown.errors import SplashdownError, error_text

    missing: dict[str, str] = {}
    for key in sorted(wanted):
        try:
            if catalog.collection(key):
                continue
            if key not in items.collections:
                missing[key] = f"the API has no collection {key!r}: add it there first, or name another one"
            elif not options.dry_run:
                catalog.add_collection(items.collections[key])
        except SplashdownError as error:
            missing[key] = error_text(error)
    return missing


@hookimpl
def splashdown_actions() -> Iterable[ActionSpec]:
    """Offer the verb."""
    yield ActionSpec(
        name="publish",
        on_target=publish,
        options=PublishOptions,
        command=True,
        summary="Put the items of a target into a STAC API.",
    )
