"""What runs on a worker: a check of its installation, and batches.

The session is made again of how it was made, and kept for the next batch. Sink, journal and notes are those of a run
of its own, so that a worker that is killed leaves what any killed run leaves.
"""

from __future__ import annotations

import logging
import os
import pickle
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from splashdown._engine.breaker import Breaker, Fault
from splashdown._engine.recipes import Workshop
from splashdown._engine.remote import Access, Remote
from splashdown._engine.renew import Refusals
from splashdown._engine.run import Run, run_plan
from splashdown._engine.settings import Settings
from splashdown._foreign.calls import Closing
from splashdown._receipts.worker_memory import WorkerMemory
from splashdown._version import __version__
from splashdown._workers.crossing import Outcomes, Returned, Slice
from splashdown._workers.news import Counting
from splashdown.errors import Interrupted, SplashdownError, error_text
from splashdown.events import Event, Retried
from splashdown.model import IfExists, Plan, StoredRecord
from splashdown.protocols import Listener, Sink, SupportsState
from splashdown.redact import safely_shown

_log = logging.getLogger("splashdown")
#: So many retries of a batch are reported.
_MOST_RETRIES = 100


class Plugins(Protocol):
    """The registry of a session, as far as it is asked here."""

    def provider(self, kind: str, wanted: str) -> tuple[str, str]:
        """Distribution and version of the plugin that answers."""


class Home(Access, Protocol):
    """The session."""

    @property
    def registry(self) -> Plugins:
        """Its plugins."""

    def sink(self, target: str, **options: Any) -> Sink:
        """A sink for a target."""


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Common:
    """What all batches of a run have in common. It is pickled once, and read once by each process."""

    access: Home
    remote: Remote
    target: str
    source: str
    settings: Settings
    sink_options: Mapping[str, Any]
    stopped: Callable[[], bool] | None  #: whether the run was stopped
    plugins: Mapping[tuple[str, str], tuple[str, str]]  #: what has to be there: kind and name, distribution and version
    version: str = __version__
    seen: str = ""  #: a file that this run has made in the target, where that is a folder


