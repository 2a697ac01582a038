"""The status and log of a job, and waiting for its end (openEO API, ``/jobs/{job_id}`` and ``.../logs``)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urljoin

from splashdown._documents.client import Client
from splashdown._documents.document import Document, links_of
from splashdown._documents.faults import is_passing, job_failed
from splashdown._documents.places import same_origin, shown
from splashdown.errors import JobFailed, JobNotFinished, ResolveError, error_text

FINISHED = "finished"
#: A job with one of these statuses has ended.
FAILED = frozenset({"error", "canceled"})
#: A job that was not started; waiting for it would have no end.
UNSTARTED = "created"
#: The status of a job of which only a signed link is known: its results cannot be read yet.
UNREADABLE = "not finished"
_KNOWN = frozenset({FINISHED, UNSTARTED, UNREADABLE, "queued", "running", *FAILED})
#: A status that the openEO API does not have may never change; so many answers in a row take nine minutes.
_MOST_UNKNOWN = 18
_FIRST_PAUSE, _LONGEST_PAUSE, _GROWTH = 1.0, 60.0, 1.5  # seconds; and a factor
_MAX_PAGES = 10_000
_MOST_FIRST_FAILURES = 3

Notify = Callable[[str], None]


def read_status(client: Client, status_url: str) -> dict[str, Any]:
    """The job's metadata: ``status``, ``progress`` (percent), ``title`` and more."""
    metadata = client.get(status_url).body
    if not isinstance(metadata.get("status", ""), str):
        raise ResolveError(f"{shown(status_url)} is not a job: its status is not a string")
    return metadata


def pages_of_jobs(client: Client, api: str) -> Iterator[list[dict[str, Any]]]:
    """The jobs of the user as the back-end lists them, page by page."""
    for page in pages(client, f"{api}/jobs"):
        entries = page.body.get("jobs")
        yield [
            entry
            for entry in (entries if isinstance(entries, list) else [])
            if isinstance(entry, dict) and isinstance(entry.get("id"), str) and is_sendable(entry["id"])
        ]


def is_sendable(name: str) -> bool:
    """Whether a name can stand in a URL; half a surrogate pair cannot."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def read_log(client: Client, status_url: str) -> Iterator[dict[str, Any]]:
    """The entries of the job's log, oldest first, page by page."""
    for page in pages(client, f"{status_url}/logs"):
        entries = page.body.get("logs")
        yield from (entry for entry in (entries if isinstance(entries, list) else []) if isinstance(entry, dict))


def pages(client: Client, url: str) -> Iterator[Document]:
    """The pages of a list (openEO API, "Pagination"): each names the next one with a link."""
    seen = {url}
    following: str | None = url
    while following is not None:
        page = client.get(following)
        yield page
        following = _next(page)
        if following in seen or len(seen) > _MAX_PAGES:
            raise ResolveError(f"the pages of {shown(url)} have no end: one names an earlier page as the next")
        seen.add(following or "")


def ended(client: Client, job: str, status_url: str, status: str) -> JobFailed:
    """The exception for a job that failed or was canceled, with the errors of its log where that can be read."""
    try:
        log = [entry for entry in read_log(client, status_url) if entry.get("level") == "error"]
    except ResolveError:
        log = []
    return job_failed(job, status, log)


def unfinished(job: str, metadata: dict[str, Any]) -> JobNotFinished:
    """The exception for a job whose results are not there yet."""
    status = str(metadata.get("status") or "unknown")
    partial = "take what is there with partial=True (--partial)"
    if status == UNSTARTED:
        advice = "start it first"
    elif status in _KNOWN:
        advice = f"wait for it with wait=True (--wait), or {partial}"
    else:
        advice = f"that is not a status of the openEO API; ask the back-end, or {partial}"
    return JobNotFinished(
        f"job {job} is not finished: its status is {describe_status(metadata)}; {advice}",
        status=400,
        code="JobNotFinished",
        job_status=status,
    )


def wait(
    client: Client,
    job: str,
    status_url: str,
    *,
    limit: float | None,
    notify: Notify,
    ask: Callable[[], dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Poll until the job is finished, with growing pauses; returns its metadata.

    Failing connections and a back-end that is down for a while do not end the wait. ``limit`` is in seconds; ``ask``
    reads the metadata when ``status_url`` cannot be read. Raises ``JobFailed`` with the errors of the log
    when the job fails or is canceled, ``JobNotFinished`` when it was not started, the time is over, or 18 answers in
    a row named a status that the openEO API does not have.
    """
    deadline = float("inf") if limit is None else time.monotonic() + limit
    watch = _Watch(ask or (lambda: read_status(client, status_url)), job, notify)
    while True:
        metadata = watch.look()
        status = metadata.get("status")
        if status == FINISHED:
            return metadata
        if status in FAILED:
            raise ended(client, job, status_url, str(status))
        left = deadline - time.monotonic()
        if status == UNSTARTED or left <= 0 or watch.unknown >= _MOST_UNKNOWN:
            raise unfinished(job, metadata)
        time.sleep(min(watch.pause, left))


class _Watch:
    """Polls a job, and reports changes of its status."""

    def __init__(self, ask: Callable[[], dict[str, Any]], job: str, notify: Notify) -> None:
        self._ask, self._job, self._notify = ask, job, notify
        self._metadata: dict[str, Any] = {}
        self._reported = ""
        self._failures = 0
        self.unknown = 0  #: answers in a row with an unknown status
        self.pause = 0.0  #: seconds until the next look

    def look(self) -> dict[str, Any]:
        """The job's metadata, or the last known ones without an answer."""
        before = self._metadata.get("status")
        try:
            self._metadata = self._ask()
            line, self._failures = describe_status(self._metadata), 0
            self.unknown = 0 if self._metadata.get("status") in _KNOWN else self.unknown + 1
        except ResolveError as error:
            self._failures += 1
            # If the back-end never answered, a wrong address is likelier than a short outage.
            if not is_passing(error) or (not self._metadata and self._failures > _MOST_FIRST_FAILURES):
                raise
            line = f"no answer, asking again ({type(error).__name__})"
        if line != self._reported and self._metadata.get("status") != FINISHED:
            self._notify(f"job {self._job}: {line}")
            self._reported = line
        # A job that has just changed its status may change it again soon; progress alone does not mean that.
        changed = self._metadata.get("status") != before
        self.pause = _FIRST_PAUSE if changed or not self.pause else min(self.pause * _GROWTH, _LONGEST_PAUSE)
        return self._metadata


def describe_status(metadata: Mapping[str, Any]) -> str:
    """``running (40 %)``."""
    status, progress = metadata.get("status") or "unknown", metadata.get("progress")
    known = status == "running" and isinstance(progress, int | float) and 0 <= progress <= 100
    return f"{status} ({progress:g} %)" if known else str(status)


def _next(page: Document) -> str | None:
    link = next(links_of(page.body, ("next",)), None)
    if link is None:
        return None
    try:
        url: str = urljoin(page.place, link["href"])
    except ValueError as error:
        raise ResolveError(f"{shown(page.place)} names a next page that is not a URL ({error_text(error)})") from None
    if not same_origin(url, page.place):
        raise ResolveError(f"{shown(page.place)} continues at {shown(url)}, on another host; this is refused")
    return url
