"""Runs a plan: threads over files, outcomes in the plan's order. One asset's story is in ``transfer``."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from splashdown._engine.context import Abilities, Context
from splashdown._engine.dispatch import Dispatcher
from splashdown._engine.journal import Journal, user_state_dir
from splashdown._engine.memory_budget import MemoryBudget
from splashdown._engine.owner import HEARTBEAT_SECONDS
from splashdown._engine.pool import Pool
from splashdown._engine.preflight import check_space
from splashdown._engine.remote import Remote
from splashdown._engine.retry import host_of
from splashdown._engine.schedule import Schedule
from splashdown._engine.transfer import move
from splashdown._series.outcomes import slots_for
from splashdown.columns import columns
from splashdown.errors import error_text
from splashdown.events import RunFinished, RunInterrupted, RunStarted
from splashdown.model import IfExists, Outcome, Plan, RunReport, Status, StoredRecord, Upload
from splashdown.protocols import Listener, Sink, SupportsState

#: How long the main thread waits at a time: on some systems a signal is seen only between two waits.
_TICK = 0.25
#: How long transfers may take to wind up after Ctrl-C.
_GRACE = 0.6
#: How long removing what nobody can go on with may take then: a folder's is done at once, a store bills what is left.
_DROP_GRACE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What to move and where to, who watches, and what earlier runs have left there."""

    plan: Plan
    sink: Sink
    recorded: Mapping[str, StoredRecord] = field(default_factory=dict)  #: what the receipt of an earlier run says
    listeners: Sequence[Listener] = ()
    #: Called with the report before the engine forgets what it has stored. Receipts are written here, so that no crash
    #: comes between the two.
    before_cleanup: Callable[[RunReport], None] | None = None
    state: Path | None = None  #: folder for what an unfinished run has to remember; else the sink's own, or the user's


def run_plan(run: Run, remote: Remote) -> RunReport:
    """Move what the plan says and report what became of each asset; a failed asset does not raise.

    The sink and the transports stay open: they belong to the caller. Raises ``StoreError`` when the target has no room
    for what is known to come.
    """
    begun = time.perf_counter()
    plan, context = run.plan, _context(run, remote)
    events, journal = context.events, context.journal
    finished, hurry = None, False
    try:
        _abort(context, journal.surplus())
        check_space(context, plan)
        events.emit(RunStarted(plan=plan))
        report = RunReport(plan=plan, outcomes=_Files(context, plan).run(), seconds=time.perf_counter() - begun)
        _abort(context, journal.leftovers(outcome.transfer.name for outcome in report.landed))
        if run.before_cleanup is not None:
            run.before_cleanup(report)
        if report.ok or run.before_cleanup is not None or not context.settings.resume:
            finished = (outcome.transfer.name for outcome in report.landed)
        events.emit(RunFinished(report=report))
    except BaseException as error:
        hurry = not isinstance(error, Exception)  # somebody waits for the prompt
        events.emit(RunInterrupted(plan=plan))
        raise
    finally:
        context.pool.close()
        journal.close(finished)
        events.close(hurry=hurry)
    return report


def _context(run: Run, remote: Remote) -> Context:
    settings, plan, sink = remote.settings, run.plan, run.sink
    journal = Journal(_state_dir(run), keep=settings.resume)
    return Context(
        sink=sink,
        can=Abilities.of(sink),
        remote=remote,
        settings=settings,
        events=Dispatcher(run.listeners),
        journal=journal,
        pool=Pool(settings.range_connections - 1, "splashdown-lane"),
        memory_budget=MemoryBudget(settings.memory),
        recorded={**run.recorded, **journal.stored},
        source=plan.source,
        names=_names(plan),
    )


def _state_dir(run: Run) -> Path | None:
    if run.state is not None:
        return run.state
    return run.sink.state_dir if isinstance(run.sink, SupportsState) else user_state_dir(run.plan.target)


def _names(plan: Plan) -> frozenset[str]:
    """All names of a plan in which something may be renamed; a large set that no other plan needs."""
    if IfExists.RENAME not in columns(plan.transfers, "if_exists"):
        return frozenset()
    return frozenset(columns(plan.transfers, "name"))


def _abort(context: Context, uploads: Sequence[Upload]) -> None:
    """Remove from the sink what earlier runs have begun and nobody will end."""
    for upload in uploads:
        with suppress(Exception):  # a failure leaves it for the store's own housekeeping
            context.sink.abort(upload)


class _Files:
    """The threads of one run, one file at a time each."""

    def __init__(self, context: Context, plan: Plan) -> None:
        self._context, self._plan = context, plan
        settings = context.settings
        hosts = [host_of(href) for href in columns(plan.transfers, "asset.href")]
        self._schedule = Schedule(hosts, settings.per_host or settings.jobs)
        self._outcomes = slots_for(plan.transfers, lambda number: _not_tried(plan, number))
        self._left = min(settings.jobs, self._schedule.width)
        self._ended = threading.Event()
        self._lock = threading.Lock()

    def run(self) -> Sequence[Outcome]:
        if self._left:
            pool = Pool(self._left, "splashdown-file")
            for _ in range(self._left):
                pool.submit(self._work)
            pool.close()
            self._wait()
        return self._outcomes.outcomes()

    def _wait(self) -> None:
        beat = time.monotonic()
        try:
            while not self._ended.wait(_TICK):
                if time.monotonic() - beat > HEARTBEAT_SECONDS:
                    beat = time.monotonic()
                    self._context.journal.touch()
        except BaseException:
            self._context.stop.set()
            self._schedule.stop()
            self._ended.wait(_GRACE)
            self._drop_active()
            raise

    def _work(self) -> None:
        try:
            while (taken := self._schedule.take()) is not None:
                number, host = taken
                self._outcomes[number] = outcome = self._moved(number)
                self._schedule.give_back(host)
                if outcome.status is Status.FAILED and self._context.settings.fail_fast:
                    self._context.stop.set()
                    self._schedule.stop()
        finally:
            with self._lock:
                self._left -= 1
                if not self._left:
                    self._ended.set()

    def _moved(self, number: int) -> Outcome:
        transfer = self._plan.transfers[number]
        try:
            return move(self._context, transfer)
        except BaseException as error:  # a thread that dies silently would lose its outcome
            return Outcome(
                transfer=transfer, status=Status.FAILED, error_type=type(error).__name__, error=error_text(error)
            )

    def _drop_active(self) -> None:
        """What blocked transfers have begun and nobody can resume goes, on a thread of its own: it may be slow too."""

        def drop() -> None:
            for number, upload in self._context.journal.loose:
                self._context.sink.abort(upload)
                self._context.journal.end(number)

        dropper = threading.Thread(target=drop, name="splashdown-abort", daemon=True)
        dropper.start()
        dropper.join(_DROP_GRACE)


def _not_tried(plan: Plan, number: int) -> Outcome:
    return Outcome(
        transfer=plan.transfers[number],
        status=Status.FAILED,
        error_type="StoppedError",
        error="not tried: the run stopped at an earlier failure",
    )
