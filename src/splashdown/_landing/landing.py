"""Lands the results of one source in its folder, and says how that ended in one value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from splashdown._landing.values import JobOutcome, JobState, ListedJob
from splashdown.actions import ActionOutcome
from splashdown.columns import columns
from splashdown.errors import (
    DownloadError,
    Interrupted,
    JobNotFinished,
    OptionError,
    PluginError,
    SplashdownError,
    Terminated,
    error_text,
)
from splashdown.model import RunReport, Status
from splashdown.redact import safely_shown
from splashdown.sources import is_job_url

if TYPE_CHECKING:
    from splashdown.results import JobResults
    from splashdown.session import Session


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True)
class HowToLand:
    """What is done with the results of each source.

    ``choose`` narrows them, ``action`` is the plugin's action that saves them, with ``options``; ``opening`` are
    options of opening, ``of_jobs`` those that only jobs have.
    """

    session: Session
    target: str
    choose: Callable[[JobResults], JobResults] = lambda results: results
    action: str = "download_files"
    options: Mapping[str, Any] = field(default_factory=dict)
    opening: Mapping[str, Any] = field(default_factory=dict)
    of_jobs: Mapping[str, Any] = field(default_factory=dict)

    def place(self, job: ListedJob) -> str:
        """The folder of a job."""
        return f"{self.target.rstrip('/') or self.target}/{job.folder}"


def land(job: ListedJob, source: object, auth: object, how: HowToLand) -> JobOutcome:
    """Open a source and save its results. What fails is an outcome; options that nothing accepts are raised."""
    try:
        given = {**how.opening, **(how.of_jobs if _is_job(source) else {})}
        results = how.choose(how.session.open(source, auth=auth, notify=_say_nothing, **given))
        done = how.session.run(how.action, results, target=how.place(job), **how.options)
    except Interrupted as error:
        if error.report.interrupted == "SIGTERM":
            raise Terminated from error
        raise
    except DownloadError as error:
        return _of_report(job, error.report, error)
    except JobNotFinished as error:
        return failed(job, error, state=JobState.UNFINISHED, status=error.job_status)
    except (OptionError, PluginError):
        raise
    except Exception as error:  # of a plugin or a client: one job must not end the others
        return failed(job, error)
    report = done.report if isinstance(done, ActionOutcome) else None
    return JobOutcome(job=job, state=JobState.LANDED) if report is None else _of_report(job, report)


def failed(job: ListedJob, error: Exception, *, state: JobState = JobState.FAILED, status: str = "") -> JobOutcome:
    """The outcome of a job that ended with an error."""
    text = " ".join(str(error).split()) if isinstance(error, SplashdownError) else error_text(error)
    return JobOutcome(job=job, state=state, status=status, error=text, error_type=type(error).__name__)


def _of_report(job: ListedJob, report: RunReport, error: DownloadError | None = None) -> JobOutcome:
    stored = Status.STORED in set(columns(report.outcomes, "status"))
    state = JobState.FAILED if error is not None else JobState.LANDED if stored else JobState.PRESENT
    return JobOutcome(
        job=job,
        state=state,
        files=len(report.landed),
        bytes_moved=report.bytes_moved,
        error=" ".join(str(error).split()) if error is not None else "",
        error_type=type(error).__name__ if error is not None else "",
    )


def _is_job(source: object) -> bool:
    return not isinstance(source, str) or is_job_url(source)


def _say_nothing(_: str) -> None:
    """The line of a job says how it ended; what happens on the way is in the log."""
