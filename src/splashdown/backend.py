"""Small handles on an openEO back-end: its jobs, their status and log, and their results.

    import splashdown

    backend = splashdown.connect("https://openeo.example", auth=("user", "password"))
    job = backend.job("JOB")
    job.status()
    job.wait().get_results().download_files("data/out")

The openEO clients make and start jobs. This module is the face of the built-in plugin ``openeo``: where that is
disabled, :func:`connect` raises :class:`~splashdown.errors.DisabledError`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from splashdown.errors import OptionError, ResolveError, UsageError

if TYPE_CHECKING:
    from splashdown._documents.authority import Authority
    from splashdown._documents.client import Client
    from splashdown.results import JobResults
    from splashdown.session import Session

__all__ = ["Backend", "Job", "Jobs", "connect", "job_at"]

#: Levels of log entries, from the least to the most urgent (openEO API, ``/jobs/{job_id}/logs``).
LEVELS = ("debug", "info", "warning", "error")


def connect(backend: str, *, auth: object = None, session: Session | None = None) -> Backend:
    """A handle on the back-end at this address; of several API versions, the best is chosen.

    ``auth`` is ``None``, a token (without ``Bearer``), ``(user, password)`` or a value of :mod:`splashdown.auth`;
    it goes to the API's origin alone. ``session`` holds the plugins and settings for downloads. Raises
    :class:`~splashdown.errors.ResolveError` when the address has no openEO API.
    """
    from splashdown._documents.client import Client
    from splashdown.builtins.openeo.auth import make_authority
    from splashdown.builtins.openeo.discovery import discover
    from splashdown.session import Session

    session = session or Session()
    session.registry.refuse_disabled("openeo", "nothing here speaks to openEO back-ends")
    address = _address(backend)
    auth = session.auth_for(address) if auth is None else auth
    http = session.http
    with closing(Client(http=http)) as anonymous:
        api = discover(address, anonymous.get, bound=auth is not None)
        capabilities = anonymous.get(f"{api}/").body
    if not isinstance(capabilities.get("api_version"), str):
        raise ResolveError(f"{api} is not an openEO API: its capabilities name no api_version")
    # All through one gate: what the address named is of the public web, or is not, for the sign-in and the API too.
    make_client = partial(Client, http=http, gate=anonymous.gate)
    return Backend(api, make_client(make_authority(api, auth, make_client)), capabilities, session, auth)


def job_at(url: str, *, auth: object = None, session: Session | None = None) -> Job:
    """The handle of the job with this URL; the URL of its results works too. The only request is for discovery.

    Raises :class:`~splashdown.errors.UsageError` when the URL is not a job's.
    """
    from splashdown.builtins.openeo.urls import parse_job_url

    parts = parse_job_url(url)
    return connect(parts.api, auth=auth, session=session).job(parts.job)


class Backend:
    """An openEO back-end, as :func:`connect` makes it."""

    def __init__(
        self, api: str, client: Client, capabilities: Mapping[str, Any], session: Session, auth: object = None
    ) -> None:
        self.url = api  #: the base of the API, without a slash at the end
        self.capabilities = capabilities  #: the answer to ``GET /``
        self.session = session  #: what downloads use
        self._client = client
        self._auth = auth

    def __repr__(self) -> str:
        return f"<Backend {self.url} (openEO API {self.api_version})>"

    @property
    def api_version(self) -> str:
        """The version of the API."""
        return str(self.capabilities["api_version"])

    def jobs(self, limit: int | None = None) -> Jobs:
        """The user's jobs, in the back-end's order, to iterate over. ``limit`` is the largest number.

        The first page is read now, and shown in a notebook; further pages are read on demand.
        """
        from splashdown.builtins.openeo.jobs import pages_of_jobs

        return Jobs(self, pages_of_jobs(self._client, self.url), limit)

    def job(self, job_id: str) -> Job:
        """The handle of one job; nothing is requested yet."""
        return Job(self, job_id)

    def job_at(self, url: str) -> Job | None:
        """The handle of the job with this URL, with this sign-in; nothing is requested yet.

        ``None`` for the URL of another origin, and for a signed link, which needs no sign-in.
        """
        from splashdown._documents.places import same_origin
        from splashdown.builtins.openeo.urls import parse_job_url

        parts = parse_job_url(url)
        if parts.signed or not same_origin(url, self.url):
            return None
        # The address of the back-end, without the version of its API, stands for the API that was found there.
        if self.url == parts.api or self.url.startswith(f"{parts.api}/"):
            return self.job(parts.job)
        return Backend(parts.api, self._client, self.capabilities, self.session, self._auth).job(parts.job)


class Jobs(Iterator["Job"]):
    """Jobs in the back-end's order, as :meth:`Backend.jobs` returns them: an iterator that can be used once."""

    def __init__(self, backend: Backend, pages: Iterator[list[dict[str, Any]]], limit: int | None) -> None:
        self._url = backend.url
        first = next(pages, [])
        following = itertools.chain(first, itertools.chain.from_iterable(pages))
        self._shown = first[:limit]
        self._limit = limit
        self._jobs = (Job(backend, entry["id"], entry) for entry in itertools.islice(following, limit))

    def __next__(self) -> Job:
        return next(self._jobs)

    def __repr__(self) -> str:
        return f"<Jobs at {self._url}, the first page has {len(self._shown)}>"

    def _repr_html_(self) -> str:
        """The jobs of the first page in a notebook, whatever was iterated over since; nothing is requested."""
        from splashdown._display.text import counted
        from splashdown._display.values import jobs_html

        title = counted(len(self._shown), "job")
        if len(self._shown) != self._limit:
            title += " on the first page"
        return jobs_html(title, self._url, [_for_people(job) for job in self._shown])


