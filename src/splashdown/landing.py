"""Many sources, each landed in a folder of its own: lists of jobs, and what is watched.

For example::

    report = splashdown.landing.land_jobs("jobs.csv", "data", backends="https://openeo.example", auth="TOKEN")
    for outcome in report.failed:
        print(outcome.line)

Each job has an outcome in the report, whatever became of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from splashdown._landing.backends import Backends
from splashdown._landing.landing import HowToLand
from splashdown._landing.reading import read_list
from splashdown._landing.run import ListRun
from splashdown._landing.values import COMPLETE, JobList, JobOutcome, JobsReport, JobState, ListedJob, RefusedRow
from splashdown._landing.waiting import Clock

if TYPE_CHECKING:
    from splashdown.results import JobResults
    from splashdown.session import Session

__all__ = [
    "COMPLETE",
    "JobList",
    "JobOutcome",
    "JobState",
    "JobsReport",
    "ListedJob",
    "RefusedRow",
    "land_jobs",
    "read_jobs",
    "watch",
]


def read_jobs(jobs: object, *, session: Session | None = None) -> JobList:
    """The jobs of a list, with the folder of each; nothing else is requested.

    ``jobs`` is the path or URL of a list, ``"-"`` for standard input, or rows: strings, or mappings with the columns of
    the openEO client's job database. Raises :class:`~splashdown.errors.ResolveError` for what is not a list of jobs.
    """
    from splashdown.session import Session

    return read_list(jobs, session or Session())


def land_jobs(
    jobs: object,
    target: str | Path = ".",
    *,
    backends: object = None,
    auth: object = None,
    session: Session | None = None,
    wait: bool | float = False,
    interval: float = 60.0,
    partial: bool = False,
    as_collection: bool = False,
    opening: Mapping[str, Any] | None = None,
    choose: Callable[[JobResults], JobResults] | None = None,
    on_outcome: Callable[[JobOutcome], None] | None = None,
    notify: Callable[[str], None] | None = None,
    **options: Any,
) -> JobsReport:
    """Land every job of a list in a folder of its own below ``target``, and report on each; one failure stops no other.

    ``jobs`` is what :func:`read_jobs` takes, or what it returned. ``backends`` is the address of the back-end whose
    ids the list has, a handle of :func:`splashdown.connect`, a ``Connection`` of the openEO client, or these by the
    names in the column ``backend_name``. ``auth`` goes to these addresses alone, whatever URLs the list has; a mapping
    lists it by origin. ``wait=True`` asks for the status of unfinished jobs every ``interval`` seconds, and lands each
    as it finishes; a number is how many seconds at most. ``partial`` takes what unfinished jobs have so far. ``choose``
    narrows the results of each job. ``on_outcome`` is called with each outcome as it is known, ``notify`` with lines
    about the wait. ``opening`` are options of :func:`splashdown.open` for each job. Other options are those of
    :meth:`~splashdown.JobResults.download_files`, or with ``as_collection`` of
    :meth:`~splashdown.JobResults.download_collection`. A second call lands what is missing.

    Raises :class:`~splashdown.errors.ResolveError` when the list cannot be read, and ``OptionError`` or ``PluginError``
    for options that no job could be landed with.
    """
    from splashdown.session import Session

    session = session or Session()
    listed = read_list(jobs, session)
    how = HowToLand(
        session=session,
        target=str(target),
        choose=choose or (lambda results: results),
        action="download_collection" if as_collection else "download_files",
        options=options,
        opening=opening or {},
        of_jobs={"partial": True} if partial else {},
    )
    clock = Clock(interval=interval, timeout=None if wait is True else float(wait)) if wait is not False else None
    run = ListRun(
        listed,
        Backends(backends, auth, session, list_place=listed.place if listed.remote else ""),
        how,
        clock=clock,
        on_outcome=on_outcome or _nothing,
        notify=notify or _nothing,
    )
    return run.run()


def watch(
    source: object,
    target: str | Path = ".",
    *,
    auth: object = None,
    session: Session | None = None,
    once: bool = False,
    interval: float = 300.0,
    opening: Mapping[str, Any] | None = None,
    choose: Callable[[JobResults], JobResults] | None = None,
    on_outcome: Callable[[JobOutcome], None] | None = None,
    notify: Callable[[str], None] | None = None,
    **options: Any,
) -> None:
    """Land each job of a back-end as it finishes, or each item of a STAC source as it appears, until interrupted.

    ``source`` is the address of an openEO back-end, its handle, or what :func:`splashdown.open` takes: a search, with
    ``opening`` for its options (``{"collections": "sentinel-2-l2a", "bbox": (3, 51, 4, 52)}``). A job gets a folder of
    its own below ``target``; items are in the target as one download of the source leaves them. ``once`` looks one
    time, for a timer; else every ``interval`` seconds. ``on_outcome`` is called for each job or item that is new, or
    failed; a failure is tried again in later rounds. Receipts in the target say what is there, and nothing else is
    remembered. Other options are those of :meth:`~splashdown.JobResults.download_files`.

    Raises what opening the source raises the first time, and ``AuthError`` whenever credentials are refused.
    """
    from splashdown._landing.watching import WatchedItems, WatchedJobs, backend_at, watch_rounds
    from splashdown.backend import Backend
    from splashdown.session import Session

    session = session or Session()
    how = HowToLand(
        session=session,
        target=str(target),
        choose=choose or (lambda results: results),
        options=options,
        opening=opening or {},
    )
    backend = source if isinstance(source, Backend) else None if opening else backend_at(source, auth, session)
    watch_rounds(
        WatchedItems(source, auth, how) if backend is None else WatchedJobs(backend, how),
        Clock(interval=interval),
        once=once,
        on_outcome=on_outcome or _nothing,
        notify=notify or _nothing,
    )


def _nothing(_: object) -> None:
    """Nothing is to be called."""
