"""For those who write resolvers: assets from STAC asset objects, many of them in little memory, and openEO's documents.

    def assets_of(item):
        for key, metadata in item["assets"].items():
            yield describe_asset(key, metadata["href"], metadata, item=item["id"], owner=item)

    items = PackedItems()
    assets = pack(asset for item in client.items() for asset in items.add(item, assets_of(item)))
    return ResultSet(id="...", kind="catalogue", document={...}, items=items, assets=assets)

The built-in resolvers use the same functions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from splashdown._series.assets import pack
from splashdown._series.items import PackedItems
from splashdown._stac.describe import describe_asset
from splashdown.redact import safely_shown

if TYPE_CHECKING:
    from splashdown.model import ResultSet
    from splashdown.protocols import ResolveContext

__all__ = ["Answer", "Fetch", "PackedItems", "describe_asset", "pack", "resolve_job"]


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Answer:
    """The answer of a server, with any status. ``url`` is the final one, after redirects."""

    url: str
    status: int
    body: bytes


Fetch = Callable[[str], Answer]


def resolve_job(
    url: str, context: ResolveContext, *, fetch: Fetch, renew: Callable[[], bool] | None = None
) -> ResultSet:
    """Resolve the URL of a job or of its results, with the options of the built-in resolver (``wait``, ``partial``).

    ``fetch`` reads one URL, from several threads; it may raise exceptions of requests. ``renew`` is called when the
    back-end says that the token is not valid any more, and returns whether it has a new one. The result set has no
    credentials: set its ``transport`` where the assets need them. Raises what the built-in resolver raises.
    """
    from splashdown.builtins.openeo.borrowed import BorrowedClient
    from splashdown.builtins.openeo.resolve import JobOptions, JobReader, attempt
    from splashdown.builtins.openeo.urls import parse_job_url

    def ask(url: str) -> tuple[str, int, bytes]:
        answer = fetch(url)
        return answer.url, answer.status, answer.body

    options = JobOptions.of(context.options)
    client = BorrowedClient(ask, renew)
    reader = JobReader(
        url=parse_job_url(url), client=client, context=context, partial=options.partial, alternate=options.alternate
    )
    return attempt(reader, options, context)
