"""Hands out batches, takes back outcomes, and hands out again what a lost worker had.

Batches go out a few ahead of the workers, so that none waits; a batch may run twice without harm. What a batch costs
here is a pickle of its files and one of their outcomes.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError, Future, wait
from dataclasses import dataclass, field, replace
from typing import Any

from splashdown._engine.context import Context, SharedMemory
from splashdown._engine.recipes import Recipe, recipes_of
from splashdown._engine.retry import host_of
from splashdown._series.outcomes import OutcomeSlots, Rows
from splashdown._workers.crossing import Slice
from splashdown._workers.large_files import LargeFiles
from splashdown._workers.leases import Leases
from splashdown._workers.links import Links
from splashdown._workers.news import Heard
from splashdown._workers.units import Unit
from splashdown._workers.work import Batch, Done, Shared, as_free_name, work
from splashdown.columns import columns, take
from splashdown.errors import error_text
from splashdown.events import Progress, Retried, TransferFinished, TransferStarted
from splashdown.model import Outcome, Plan, Status, StoredRecord, Transfer
from splashdown.protocols import SupportsNews, SupportsWatch, Workers

#: The calling thread looks for outcomes, and shows others that the run is active, so often.
_TICK = 0.25
#: A batch that lost so many workers runs alone, so that the fault is known to be its own; then so many more are tried.
_BEFORE_ALONE, _ALONE = 3, 3
#: A run without a worker ends after so long.
_NO_WORKERS_SECONDS = 60.0
#: Links of one batch are renewed so often.
_RENEWALS = 3
#: How long running batches may take to end once the run is stopped.
_STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """A batch that is under way."""

    unit: Unit
    transfers: Sequence[Transfer]  #: with the names under which they are stored
    lease: int
    generation: int  #: of its links
    recipes: Mapping[str, Recipe] = field(repr=False)  #: links are in it


class HandingOut:
    """The batches of one run."""

    def __init__(
        self,
        context: Context,
        plan: Plan,
        workers: Workers,
        shared: Shared,
        outcomes: OutcomeSlots,
        names: dict[int, str],
        large: LargeFiles,
    ) -> None:
        self._context, self._plan, self._workers, self._shared = context, plan, workers, shared
        self._outcomes, self._names, self._large = outcomes, names, large
        self._heard = Heard(context.events)
        self._links = Links(context.remote, plan)
        self._leases = Leases(context.settings, context.remote.limit)
        self._queues: dict[str, deque[Unit]] = {}
        self._suspects: deque[Unit] = deque()  #: to run alone
        self._out: dict[Future[Done], _Sent] = {}
        self._peopled_at = time.monotonic()
        self._ending = False
        self._watch = workers.watch if isinstance(workers, SupportsWatch) else None

    def run(self, units: Sequence[Unit]) -> None:
        """Return when every file has its outcome, or the run has to stop."""
        for unit in units:
            self._queues.setdefault(unit.host, deque()).append(unit)
        self._large.start()
        try:
            self._hand_out()
            while self._out or self._waiting() or self._large.active:
                self._take_back(_TICK)
                self._take_large()
                self._heard.emit()
                self._context.memory.beat()
                self._check_outlet()
                if self._is_over():
                    self._end()
                    return
                self._hand_out()
        except BaseException:
            self._end()
            raise

    def _take_large(self) -> None:
        """The outcomes of large files, which have emitted their events."""
        context = self._context
        for number, outcome in self._large.ended():
            self._outcomes[number] = outcome
            context.deliver(outcome)
            if outcome.status is Status.STORED:
                context.breaker.landed(host_of(outcome.asset.href))
            elif outcome.status is Status.FAILED and context.settings.fail_fast:
                context.stop.set()

    def _check_outlet(self) -> None:
        if self._context.outlet is not None:
            self._context.outlet.check()

    def _waiting(self) -> bool:
        return bool(self._suspects) or any(self._queues.values())

    def _is_over(self) -> bool:
        context = self._context
        if self._workers.count:
            self._peopled_at = time.monotonic()
        elif time.monotonic() - self._peopled_at > _NO_WORKERS_SECONDS:
            context.breaker.stopped = f"there was no worker for {_NO_WORKERS_SECONDS:g} seconds"
        return context.stop.is_set() or bool(context.breaker.stopped)

    def _hand_out(self) -> None:
        """Have as many batches under way as keep the workers busy."""
        count = self._workers.count
        if self._suspects:
            if not self._out and not self._large.out and count:
                unit = self._suspects.popleft()
                self._send(unit, self._leases.take(unit.host, 1))
            return
        try:
            self._large.hand_out(self._workers, self._leases, count, 2 * count - len(self._out))
        except Exception as error:  # as in _send()
            self._lost([], error)
            return
        while count and len(self._out) + len(self._large.out) < 2 * count and (found := self._next(count)):
            if not self._send(*found):
                return

    def _next(self, count: int) -> tuple[Unit, int] | None:
        """Of the hosts that may serve one more batch, the one whose next file comes first in the plan."""
        now = time.monotonic()
        for host in sorted((h for h, queue in self._queues.items() if queue), key=self._first):
            if self._context.remote.throttle.until.get(host, 0.0) > now:
                continue
            if host in self._context.breaker.given_up:
                self._queues[host].clear()
            elif share := self._leases.take(host, count):
                return self._queues[host].popleft(), share
        return None

    def _first(self, host: str) -> int:
        return self._queues[host][0].numbers[0]

    def _send(self, unit: Unit, lease: int) -> bool:
        sent, batch = self._batch(unit, lease)
        try:
            self._out[self._submitted(batch, unit.numbers[0])] = sent
        except Exception as error:  # a library raises what it likes, above all when its workers are gone
            self._leases.give_back(unit.host, lease)
            self._lost([unit], error)
            return False
        return True

    def _submitted(self, batch: Batch, number: int) -> Future[Done]:
        workers = self._workers
        if isinstance(workers, SupportsNews) and self._context.events.active:
            return workers.submit_with_news(work, batch, self._heard.of(number))
        return workers.submit(work, batch)

    def _batch(self, unit: Unit, lease: int) -> tuple[_Sent, Batch]:
        context, renewal = self._context, self._context.remote.renewal
        transfers = take(self._plan.transfers, unit.numbers)
        if self._names:
            transfers = [*map(self._named, unit.numbers)]
        made = recipes_of(context.remote, columns(transfers, "asset.href"))
        plain = not made or any(href not in made for href in columns(transfers, "asset.href"))
        generation = self._links.before(unit.numbers, made, plain=plain)
        recipes = recipes_of(context.remote, made)  # with the links that are known now
        to_send = transfers
        if generation or self._names:
            to_send = [
                replace(one, asset=renewal.current(one.asset), if_exists=as_free_name(one.if_exists))
                for one in transfers
            ]
        recorded = context.memory.recorded
        records: dict[str, StoredRecord] = {}
        if recorded:
            records = {name: recorded[name] for name in columns(transfers, "name") if name in recorded}
        batch = Batch(
            shared=self._shared,
            slice=Slice(to_send, recipes),
            lease=lease,
            limited=context.remote.limit(unit.host) is not None,
            records=records,
            retries=context.events.active,
        )
        sent = _Sent(unit=unit, transfers=transfers, lease=lease, generation=generation, recipes=recipes)
        return sent, batch

    def _named(self, number: int) -> Transfer:
        transfer, name = self._plan.transfers[number], self._names.get(number)
        return transfer if name is None or name == transfer.name else replace(transfer, name=name)

    def _take_back(self, seconds: float) -> None:
        """Wait for batches, and settle those that have ended."""
        if not self._out and not self._large.out:
            time.sleep(min(seconds, 0.05))
            return
        if self._watch is not None:
            self._watch()
        running: list[Future[Any]] = [*self._out, *self._large.out]
        done, _ = wait(running, timeout=seconds, return_when="FIRST_COMPLETED")
        lost: list[Unit] = []
        cause: BaseException | None = None
        for future in done:
            error = CancelledError() if future.cancelled() else future.exception()
            gone = error is not None and (self._workers.is_lost(error) or isinstance(error, CancelledError))
            cause = error if gone else cause
            if future in self._large.out:
                self._large.take_back(future, self._leases, lost=gone)
                continue
            sent = self._out.pop(future)
            self._leases.give_back(sent.unit.host, sent.lease)
            with self._heard.naming(sent.unit.numbers[0]):
                if error is None:
                    self._settle(sent, future.result())
                elif gone:
                    lost.append(sent.unit)
                else:
                    self._try_again(sent.unit, type(error).__name__, error_text(error))
        if cause is not None:
            self._lost(lost, cause)

    def _lost(self, units: Sequence[Unit], error: BaseException) -> None:
        """A worker has gone: what it had goes out again, once there is one that can take it."""
        if self._ending:
            return
        if why := self._workers.revive():
            self._context.breaker.stopped = f"the workers are gone: {why}"
            return
        memory = self._context.memory
        if isinstance(memory, SharedMemory):
            memory.update(self._named(number).name for unit in units for number in unit.numbers)
        for unit in units:
            self._try_again(unit, "WorkerLostError", f"its worker ended before it did ({error_text(error)})")

    def _try_again(self, unit: Unit, error_type: str, error: str) -> None:
        unit.losses += 1
        if unit.losses < _BEFORE_ALONE:
            self._queues.setdefault(unit.host, deque()).appendleft(unit)
        elif unit.losses < _BEFORE_ALONE + _ALONE:
            self._suspects.append(unit)
        else:
            for number in unit.numbers:
                said = f"{error}, {unit.losses} times"
                transfer = self._named(number)
                self._put(number, Outcome(transfer=transfer, status=Status.FAILED, error_type=error_type, error=said))

    def _settle(self, sent: _Sent, done: Done) -> None:
        unit, context = sent.unit, self._context
        if done.failure is not None or done.outcomes is None:
            kind, text = done.failure or ("PluginError", "nothing came back")
            self._try_again(unit, kind, f"{done.worker}: {text}")
            return
        try:
            outcomes = done.outcomes.of(sent.transfers)
        except Exception as error:  # whatever another process has sent
            self._try_again(unit, type(error).__name__, f"{done.worker}: {error_text(error)}")
            return
        if done.fragment and isinstance(context.memory, SharedMemory):
            context.memory.adopt(done.fragment)
        again = set[int]()
        if unit.renewals < _RENEWALS:
            again = self._links.renewed(unit.numbers, sent.generation, done.faults, outcomes)
            again |= self._links.renewed_origins(unit.numbers, sent.recipes, done.refused, outcomes)
        # A signal that only the worker got ends its batch, not the run.
        unfinished = done.interrupted and not self._ending
        seen = context.events.active or context.outlet is not None
        statuses = [*columns(outcomes, "status")]
        rest = [n for n, status in zip(unit.numbers, statuses, strict=True) if status is Status.NOT_TRIED]
        left = again.union(rest if unfinished else ())
        if isinstance(outcomes, Rows) and not (seen or left or self._names):
            self._outcomes.put(unit.numbers, outcomes)
        else:
            for number, outcome in zip(unit.numbers, outcomes, strict=True):
                if number not in left:
                    self._put(number, outcome)
        if again:
            self._queue(replace(unit, numbers=sorted(again), renewals=unit.renewals + 1))
        elif unfinished and rest:
            self._queue(replace(unit, numbers=rest))
        self._tell(sent, done)
        if not again:
            self._judge(unit.host, done, statuses)
        self._learn(sent, done)

    def _queue(self, unit: Unit) -> None:
        self._queues.setdefault(unit.host, deque()).appendleft(unit)

    def _put(self, number: int, outcome: Outcome) -> None:
        self._outcomes[number] = outcome
        self._context.deliver(outcome)
        events = self._context.events
        if not events.active or outcome.status is Status.NOT_TRIED:
            return
        if outcome.status is Status.STORED and outcome.size:
            events.emit(TransferStarted(transfer=outcome.transfer, size=outcome.size))
            events.emit(Progress(transfer=outcome.transfer, done=outcome.size, size=outcome.size))
        events.emit(TransferFinished(outcome=outcome))

    def _tell(self, sent: _Sent, done: Done) -> None:
        """Emit the retries of a batch."""
        by_name = {one.name: one for one in sent.transfers} if done.retries else {}
        for name, attempt, delay, error in done.retries:
            if transfer := by_name.get(name):
                self._context.events.emit(Retried(transfer=transfer, attempt=attempt, delay=delay, error=error))

    def _judge(self, host: str, done: Done, statuses: Sequence[Status]) -> None:
        """Count failures over all batches; end the run, or a host's part of it, where the rest would fail."""
        context = self._context
        if Status.STORED in statuses:
            context.breaker.landed(host)
        for fault in done.faults:
            context.breaker.count(fault)
        for each, why in done.given_up.items():
            context.breaker.given_up.setdefault(each, why)
        context.breaker.stopped = context.breaker.stopped or done.stopped
        if context.settings.fail_fast and Status.FAILED in statuses:
            context.stop.set()

    def _learn(self, sent: _Sent, done: Done) -> None:
        """Let all workers leave a host alone that has asked one of them to."""
        if done.pause:
            self._context.remote.throttle.pause(sent.unit.host, done.pause)
        self._leases.refused(sent.unit.host, done.served, sent.lease)

    def _end(self) -> None:
        """Stop batches that run, and take what they have; cancel the others."""
        self._ending = True
        self._context.stop.set()
        self._workers.stop()
        self._large.stop()
        for number, outcome in self._large.ended():
            self._outcomes[number] = outcome
        for future in [*self._out]:
            if future.cancel():
                sent = self._out.pop(future)
                self._leases.give_back(sent.unit.host, sent.lease)
        until = time.monotonic() + _STOP_SECONDS
        while self._out and (left := until - time.monotonic()) > 0:
            self._take_back(min(left, _TICK))
