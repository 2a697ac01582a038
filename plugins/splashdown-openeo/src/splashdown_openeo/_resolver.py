"""The resolver for objects of the openEO client: everything is read through the connection that they hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from splashdown.errors import OptionError, UsageError
from splashdown.redact import safely_shown
from splashdown.resolving import Answer, resolve_job

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openeo.rest.connection import Connection
    from openeo.rest.job import BatchJob

    from splashdown.model import ResultSet
    from splashdown.protocols import AssetHandle, ResolveContext, Transport

_CLASSES = ("BatchJob", "Connection", "JobResults")


class ClientResolver:
    """Resolves a ``BatchJob``, its ``JobResults``, or a ``Connection`` with ``job_id=`` (openEO client 0.53)."""

    def accepts(self, source: object) -> bool:
        """Whether the source is such an object; the openEO client is not imported to find out."""
        return _kind(source) is not None

    def resolve(self, source: Any, context: ResolveContext) -> ResultSet:
        """Read the results with the connection's session, credentials and retries.

        Options are those of a job's URL: ``wait`` and ``partial``; a ``Connection`` needs ``job_id``. Raises what
        the resolver for URLs raises, and :class:`~splashdown.errors.UsageError` for ``auth=``.
        """
        if context.auth is not None:
            raise UsageError("auth= is of no use here: the openEO connection has its own credentials, leave it out")
        options = dict(context.options)
        job = _job(source, options)
        connection = job.connection
        url = connection.build_url(job.get_results_metadata_url())
        found = resolve_job(
            url,
            _Context(context, options),
            fetch=lambda each: _fetch(connection, each),
            renew=lambda: connection.try_access_token_refresh(reason="the back-end refused the token"),
        )
        return _Own(connection).taken(found)


@safely_shown
@dataclass(frozen=True, slots=True, repr=False)
class _Context:
    """The user's context with the options that are left for the job."""

    given: ResolveContext
    options: Mapping[str, Any]

    @property
    def auth(self) -> object:
        return self.given.auth

    def notify(self, message: str) -> None:
        self.given.notify(message)

    def resolve(self, source: object) -> ResultSet:
        return self.given.resolve(source)

    def open(self, href: str) -> AssetHandle:
        return self.given.open(href)


class _Own:
    """Says for which hrefs the connection is used: those of its own job, and no other job's in the same run."""

    def __init__(self, connection: Connection) -> None:
        from splashdown_openeo._transport import ConnectionTransport

        self._transport = ConnectionTransport(connection)
        self._hrefs: set[str] = set()

    def __call__(self, href: str) -> Transport | None:
        return self._transport if href in self._hrefs else None

    def taken(self, found: ResultSet) -> ResultSet:
        """The result set with this transport, also when it is read again."""
        hrefs = (asset.href for asset in found.assets)
        self._hrefs.update(href for href in hrefs if urlsplit(href).scheme.lower() in {"http", "https"})
        again = found.refresh
        return replace(found, transport=self, refresh=again and (lambda: self.taken(again())))


def _kind(source: object) -> str | None:
    """The class of the client that an object is of, judged by the names of its classes."""
    for each in type(source).__mro__:
        if each.__module__.partition(".")[0] == "openeo" and each.__name__ in _CLASSES:
            return each.__name__
    return None


def _job(source: Any, options: dict[str, Any]) -> BatchJob:
    kind = _kind(source)
    if kind == "Connection":
        job_id = options.pop("job_id", None)
        if not isinstance(job_id, str) or not job_id:
            raise OptionError("name the job of this connection: splashdown.open(connection, job_id='...')")
        job: BatchJob = source.job(job_id)
    elif kind == "JobResults":
        job = source._job  # noqa: SLF001 - the client has no public way from results to their job
    else:
        job = source
    return job


def _fetch(connection: Connection, url: str) -> Answer:
    # An error answer is not turned into an exception of the client: it would lose the log entry of a failed job.
    response = connection.get(url, check_error=False)
    return Answer(url=response.url, status=response.status_code, body=response.content)
