"""Parses URLs of an openEO API. Pure functions without requests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit, urlunsplit

from splashdown.errors import UsageError
from splashdown.redact import redact, safely_shown
from splashdown.sources import origin_of

_JOB = re.compile(r"^(?P<api>.*)/jobs/(?P<job>[^/]+)(?P<results>/results(?P<signed>/.+)?)?/?$")


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class JobUrl:
    """The parts of a job's URL. ``results`` is where its results document is read."""

    api: str  #: the API's base without a slash at the end
    job: str  #: the id, percent-decoded
    status: str  #: URL of the job's metadata
    results: str
    signed: bool  #: the URL needs no credentials: the part after ``/results`` is the back-end's signature


def parse_job_url(url: str) -> JobUrl:
    """Parse the URL of a job, of its results, or a signed link to them.

    Raises :class:`~splashdown.errors.UsageError` for user and password inside the URL: they would end up in logs.
    """
    try:
        parts = urlsplit(url)
        origin_of(url)
    except ValueError as error:
        raise UsageError(f"{redact(url)} is not a valid URL: {error}") from None
    if parts.username or parts.password:
        raise UsageError(f"{redact(url)}: take user and password out of the URL and pass auth=(user, password) instead")
    match = _JOB.match(parts.path)
    if match is None:
        raise UsageError(f"{redact(url)} is not the URL of an openEO job, which ends with /jobs/ID")
    api = urlunsplit((parts.scheme, parts.netloc, match["api"], "", ""))
    status = f"{api}/jobs/{match['job']}"
    signed = bool(match["signed"])
    bare = urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), parts.query, ""))
    unsigned = f"{status}/results?{parts.query}" if parts.query and match["results"] else f"{status}/results"
    return JobUrl(
        api=api,
        job=unquote(match["job"]),
        status=status,
        results=bare if signed else unsigned,
        signed=signed,
    )