class Shared:
    """The same, as batches hold it."""

    def __init__(self, common: Common, data: bytes | None = None) -> None:
        self.common = common
        self.travelled = data is not None
        self._data = data

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the bytes, which are made once."""
        if self._data is None:
            self._data = pickle.dumps(_row(self.common), pickle.HIGHEST_PROTOCOL)
        return shared_again, (self._data,)


def _row(common: Common) -> dict[str, Any]:
    return {name: getattr(common, name) for name in Common.__dataclass_fields__}


@lru_cache(maxsize=4)
def shared_again(data: bytes) -> Shared:
    """What a process got, read once: its session keeps connections from batch to batch."""
    row = pickle.loads(data)  # noqa: S301 - of the process that submitted this one's work
    return Shared(Common(**row), data)


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Batch:
    """The work for one call."""

    shared: Shared
    slice: Slice
    lease: int  #: files at a time, for this batch
    limited: bool  #: whether the host has a limit that ranges of one file count for
    records: Mapping[str, StoredRecord]  #: what earlier runs have stored under its names
    retries: bool  #: whether anybody wants to know of retries


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Done:
    """What a batch returns."""

    outcomes: Returned | None
    worker: str
    fragment: str = ""  #: where the worker has noted what it stored
    faults: Sequence[Fault] = ()
    given_up: Mapping[str, str] = field(default_factory=dict)
    stopped: str = ""  #: why the target takes nothing more
    interrupted: bool = False
    refused: Mapping[str, bool] = field(default_factory=dict)  #: links of what files are made of, and if they expired
    retries: Sequence[tuple[str, int, float, str]] = ()
    pause: float = 0.0  #: seconds for which the host wants to be left alone
    served: int = 0  #: how many at a time the host serves, where it has refused more
    failure: tuple[str, str] | None = None  #: type and message of what kept the batch from running


def name_of_worker() -> str:
    """This process, for people."""
    return f"process {os.getpid()} on {socket.gethostname()}"


def greet(shared: Shared) -> str:
    """A line about something that this worker lacks; empty where it can work."""
    return _faults(shared)


def _faults(shared: Shared) -> str:
    if not shared.travelled:
        return ""  # a thread of the coordinator's process
    common, here = shared.common, name_of_worker()
    if common.version != __version__:
        return f"{here} has Splashdown {__version__}, and the coordinator {common.version}: install the same on both"
    for (kind, wanted), (distribution, version) in common.plugins.items():
        label = f"{distribution} {version}".strip() or "a plugin without a distribution"
        try:
            found = common.access.registry.provider(kind, wanted)
        except SplashdownError as error:
            return f"{here} lacks what {label} offers ({error})"
        if found != (distribution, version):
            return f"{here} has {' '.join(found)}, and the coordinator {label}: install the same version on both"
    try:
        with Closing(common.access.sink(common.target, **common.sink_options)) as sink:
            return _target_faults(common, sink, here)
    except (OSError, SplashdownError) as error:
        return f"{here} cannot use the target ({error_text(error)})"


def _target_faults(common: Common, sink: Sink, here: str) -> str:
    if not isinstance(sink, SupportsState):
        return ""
    folder = sink.state_dir
    if folder is None:
        return f"{common.target} keeps objects in one process, and {here} is another one"
    if common.seen and not (Path(folder) / common.seen).exists():
        return f"{here} does not see the folder of the coordinator at {common.target}: it has to be shared by all"
    return ""


def work(batch: Batch, say: Callable[[Any], None] | None = None) -> Done:
    """Move the files of a batch; ``say`` takes how far it is."""
    here = name_of_worker()
    try:
        if fault := _faults(batch.shared):
            return Done(outcomes=None, worker=here, failure=("PluginError", fault))
        return _moved(batch, here, say)
    except Exception as error:  # an exception of a plugin need not pickle
        return Done(outcomes=None, worker=here, failure=(type(error).__name__, str(error)))


def _moved(batch: Batch, here: str, say: Callable[[Any], None] | None) -> Done:
    common, transfers = batch.shared.common, batch.slice.transfers
    breaker, retries = _Recording(common.settings.give_up_after), list[tuple[str, int, float, str]]()
    base = leased(batch.shared, batch.lease, limited=batch.limited)
    refusals = Refusals()
    workshop = Workshop(base, common.access.registry, batch.slice.recipes, refusals)
    remote = workshop.reading()
    listeners = [_collector(retries)] if batch.retries else []
    interrupted = False
    with Closing(workshop), Closing(common.access.sink(common.target, **common.sink_options)) as sink:
        with WorkerMemory(sink, batch.records, common.stopped) as memory:
            run = Run(
                plan=Plan(target=common.target, transfers=transfers, source=common.source),
                sink=sink,
                memory=memory,
                breaker=breaker,
                listeners=listeners if say is None else [*listeners, Counting(say)],
            )
            try:
                outcomes = run_plan(run, remote).outcomes
            except Interrupted as stop:
                outcomes, interrupted = stop.report.outcomes, True
        fragment = memory.fragment
    pause, served = _said_by_host(remote)
    return Done(
        outcomes=Outcomes(outcomes, [transfer.name for transfer in transfers]),
        worker=here,
        fragment=fragment,
        faults=breaker.faults,
        given_up=breaker.given_up,
        stopped=breaker.stopped,
        interrupted=interrupted,
        refused=refusals.hrefs,
        retries=retries,
        pause=pause,
        served=served,
    )


def leased(shared: Shared, lease: int, *, limited: bool) -> Remote:
    """The remote side for one batch: its share of the host, and pauses of its own."""
    common = shared.common
    limit = (lambda _: lease) if limited else (lambda _: None)
    throttle = type(common.remote.throttle)(limit)
    return replace(
        common.remote,
        settings=replace(common.settings, per_host=lease),
        limit=limit,
        throttle=throttle,
        # The coordinator reads the source again for all, and hands the files out with fresh links.
        renewal=type(common.remote.renewal)() if shared.travelled else common.remote.renewal,
        made_of=None,
    )


def _said_by_host(remote: Remote) -> tuple[float, int]:
    throttle, now = remote.throttle, time.monotonic()
    pause = max((until - now for until in throttle.until.values()), default=0.0)
    served = [places.limit for places in throttle.known if places.limit is not None] if throttle.limited else []
    return max(0.0, pause), min(served, default=0)


def _collector(retries: list[tuple[str, int, float, str]]) -> Listener:
    def collect(event: Event) -> None:
        if isinstance(event, Retried) and len(retries) < _MOST_RETRIES:
            retries.append((event.transfer.name, event.attempt, event.delay, event.error))

    return collect


class _Recording(Breaker):
    """A breaker that keeps what it counted, for the coordinator to count over all batches."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.faults: list[Fault] = []

    def count(self, fault: Fault) -> None:
        """Count and keep."""
        self.faults.append(fault)
        super().count(fault)


def as_free_name(policy: IfExists) -> IfExists:
    """The policy of a transfer whose free name the coordinator has found: a second attempt may find its own file."""
    return IfExists.AUTO if policy is IfExists.RENAME else policy
