"""Runs a plan: what has to happen before the first file and after the last one.

The threads are in ``file_workers``; how one asset is moved is in ``transfer``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from splashdown._engine.breaker import Breaker
from splashdown._engine.bundles import expect, whole_or_nothing
from splashdown._engine.context import Abilities, Context, Forgetful, Memory
from splashdown._engine.dispatch import Dispatcher
from splashdown._engine.file_workers import FileWorkers
from splashdown._engine.journal import Journal, user_state_dir
from splashdown._engine.memory_budget import MemoryBudget
from splashdown._engine.outlet import parted
from splashdown._engine.pool import Pool
from splashdown._engine.preflight import check_space
from splashdown._engine.rate import RateLimit
from splashdown._engine.remote import Remote
from splashdown._foreign.calls import Named, Tolerated, wrong_type
from splashdown.columns import columns
from splashdown.errors import Abandoned, Interrupted, Terminated
from splashdown.events import RunFinished, RunInterrupted, RunStarted
from splashdown.model import IfExists, Outcome, Plan, RunReport, Upload
from splashdown.protocols import Listener, Sink, SupportsState
from splashdown.redact import safely_shown

#: What a report says of a run that something else than Ctrl-C has ended.
_ENDS: Mapping[type[KeyboardInterrupt], str] = {Terminated: "SIGTERM", Abandoned: "break"}


class Movers(Protocol):
    """Move the files of a plan, as :class:`FileWorkers` do."""

    def run(self) -> Sequence[Outcome]:
        """Move all files; their outcomes, in the plan's order."""

    def outcomes(self) -> Sequence[Outcome]:
        """The outcome of every file so far."""


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Run:
    """What to move and where to, who watches, and what earlier runs have left there.

    ``memory`` is what the target remembers, and notes there what this run stores. ``before_cleanup`` is called with the
    report before unfinished uploads are forgotten: receipts are written there.
    """

    plan: Plan
    sink: Sink
    memory: Memory = field(default_factory=Forgetful)
    listeners: Sequence[Listener] = ()
    before_cleanup: Callable[[RunReport], None] | None = None
    breaker: Breaker | None = None  #: one that the caller reads afterwards
    movers: Callable[[Context, Plan], Movers] | None = None  #: move files elsewhere than in this process
    workers: str = ""  #: where that is, for people


def run_plan(run: Run, remote: Remote) -> RunReport:
    """Move what the plan says and report what became of each asset; a failed asset does not raise.

    The sink and the transports stay open: they belong to the caller. Raises ``StoreError`` when the target has no room
    for what is known to come.
    """
    begun = time.perf_counter()
    plan, context = run.plan, _context(run, remote)
    events, journal = context.events, context.journal
    interrupted = False
    try:
        _abort(context, journal.surplus())  # first: what it removes may make the room that the next line looks for
        check_space(context, plan)
        if (bundle := context.can.bundle) is not None:
            expect(bundle, plan)
        events.emit(RunStarted(plan=plan, workers=run.workers))
        workers = (run.movers or FileWorkers)(context, plan)
        try:
            outcomes = workers.run()
        except KeyboardInterrupt as signal:
            name = _ENDS.get(type(signal), "SIGINT")
            report = RunReport(
                plan=plan, outcomes=workers.outcomes(), seconds=time.perf_counter() - begun, interrupted=name
            )
            report = whole_or_nothing(report) if bundle is not None else report
            if run.before_cleanup is not None:
                run.before_cleanup(report)
            raise Interrupted(report) from signal
        seconds = time.perf_counter() - begun
        report = RunReport(plan=plan, outcomes=outcomes, seconds=seconds, stopped=context.breaker.reason)
        report = whole_or_nothing(report) if bundle is not None else report
        _abort(context, journal.leftovers(outcome.transfer.name for outcome in report.landed))
        if run.before_cleanup is not None:
            run.before_cleanup(report)
        if bundle is not None and report.ok:
            bundle.finish()
        events.emit(RunFinished(report=report))
    except BaseException as error:
        interrupted = not isinstance(error, Exception)
        events.emit(RunInterrupted(plan=plan))
        raise
    finally:
        context.pool.close()
        journal.close()
        events.close(interrupted=interrupted)
    return report


def _context(run: Run, remote: Remote) -> Context:
    settings, plan, sink = remote.settings, run.plan, run.sink
    with Named(f"the sink {type(sink).__qualname__}"):
        can = Abilities.of(sink)
        # Elsewhere there are journals of their own, which take over what earlier runs have left.
        state_dir = None if run.movers else state_dir_of(sink, plan.target)
    journal = Journal(state_dir, keep=settings.resume)
    outlet, listeners = parted(run.listeners)
    return Context(
        sink=sink,
        can=can,
        remote=remote,
        settings=settings,
        events=Dispatcher(listeners),
        journal=journal,
        # The thread of a file is its first connection.
        pool=Pool(settings.range_connections - 1, "splashdown-part"),
        memory_budget=MemoryBudget(settings.memory),
        memory=run.memory,
        breaker=run.breaker or Breaker(settings.give_up_after),
        outlet=outlet,
        rate=RateLimit(settings.limit_rate) if settings.limit_rate else None,
        source=plan.source,
        files=len(plan.transfers),
        names=_names(plan),
    )


def state_dir_of(sink: Sink, target: str) -> Path | None:
    """The folder for what an unfinished run has to remember: the sink's own, else the user's."""
    if not isinstance(sink, SupportsState):
        return user_state_dir(target)
    folder: object = sink.state_dir
    if folder is not None and not isinstance(folder, Path):
        raise wrong_type(folder, Path | None, f"{type(sink).__qualname__}.state_dir")
    return folder


def _names(plan: Plan) -> frozenset[str]:
    """All names of a plan in which something may be renamed; a large set that no other plan needs."""
    if IfExists.RENAME not in columns(plan.transfers, "if_exists"):
        return frozenset()
    return frozenset(columns(plan.transfers, "name"))


def _abort(context: Context, uploads: Sequence[Upload]) -> None:
    """Remove from the sink what earlier runs have begun and no run will finish."""
    for upload in uploads:
        with Tolerated():  # a failure leaves it for the store's own housekeeping
            context.sink.abort(upload)
