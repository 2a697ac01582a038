"""For resolvers that bring a client of their own: reads the results of an openEO job through it.

Reading, waiting and exceptions are those of the built-in resolver; the caller sends the requests, with its own
credentials.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from splashdown._documents.authority import Anonymous
from splashdown._documents.client import Client
from splashdown.builtins.openeo.resolve import JobOptions, JobReader, attempt
from splashdown.builtins.openeo.urls import parse_job_url

if TYPE_CHECKING:
    from splashdown.model import ResultSet
    from splashdown.protocols import ResolveContext


@dataclass(frozen=True, slots=True, kw_only=True)
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
    options = JobOptions.of(context.options)
    reader = JobReader(
        url=parse_job_url(url), client=_Borrowed(fetch, renew), partial=options.partial, alternate=options.alternate
    )
    return attempt(reader, options, context)


class _Renewing(Anonymous):
    def __init__(self, renew: Callable[[], bool]) -> None:
        self._renew = renew

    def renew(self, refused: Mapping[str, str]) -> bool:  # noqa: ARG002 - the credentials are not ours
        return self._renew()


class _Borrowed(Client):
    """Reads documents through the caller's client, without a session."""

    def __init__(self, fetch: Fetch, renew: Callable[[], bool] | None) -> None:
        self.authority = _Renewing(renew) if renew else Anonymous()
        self._borrowed = fetch

    def close(self) -> None:
        """The connections are not ours."""

    def _fetch(
        self,
        url: str,
        headers: Mapping[str, str] | None,  # noqa: ARG002 - the credentials are not ours
        question: Mapping[str, Any] | None,  # noqa: ARG002 - a job's results are never searched
    ) -> tuple[str, int, bytes, bool]:
        answer = self._borrowed(url)
        return answer.url, answer.status, answer.body, True
