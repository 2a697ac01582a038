"""The action ``publish``: what landed in a target becomes items of a STAC API, each once and only when it is new.

It works on the target alone, so that a failed run is repeated without the source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from splashdown.hookspecs import hookimpl
from splashdown.redact import safely_shown
from splashdown.specs import ActionSpec

if TYPE_CHECKING:
    from splashdown.actions import ActionSession, PublishReport
    from splashdown.builtins.publish.catalog import Catalog
    from splashdown.builtins.publish.items import Found, TargetItems

#: So many items are in memory at a time.
_AT_ONCE = 500


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
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
    missing: dict[str, str] = {}  #: why a collection cannot take items, empty for one that can
    every = _first_of_each(items.items(), failed)
    with ThreadPoolExecutor(options.jobs, "splashdown-publish") as pool:
        while some := list(islice(every, _AT_ONCE)):
            for key in {one.collection for one in some if not one.why} - missing.keys():
                missing[key] = _missing(key, items, catalog, options)  # its document came before its items
            sent = [replace(one, why=one.why or missing.get(one.collection, "")) for one in some]
            for one, (end, why) in zip(sent, pool.map(lambda one: _put(catalog, one, options), sent), strict=True):
                if why:
                    failed[one.name] = why
                else:
                    ends[end].append(one.name)
    from splashdown.actions import PublishReport  # late: the command's help needs none

    return PublishReport(
        target=items.target, api=catalog.url, **{name: tuple(ids) for name, ids in ends.items()}, failed=failed
    )


def _first_of_each(items: Iterable[Found], failed: dict[str, str]) -> Iterator[Found]:
    """The items whose id has not come before; of others only the first is published."""
    seen: set[str] = set()
    for one in items:
        if one.name in seen and not one.why:
            failed[f"{one.name} (again)"] = "another item of the target has the same id and collection"
        else:
            seen.add(one.name)
            yield one


def _put(catalog: Catalog, one: Found, options: PublishOptions) -> tuple[str, str]:
    """What became of an item, or why nothing did."""
    from splashdown.errors import SplashdownError, error_text

    if one.why:
        return "", one.why
    try:
        return catalog.put(one.id, one.collection, one.body, dry_run=options.dry_run), ""
    except SplashdownError as error:
        return "", error_text(error)


def _missing(key: str, items: TargetItems, catalog: Catalog, options: PublishOptions) -> str:
    """Add a collection that the API lacks and the target has; why it is missing otherwise."""
    from splashdown.errors import SplashdownError, error_text

    try:
        if catalog.collection(key):
            return ""
        if key not in items.collections:
            return f"the API has no collection {key!r}: add it there first, or name another one"
        if not options.dry_run:
            catalog.add_collection(items.collections[key])
    except SplashdownError as error:
        return error_text(error)
    return ""


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
