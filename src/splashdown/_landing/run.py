"""The run over a list of jobs: land what is finished, wait for the rest where that is wanted, and report on each."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from splashdown._landing.backends import Backends
from splashdown._landing.landing import HowToLand, failed, land, open_source
from splashdown._landing.values import JobList, JobOutcome, JobsReport, JobState, ListedJob
from splashdown._landing.waiting import UNDER_WAY, Clock, may_pass, status_of
from splashdown.errors import JobNotFinished, SplashdownError, UsageError, error_text
from splashdown.redact import safely_shown

if TYPE_CHECKING:
    from splashdown.results import JobResults

#: Errors of opening that say nothing about the job: no answer, a broken one, 5xx, or a refusal of whoever asks.
_MAY_PASS = frozenset({"ResolveError", "ApiError"})
_OF_BACKENDS = _MAY_PASS | {"AuthError"}
#: Jobs that are opened while another one lands.
_AHEAD = 4
#: How often a job that has ended, and whose results cannot be read, is tried.
_MOST_TRIES = 3
#: Looks that fail in a row before a back-end has ever answered: a wrong address is likelier than a short outage then.
_MOST_FIRST_FAILURES = 3
OnOutcome = Callable[[JobOutcome], None]
Notify = Callable[[str], None]


def _not_opened() -> JobResults:
    raise AssertionError  # a job that failed has no results to open


@safely_shown
class _Opened(NamedTuple):
    """A job whose results are there or on their way, or the outcome of one that leads to no source."""

    job: ListedJob
    source: Any = None
    results: Callable[[], JobResults] = _not_opened
    failure: JobOutcome | None = None


@safely_shown
class _Waiting(NamedTuple):
    """A job without results, and what is asked for its status."""

    job: ListedJob
    source: Any
    outcome: JobOutcome
    tries: int = 0  #: that failed since it has ended


class ListRun:
    """One run over a list. Without a ``clock`` nothing is waited for."""

    def __init__(
        self,
        jobs: JobList,
        backends: Backends,
        how: HowToLand,
        *,
        clock: Clock | None = None,
        on_outcome: OnOutcome = lambda _: None,
        notify: Notify = lambda _: None,
    ) -> None:
        self._jobs, self._backends, self._how, self._clock = jobs, backends, how, clock
        self._on_outcome, self._notify = on_outcome, notify
        self._give_up_after: int = (how.options.get("settings") or how.session.settings).give_up_after
        self._outcomes: dict[int, JobOutcome] = {}
        self._in_a_row: Counter[str] = Counter()
        self._stopped: dict[str, str] = {}
        self._answered: set[str] = set()
        self._silent: Counter[str] = Counter()

    def run(self) -> JobsReport:
        """Do it."""
        for row in self._jobs.refused:
            self._done(_refused(row.row, row.reason))
        waiting = list(self._land_finished())
        if waiting and self._clock is not None:
            self._wait(waiting, self._clock)
        else:
            for one in waiting:
                self._done(one.outcome)
        return JobsReport(
            target=self._how.target,
            outcomes=tuple(self._outcomes[row] for row in sorted(self._outcomes)),
            repeated=self._jobs.repeated,
            stopped="; ".join(self._stopped.values()),
        )

    def _land_finished(self) -> Iterator[_Waiting]:
        """Land what is finished; the jobs that are not, and those whose back-end does not answer just now."""
        with closing(self._opened()) as each:
            for one in each:
                key = self._backends.key_of(one.job)
                if key in self._stopped:
                    self._done(JobOutcome(job=one.job, state=JobState.NOT_TRIED, error=self._stopped[key]))
                    continue
                outcome = one.failure or land(one.job, one.results, self._how)
                may_pass = self._clock is not None and one.failure is None and outcome.error_type in _MAY_PASS
                if outcome.status in UNDER_WAY or may_pass:
                    if outcome.status:
                        self._heard(key)
                    yield _Waiting(one.job, one.source, outcome)
                    continue
                self._judge(key, outcome)
                self._done(outcome)

    def _opened(self) -> Generator[_Opened]:
        """Each job with its results; while one lands, the next are opened."""
        pool = ThreadPoolExecutor(_AHEAD, thread_name_prefix="splashdown-open")
        ahead: deque[_Opened] = deque()
        try:
            for job in self._jobs.jobs:
                ahead.append(self._open(job, pool))
                if len(ahead) > _AHEAD:
                    yield ahead.popleft()
            while ahead:
                yield ahead.popleft()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _open(self, job: ListedJob, pool: ThreadPoolExecutor) -> _Opened:
        try:
            if self._backends.key_of(job) in self._stopped:
                return _Opened(job, failure=JobOutcome(job=job, state=JobState.NOT_TRIED))
            source = self._backends.source(job)
        except SplashdownError as error:
            return _Opened(job, failure=failed(job, error, state=_state_of(error)))
        return _Opened(job, source, pool.submit(self._results, source).result)

    def _results(self, source: object) -> JobResults:
        return open_source(source, self._backends.auth_for(source), self._how)

    def _judge(self, key: str, outcome: JobOutcome) -> None:
        """Count the failures that are the back-end's and not the job's, and give up on a back-end that has no other."""
        if outcome.error_type not in _OF_BACKENDS:
            self._heard(key)
            return
        self._in_a_row[key] += 1
        if self._give_up_after and self._in_a_row[key] >= self._give_up_after:
            self._stopped[key] = f"{key} failed {self._in_a_row[key]} times in a row ({outcome.error_type})"

    def _heard(self, key: str) -> None:
        self._in_a_row[key] = 0
        self._answered.add(key)

    def _wait(self, waiting: list[_Waiting], clock: Clock) -> None:
        count = len(waiting)
        jobs = "1 job is" if count == 1 else f"{count} jobs are"
        self._notify(f"{jobs} not finished; asking every {clock.interval:g} s")
        answered = True
        while waiting:
            if not clock.next_round(answered=answered):
                for one in waiting:
                    self._done(one.outcome)
                return
            silent: set[str] = set()
            waiting = [found for one in waiting if (found := self._look(one, clock, silent)) is not None]
            answered = not silent

    def _look(self, one: _Waiting, clock: Clock, silent: set[str]) -> _Waiting | None:
        """Ask about one job and land it where it has ended; itself while it has not."""
        key = self._backends.key_of(one.job)
        if key in silent:  # it has not answered in this round
            return one
        clock.before_request()
        try:
            status = status_of(one.source)
        except Exception as error:  # of whichever client the handle is
            return self._unanswered(one, key, error, silent)
        self._heard(key)
        if status in UNDER_WAY:
            unfinished = JobNotFinished(f"its status is {status}; run the same command again later")
            return one._replace(outcome=failed(one.job, unfinished, state=JobState.UNFINISHED, status=str(status)))
        outcome = land(one.job, partial(self._results, one.source), self._how)
        if outcome.status in UNDER_WAY and status is None:
            return one._replace(outcome=outcome)
        if (outcome.status in UNDER_WAY or outcome.error_type in _MAY_PASS) and one.tries < _MOST_TRIES:
            return one._replace(outcome=outcome, tries=one.tries + 1)
        self._done(outcome)
        return None

    def _unanswered(self, one: _Waiting, key: str, error: Exception, silent: set[str]) -> _Waiting | None:
        self._silent[key] += 1
        never = key not in self._answered and self._silent[key] > _MOST_FIRST_FAILURES
        if never or not may_pass(error):
            self._done(failed(one.job, error))
            return None
        if self._silent[key] == 1:
            self._notify(f"{key} does not answer, asking again ({error_text(error)})")
        silent.add(key)
        return one

    def _done(self, outcome: JobOutcome) -> None:
        self._outcomes[outcome.job.row] = outcome
        self._on_outcome(outcome)


def _state_of(error: SplashdownError) -> JobState:
    """A row that leads to no back-end is wrong itself; a back-end that cannot be reached is not the row's fault."""
    return JobState.REFUSED if isinstance(error, UsageError) else JobState.FAILED


def _refused(row: int, reason: str) -> JobOutcome:
    job = ListedJob(source="", row=row)
    return JobOutcome(job=job, state=JobState.REFUSED, error=reason, error_type="UsageError")
