"""Lands the results of one source in its folder, and says how that ended in one value."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
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
from splashdown.model import Asset, RunReport, Status
from splashdown.redact import safely_shown, without_signature
from splashdown.sources import is_job_url

if TYPE_CHECKING:
    from splashdown.results import JobResults
    from splashdown.session import Session


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class HowToLand:
    """How the results of each source are saved.

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


def open_source(source: object, auth: object, how: HowToLand) -> JobResults:
    """The results of a source."""
    given = {**how.opening, **(how.of_jobs if _is_job(source) else {})}
    return how.session.open(source, auth=auth, notify=_say_nothing, **given)


def land(job: ListedJob, opened: Callable[[], JobResults], how: HowToLand) -> JobOutcome:
    """Save the results of a source, however they are opened.

    A failure is an outcome; options that nothing accepts are raised.
    """
    try:
        done = _saved(how.choose(opened()), how.place(job), how)
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


def _saved(results: JobResults, target: str, how: HowToLand) -> object:
    """What the action returned. A signal ends all, and not only this run: with the exit code of the signal."""
    try:
        return how.session.run(how.action, results, target=target, **how.options)
    except Interrupted as error:
        if error.report.interrupted == "SIGTERM":
            raise Terminated from error
        raise


def of_items(source: object, auth: object, how: HowToLand, known: set[bytes]) -> Iterator[JobOutcome]:
    """Open a source, save what is new in the target itself, and yield an outcome for each item that has news.

    ``known`` has marks of the assets that landed before, and gets those of others. Raises what opening raises.
    """
    from splashdown.results import JobResults

    results = how.choose(open_source(source, auth, how))
    new = [asset for asset in results.assets if _mark(asset) not in known]
    if not new:
        return
    results = JobResults(how.session, results.result_set, assets=new, skipped=results.skipped)
    try:
        done = _saved(results, how.target, how)
    except DownloadError as error:
        yield from _by_item(error.report, known)
        if not error.report.failed:  # linked documents, the receipt, or a host that was given up
            yield failed(ListedJob(source=str(source)), error)
        return
    if isinstance(done, ActionOutcome) and done.report is not None:
        yield from _by_item(done.report, known)


def _mark(asset: Asset) -> bytes:
    """A digest that stays the same as long as the metadata say the same of an asset."""
    updated = asset.metadata.get("updated") or asset.properties.get("updated")
    said = repr((asset.identity, without_signature(asset.href), asset.size, asset.checksum, updated))
    return hashlib.blake2b(said.encode(errors="backslashreplace"), digest_size=16).digest()


def _by_item(report: RunReport, known: set[bytes]) -> Iterator[JobOutcome]:
    known.update(map(_mark, columns(report.landed, "asset")))
    names = ("asset.item", "status", "bytes_moved", "error", "error_type")
    found: dict[str, JobOutcome] = {}
    for item, status, moved, error, error_type in columns(report.outcomes, *names):
        if status not in {Status.STORED, Status.FAILED}:
            continue
        before = found.get(item or "", JobOutcome(job=ListedJob(source=item or "assets"), state=JobState.LANDED))
        found[item or ""] = replace(
            before,
            state=JobState.FAILED if status is Status.FAILED else before.state,
            files=before.files + (status is Status.STORED),
            bytes_moved=before.bytes_moved + moved,
            error=before.error or error,
            error_type=before.error_type or error_type,
        )
    yield from found.values()


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
