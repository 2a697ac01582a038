"""The client's job manager, with results that land through Splashdown: in any target, in parallel, verified.

The target is laid out as by :func:`splashdown.landing.land_jobs`, so that either continues what the other began.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openeo.extra.job_management import MultiBackendJobManager, get_job_db

import splashdown
from splashdown.errors import SplashdownError
from splashdown.landing import COMPLETE, JobList, JobOutcome, JobsReport, JobState, land_jobs, read_jobs

if TYPE_CHECKING:
    import pandas as pd
    from openeo.extra.job_management import JobDatabaseInterface
    from openeo.rest.job import BatchJob

_log = logging.getLogger(__name__)


class LandingJobManager(MultiBackendJobManager):
    """Lands the results of each job that finishes, in a folder of its own below ``target``; errors keep their logs.

    ``target`` is a folder or a URL, as for downloads. ``session`` holds plugins and settings, ``choose`` narrows the
    results of each job; other ``options`` are those of :meth:`splashdown.JobResults.download_files`. ``poll_sleep``,
    ``root_dir`` (for the logs of failed jobs) and ``cancel_running_job_after`` are those of the client.

    ``outcomes`` has what became of each job that finished, by its id. A job that could not be landed does not end the
    run: it is tried once more when the run ends, and by the next run with the same job database.
    """

    def __init__(
        self,
        target: str | Path,
        *,
        poll_sleep: int = 60,
        root_dir: str | Path | None = ".",
        cancel_running_job_after: int | None = None,
        session: splashdown.Session | None = None,
        choose: Callable[[splashdown.JobResults], splashdown.JobResults] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            poll_sleep=poll_sleep,
            root_dir=root_dir,
            download_results=False,
            cancel_running_job_after=cancel_running_job_after,
        )
        self.target = str(target)
        self.outcomes: dict[str, JobOutcome] = {}
        self._session = session or splashdown.Session()
        self._options = {"choose": choose, "progress": False, **options}
        self._seen: dict[tuple[str, str], Mapping[str, str]] = {}

    @property
    def missing(self) -> dict[str, JobOutcome]:
        """The outcomes of finished jobs whose files are not all in the target."""
        return {job_id: one for job_id, one in self.outcomes.items() if one.state not in COMPLETE}

    def run_jobs(
        self,
        df: pd.DataFrame | None = None,
        start_job: Callable[..., Any] | None = None,
        job_db: str | Path | JobDatabaseInterface | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Run jobs as the client does. At the end, land finished jobs of the database that are not landed yet.

        These are the ones that failed to land, and those of a run that ended before it had landed them.
        """
        database = get_job_db(path=job_db) if isinstance(job_db, str | Path) else job_db
        # The client's own default says that a callable is needed, once there is a job to start.
        given = {} if start_job is None else {"start_job": start_job}
        stats: dict[str, Any] = super().run_jobs(df=df, job_db=database, **given, **kwargs)
        if database is not None:
            self.land_finished(database)
        return stats

    def land_finished(self, job_db: JobDatabaseInterface) -> JobsReport:
        """Land the finished jobs of a database that this manager has not landed; complete files are kept."""
        finished = job_db.get_by_status(statuses=["finished"]).to_dict("records")
        rows = [row for row in finished if str(row.get("id")) not in self.outcomes or str(row["id"]) in self.missing]
        if not rows:
            return JobsReport(target=self.target, outcomes=())
        return self._land(self._listed(finished, {(str(row["id"]), str(row["backend_name"])) for row in rows}))

    def on_job_done(self, job: BatchJob, row: pd.Series[Any]) -> None:
        """Land the results; what goes wrong is in ``outcomes``, and does not end the other jobs."""
        key = (job.job_id, str(row["backend_name"]))
        self._seen[key] = {"id": key[0], "backend_name": key[1]}
        self._land(self._listed(self._seen.values(), {key}))

    def _listed(self, rows: Iterable[Mapping[Any, Any]], chosen: set[tuple[str, str]]) -> JobList:
        """A part of a list of jobs, with the folders of the whole list."""
        listed = read_jobs(rows, session=self._session)
        part = tuple(job for job in listed.jobs if (job.source, job.backend) in chosen)
        return replace(listed, jobs=part)

    def _land(self, jobs: JobList) -> JobsReport:
        try:
            return land_jobs(
                jobs,
                self.target,
                backends=self._connections_by_name(jobs),
                session=self._session,
                on_outcome=self._keep,
                **self._options,
            )
        except (
            SplashdownError
        ) as error:  # options that nothing accepts: the jobs go on, their results stay where they are
            for job in jobs.jobs:
                text = str(error)
                self._keep(JobOutcome(job=job, state=JobState.FAILED, error=text, error_type=type(error).__name__))
            return JobsReport(target=self.target, outcomes=tuple(self.outcomes[job.source] for job in jobs.jobs))

    def _connections_by_name(self, jobs: JobList) -> Mapping[str, object]:
        names = {job.backend for job in jobs.jobs}
        return {name: self._get_connection(name) for name in names if name in self.backends}

    def _keep(self, outcome: JobOutcome) -> None:
        if outcome.job.source:
            self.outcomes[outcome.job.source] = outcome
        level = logging.INFO if outcome.state in COMPLETE else logging.WARNING
        _log.log(level, "%s", outcome.line)
