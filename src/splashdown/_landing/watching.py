"""Looks again and again at the jobs of a back-end, or at the items of a STAC source, and lands the new ones.

Nothing is remembered but in this process: the receipts in the target say what is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from splashdown._documents.faults import is_passing
from splashdown._foreign.calls import Closing
from splashdown._landing.landing import HowToLand, land, of_items, open_source
from splashdown._landing.lists import with_folders
from splashdown._landing.values import COMPLETE, JobOutcome, JobState, ListedJob
from splashdown._landing.waiting import Clock
from splashdown._receipts.names import NAMES
from splashdown._receipts.whole import is_whole
from splashdown.errors import AuthError, ResolveError, UsageError
from splashdown.redact import redact
from splashdown.sources import is_job_url, is_url

if TYPE_CHECKING:
    from splashdown.backend import Backend, Job
    from splashdown.session import Session

#: A job that fails to land again and again is left alone for so many rounds at most.
_LONGEST_REST = 64


class Watched(Protocol):
    """Something that is looked at in rounds."""

    def round(self) -> Iterator[JobOutcome]:
        """Land what is new, and yield what became of each."""


def backend_at(source: object, auth: object, session: Session) -> Backend | None:
    """The openEO back-end at this address; ``None`` where there is none, and the source may be of STAC.

    Raises ``UsageError`` for the URL of a job.
    """
    if is_job_url(source):
        raise UsageError(f"{redact(str(source))} is one job: download it, or name its back-end to watch all jobs")
    if not is_url(source):
        return None
    from splashdown.backend import connect  # late: it brings the client for documents

    try:
        return connect(str(source), auth=auth, session=session)
    except AuthError:
        raise
    except ResolveError:
        return None


def watch_rounds(
    watched: Watched,
    clock: Clock,
    *,
    once: bool,
    on_outcome: Callable[[JobOutcome], None],
    notify: Callable[[str], None],
) -> None:
    """Look again and again; with ``once`` one time.

    A source that does not answer for a while ends nothing, unless it never did. Raises ``AuthError``, and what the
    first round raises.
    """
    said: dict[str, str] = {}
    first = True
    while True:
        answered = True
        try:
            for outcome in watched.round():
                # Files that are there already are not news, nor is a failure that comes again in each round.
                if outcome.state is not JobState.PRESENT and said.get(outcome.job.source) != outcome.line:
                    on_outcome(outcome)
                said[outcome.job.source] = outcome.line if outcome.state not in COMPLETE else ""
        except ResolveError as error:
            if once or first or not is_passing(error):
                raise
            answered = False
            notify(f"no answer, looking again ({' '.join(str(error).split())})")
        if once:
            return
        first = False
        clock.next_round(answered=answered)


class WatchedJobs:
    """The jobs of a back-end: each lands once, in a folder of its own, when it has finished."""

    def __init__(self, backend: Backend, how: HowToLand) -> None:
        self._backend, self._how = backend, how
        self._landed: set[str] = set()
        self._failures: dict[str, int] = {}
        self._rest: dict[str, int] = {}

    def round(self) -> Iterator[JobOutcome]:
        """Land the finished jobs that are not whole in the target."""
        jobs = {job.id: job for job in self._backend.jobs() if job.metadata.get("status") == "finished"}
        for listed in with_folders(ListedJob(source=each.id, title=_title(each)) for each in jobs.values()):
            if listed.source in self._landed or self._is_resting(listed.source):
                continue
            if self._is_whole(listed):
                self._landed.add(listed.source)
                continue
            outcome = land(listed, partial(open_source, jobs[listed.source], None, self._how), self._how)
            self._note(outcome)
            yield outcome

    def _is_whole(self, job: ListedJob) -> bool:
        session = self._how.session
        with Closing(session.sink(self._how.place(job), **self._how.options.get("sink_options", {}))) as sink:
            return is_whole(sink, NAMES["job"])

    def _is_resting(self, job_id: str) -> bool:
        left = self._rest.get(job_id, 0)
        self._rest[job_id] = max(0, left - 1)
        return left > 0

    def _note(self, outcome: JobOutcome) -> None:
        job_id = outcome.job.source
        if outcome.state in COMPLETE:
            self._landed.add(job_id)
            self._failures.pop(job_id, None)
            return
        self._failures[job_id] = self._failures.get(job_id, 0) + 1
        self._rest[job_id] = min(2 ** (self._failures[job_id] - 1) - 1, _LONGEST_REST)


class WatchedItems:
    """The items of a STAC source: what is new among them lands in one target, as one download of the source does."""

    def __init__(self, source: object, auth: object, how: HowToLand) -> None:
        settings: Any = how.options.get("settings") or how.session.settings
        # A new process meets all items again: nothing is asked about files of which the metadata say what they said.
        self._how = replace(how, options={**how.options, "settings": replace(settings, trust_metadata=True)})
        self._source, self._auth = source, auth
        self._known: set[bytes] = set()

    def round(self) -> Iterator[JobOutcome]:
        """Land the assets that are not in the target."""
        return of_items(self._source, self._auth, self._how, self._known)


def _title(job: Job) -> str:
    title = job.metadata.get("title")
    return " ".join(title.split())[:100] if isinstance(title, str) else ""