class Job:
    """A batch job. ``metadata`` is the back-end's last answer about it."""

    def __init__(self, backend: Backend, job_id: str, metadata: Mapping[str, Any] | None = None) -> None:
        self.backend = backend
        self.id = job_id
        self.url = f"{backend.url}/jobs/{quote(job_id, safe='')}"
        self.metadata: Mapping[str, Any] = metadata or {}

    def __repr__(self) -> str:
        known = f" ({self.metadata['status']})" if self.metadata.get("status") else ""
        return f"<Job {self.id!r}{known} at {self.backend.url}>"

    def _repr_html_(self) -> str:
        """The job in a notebook, as the back-end last described it; nothing is requested."""
        from splashdown._display.values import jobs_html

        return jobs_html("job", self.backend.url, [_for_people({**self.metadata, "id": self.id})])

    @property
    def job_id(self) -> str:
        """The id, under the name that the openEO clients use."""
        return self.id

    @property
    def known_status(self) -> str:
        """Status and progress as the back-end last gave them, ``running (40 %)``; nothing is requested."""
        from splashdown.builtins.openeo.jobs import describe_status

        return describe_status(self.metadata)

    @property
    def authority(self) -> Authority:
        """The sign-in of the back-end's handle."""
        return self.backend._client.authority  # noqa: SLF001 - both are of this module

    def opened_by(self) -> tuple[str, object]:
        """The URL and the value for ``auth=`` that open the job's results in another process."""
        return self.url, self.backend._auth  # noqa: SLF001 - both are of this module

    def describe(self) -> Mapping[str, Any]:
        """The job's metadata, read now: ``status``, ``progress`` in percent, ``title``, ``created`` and more."""
        from splashdown.builtins.openeo.jobs import read_status

        self.metadata = read_status(self.backend._client, self.url)  # noqa: SLF001 - both are of this module
        return self.metadata

    def status(self) -> str:
        """The job's status, read now: created, queued, running, canceled, finished or error."""
        return str(self.describe().get("status"))

    def logs(self, level: str = "debug") -> list[Mapping[str, Any]]:
        """The entries of the job's log of at least this level: debug, info, warning or error."""
        from splashdown.builtins.openeo.jobs import read_log

        if level not in LEVELS:
            raise OptionError(f"level is one of {', '.join(LEVELS)}, not {level!r}")
        shown = LEVELS[LEVELS.index(level) :]
        entries = read_log(self.backend._client, self.url)  # noqa: SLF001
        # An entry of a level that this package does not know is shown rather than lost.
        return [entry for entry in entries if entry.get("level") in shown or entry.get("level") not in LEVELS]

    def wait(self, timeout: float | None = None, notify: Callable[[str], None] | None = None) -> Job:
        """Wait until the job is finished, and return it. ``timeout`` is in seconds; ``notify`` gets each new status.

        Raises :class:`~splashdown.errors.JobFailed` with the log's errors when the job fails or is canceled, and
        :class:`~splashdown.errors.JobNotFinished` when the time is over or the job was not started.
        """
        from splashdown.builtins.openeo import jobs

        client = self.backend._client  # noqa: SLF001
        self.metadata = jobs.wait(client, self.id, self.url, limit=timeout, notify=notify or (lambda _: None))
        return self

    def get_results(self, **options: Any) -> JobResults:
        """The results of the job; options are those of :func:`splashdown.open` for a job: ``wait``, ``partial``."""
        return self.backend.session.open(self, **options)


def _address(backend: str) -> str:
    if not backend.strip():
        raise UsageError("the address of a back-end is needed, for example https://openeo.example")
    address = backend.strip()
    # People write host names; credentials go over https unless the address says otherwise.
    address = address if "://" in address else f"https://{address}"
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname:
        raise UsageError(f"{backend!r} is not the http(s) address of a back-end")
    if parts.username or parts.password:
        raise UsageError("take user and password out of the address and pass auth=(user, password) instead")
    return address


def _for_people(metadata: Mapping[str, Any]) -> dict[str, str]:
    """The strings among the metadata of a job, and its status with the progress."""
    from splashdown.builtins.openeo.jobs import describe_status

    return {k: v for k, v in metadata.items() if isinstance(v, str)} | {"status": describe_status(metadata)}
