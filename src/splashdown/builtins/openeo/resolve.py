"""The steps from a job's URL to a result set: credentials, waiting, reading, uniting, and reading again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, fields
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from splashdown._connections.addresses import Gate
from splashdown._connections.options import HttpOptions
from splashdown._documents.authority import OriginSigner
from splashdown._documents.client import Client, http_options
from splashdown._documents.document import Document, WebPageError
from splashdown._documents.expiry import expires_at
from splashdown._documents.listed import listed_of
from splashdown._documents.reading import ReadingProgress
from splashdown._stac.alternates import check_alternate
from splashdown.builtins.openeo import jobs
from splashdown.builtins.openeo.assets import collect
from splashdown.builtins.openeo.auth import make_authority
from splashdown.builtins.openeo.discovery import discover
from splashdown.builtins.openeo.tree import read_tree
from splashdown.builtins.openeo.urls import JobUrl, parse_job_url
from splashdown.columns import columns
from splashdown.errors import JobNotFinished, JobNotFound, NotFoundError, OptionError, ResolveError, refuse_unknown
from splashdown.model import ResultSet
from splashdown.protocols import ResolveContext

if TYPE_CHECKING:
    from splashdown.backend import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOptions:
    """Options of ``splashdown.open(URL, ...)`` for a job."""

    wait: bool | float = False  #: wait until the job is finished; a number is the limit in seconds
    partial: bool = False  #: take partial results of a job that is not finished
    alternate: str | None = None  #: name of the href to use for assets with several, for example ``s3``

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> JobOptions:
        """Check names and types; raises :class:`~splashdown.errors.OptionError`."""
        known = [each.name for each in fields(cls)]
        refuse_unknown("the resolver 'openeo'", given, known)
        for name, value in given.items():
            takes, valid = _OPTIONS[name]
            if not valid(value):
                raise OptionError(f"the option {name!r} takes {takes}, not {value!r}")
        return cls(**given)


_OPTIONS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "wait": ("True, False or seconds", lambda value: isinstance(value, int | float) and value >= 0),
    "partial": ("True or False", lambda value: isinstance(value, bool)),
    "alternate": ("the name of an alternate", lambda value: value is None or isinstance(value, str)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReader:
    """Reads one job's results, as often as needed."""

    url: JobUrl
    client: Client = field(repr=False)
    context: ResolveContext = field(repr=False)
    partial: bool = False
    alternate: str | None = None

    def read(self) -> ResultSet:
        """Read the results document and what it links."""
        root = self._document()
        progress = ReadingProgress(place=self.url.results, context=self.context)
        tree = read_tree(root, self.client.get, progress)
        union = collect(tree, alternate=self.alternate, partial=self.partial)
        check_alternate(union.assets, self.alternate)
        return ResultSet(
            id=self.url.job,
            kind="job",
            assets=union.assets,
            document=root.body,
            href=root.place,
            items=tuple(item.body for item in tree.items),
            warnings=(*_status_warning(root), *union.warnings),
            signer=OriginSigner(authority=self.client.authority),
            refresh=self.read,
            from_public_web=bool(self.client.gate.public),
            expires=expires_at(root.body, columns(union.assets, "href")),
        )

    def wait(self, limit: float | None, notify: jobs.Notify) -> None:
        """Poll until the results are there."""
        ask = self._signed_status if self.url.signed else self._status
        jobs.wait(self.client, self.url.job, self.url.status, limit=limit, notify=notify, ask=ask)

    def _status(self) -> dict[str, Any]:
        return jobs.read_status(self.client, self.url.status)

    def _signed_status(self) -> dict[str, Any]:
        # A signed link opens the results alone, not the job: only whether they can be read is known.
        try:
            self.client.get(self.url.results)
        except JobNotFinished:
            return {"status": jobs.UNREADABLE}
        return {"status": jobs.FINISHED}

    def _document(self) -> Document:
        try:
            return self.client.get(_with_partial(self.url.results) if self.partial else self.url.results)
        except JobNotFinished as error:
            if self.url.signed:
                raise
            raise self._why(error) from None

    def _why(self, error: JobNotFinished) -> ResolveError:
        # Back-ends also answer "not finished" for failed jobs: only the status of the job shows it.
        try:
            metadata = jobs.read_status(self.client, self.url.status)
        except ResolveError:
            return error
        status = metadata.get("status")
        if status in jobs.FAILED:
            return jobs.ended(self.client, self.url.job, self.url.status, str(status))
        return jobs.unfinished(self.url.job, metadata)


def resolve_job(source: str | Job, context: ResolveContext) -> ResultSet:
    """Resolve the URL of a job, of its results, or a signed link to them; or a job's handle, with its sign-in."""
    options = JobOptions.of(context.options)
    auth = context.auth
    if not isinstance(source, str):
        auth = source.authority if auth is None else auth
        source = source.url
    reader = _reader(parse_job_url(source), auth, options, context)
    try:
        return attempt(reader, options, context)
    except JobNotFound:
        raise
    except (NotFoundError, WebPageError):
        other = _elsewhere(reader, bound=auth is not None)
        if other is None:
            raise
    # The address was the back-end's, not its API's.
    return attempt(_reader(other, auth, options, context, reader.client.gate), options, context)


def attempt(reader: JobReader, options: JobOptions, context: ResolveContext) -> ResultSet:
    """Wait if ``wait`` says so, and read."""
    if options.wait is not False:
        reader.wait(None if options.wait is True else float(options.wait), context.notify)
    return reader.read()


def _reader(
    url: JobUrl, auth: object, options: JobOptions, context: ResolveContext, gate: Gate | None = None
) -> JobReader:
    http = http_options(context) or HttpOptions()
    gate = gate or Gate(allow_private=http.allow_private)
    authority = make_authority(url.api, auth, partial(Client, http=http, gate=gate))
    client = Client(authority, http, gate, listed_of(context))
    return JobReader(url=url, client=client, partial=options.partial, alternate=options.alternate, context=context)


def _elsewhere(reader: JobReader, *, bound: bool) -> JobUrl | None:
    """The same job at the API that ``.well-known/openeo`` names, when the address as given has no API."""
    if reader.url.signed:
        return None
    # Through the same gate: a list of the public web does not lead to an API in a private network.
    with closing(Client(http=reader.client.http, gate=reader.client.gate)) as anonymous:
        api = discover(reader.url.api, anonymous.get, bound=bound)
    if api == reader.url.api:
        return None
    query = urlsplit(reader.url.results).query
    parts = reader.url.status.removeprefix(reader.url.api)
    return parse_job_url(f"{api}{parts}/results" + (f"?{query}" if query else ""))


def _with_partial(url: str) -> str:
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "partial"]
    # Some back-ends accept only the word `true`.
    return urlunsplit(parts._replace(query=urlencode([*query, ("partial", "true")])))


def _status_warning(root: Document) -> tuple[str, ...]:
    status = root.body.get("openeo:status")
    if status in (None, jobs.FINISHED):
        return ()
    return (f"the job's status is {status!r}: these are the results so far, not all of them",)
