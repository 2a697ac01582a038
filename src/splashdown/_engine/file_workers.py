"""The threads of one run: each moves one file at a time, and every file gets its outcome."""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from splashdown._engine.context import Context
from splashdown._engine.outlet import Outlet
from splashdown._engine.pace import MOST, START
from splashdown._engine.pacing import SMALL_BYTES, Pacing
from splashdown._engine.pool import Pool
from splashdown._engine.retry import hosts_of
from splashdown._engine.same_url import can_share, groups
from splashdown._engine.schedule import Schedule
from splashdown._engine.settled import settled
from splashdown._engine.small import Step, StraightLine
from splashdown._engine.transfer import move
from splashdown._folders.owner import HEARTBEAT_SECONDS
from splashdown._series.outcomes import slots_for
from splashdown.columns import columns
from splashdown.errors import error_text
from splashdown.model import Outcome, Plan, Status, Transfer

#: How long the calling thread waits before it shows others that the run is active.
_TICK = 0.25
#: How long transfers may take to stop after Ctrl-C.
_STOP_SECONDS = 0.6
#: How long it may take then to remove uploads that no run can continue: a folder does it at once, a store has to be
#: asked, but bills what is left there.
_ABORT_SECONDS = 5.0


class FileWorkers:
    """Up to ``jobs`` threads, or as many as help; no more than the hosts may serve at a time."""

    def __init__(self, context: Context, plan: Plan) -> None:
        self._context, self._plan = context, plan
        self._outcomes = slots_for(plan.transfers, lambda number: not_tried(plan, number))
        self._schedule = Schedule((), {})
        self._pacing = Pacing(context=context, hosts=())
        self._most = context.settings.jobs or MOST
        self._pool = Pool(self._most + 1, "splashdown-file")  # one more than files under way where one gathers them
        self._begun = self._running = 0
        straight = StraightLine.of(context)
        self._step: Step | None = straight.move if straight is not None else None
        # Files share notes where a note is a request; a loop that takes each outcome is not to wait for a batch.
        shares = context.memory.notes_are_dear and context.outlet is None
        self._together = straight if shares else None
        self._outlet = context.outlet
        self._gathering = straight if can_gather(context) else None
        #: Transfers of one URL by the number of the first: they are moved in a row, and the first moves the bytes.
        self._shared: dict[int, list[int]] = {}
        self._there: dict[int, Outcome] = {}  #: outcomes of those whose file was there before, by the same number
        self._ended = threading.Event()
        self._lock = threading.Lock()

    def run(self) -> Sequence[Outcome]:
        """Move all files of the plan; their outcomes, in the plan's order."""
        hosts = self._hosts()
        self._pacing = Pacing(context=self._context, hosts={host for host in hosts if host is not None})
        self._schedule = Schedule(hosts, self._pacing.limits)
        del hosts  # a place for each transfer, which the threads do without
        self._start_threads()
        if self._begun:
            try:
                self._wait()
            finally:
                self._pool.close()
        if self._outlet is not None and self._outlet.closed and Status.NOT_TRIED in columns(self.outcomes(), "status"):
            self._outlet.check()
        return self.outcomes()

    def outcomes(self) -> Sequence[Outcome]:
        """The outcome of every file so far."""
        return self._outcomes.outcomes()

    def _hosts(self) -> list[str | None]:
        """The host of each transfer that a thread has to take."""
        left = self._settle(groups(self._plan.transfers))
        every = hosts_of(columns(self._plan.transfers, "asset.href"))
        return [host if open_ else None for host, open_ in zip(every, left, strict=True)]

    def _settle(self, same: Sequence[list[int]]) -> bytearray:
        """Settle what needs no thread; for each transfer whether a thread has to take it."""
        left = bytearray(b"\1") * len(self._plan.transfers)
        group_of = {number: group for group in same for number in group}
        there: dict[int, Outcome] = {}
        for number, outcome in settled(self._context, self._plan):
            self._outcomes[number], left[number] = outcome, 0
            self._context.deliver(outcome)
            if self._outlet is not None:
                self._outlet.check()
            if number in group_of and can_share(outcome):
                there[group_of[number][0]] = outcome
        for group in same:
            first, *others = [number for number in group if left[number]] or [-1]
            if others or group[0] in there:
                self._shared[first] = [first, *others]
                if group[0] in there:
                    self._there[first] = there[group[0]]
            for number in others:
                left[number] = 0
        return left

    def _start_threads(self) -> None:
        """Have a thread for each file that may be under way; those without one wait for the next file that may."""
        wanted = min(self._most, self._schedule.width)
        work: Callable[[], None] = self._work
        with self._lock:
            if self._gathering is not None:
                wanted, work = min(wanted, 1), self._gather
            # The last thread ends when no file is left to begin.
            more = 0 if self._begun and not self._running else max(0, wanted - self._running)
            self._begun += more
            self._running += more
        for _ in range(more):
            self._pool.submit(work)

    def _wait(self) -> None:
        beat = touched = time.monotonic()
        tick = self._pacing.look(self._schedule, gathered=self._gathering is not None)
        try:
            while not self._ended.wait(tick):
                if self._outlet is not None:
                    self._outlet.check()
                tick = self._pacing.look(self._schedule, gathered=self._gathering is not None)
                self._start_threads()
                now = time.monotonic()
                if now - beat >= _TICK:
                    beat = now
                    self._context.memory.beat()
                if now - touched > HEARTBEAT_SECONDS:
                    touched = now
                    self._context.journal.touch()
        except BaseException:
            self._context.stop.set()
            self._schedule.stop()
            self._ended.wait(_STOP_SECONDS)
            self._abort_unresumable()
            raise

    def _gather(self) -> None:
        """Move small files in this thread, and others in threads of their own; then go on as any thread."""
        from splashdown._engine.gathered import Gathered  # late: not on every system

        taken, straight = None, self._gathering
        assert straight is not None
        try:
            files = Gathered(
                straight,
                self._schedule,
                self._plan.transfers,
                shared=self._shared,
                stop=self._context.stop,
                ended=self._note,
                apart=self._begin_apart,
            )
            taken = files.run(self._schedule.take())
        finally:
            self._gathering = None
            self._work(taken)

    def _begin_apart(self, number: int, host: str, step: Step, *, known: bool) -> None:
        with self._lock:
            self._running += 1
        self._pool.submit(lambda: self._move_apart(number, host, step, known=known))

    def _move_apart(self, number: int, host: str, step: Step, *, known: bool) -> None:
        try:
            if number in self._shared:
                outcome = self._move_shared(number, host)
            else:
                outcome = self._outcome_of(self._plan.transfers[number], step)
                self._note(number, host, outcome)
            # A large file says how fast a host is, whether its connection is new or not.
            counts = (known or outcome.bytes_moved > SMALL_BYTES) and not outcome.error_type
            self._schedule.end(host, outcome.seconds if counts else None, outcome.bytes_moved)
        finally:
            self._end_thread()

    def _note(self, number: int, host: str, outcome: Outcome) -> None:
        self._outcomes[number] = outcome
        if self._context.breaker.counting or outcome.status is Status.FAILED:
            self._judge(outcome, host)

    def _end_thread(self) -> None:
        with self._lock:
            self._running -= 1
            if not self._running:
                self._ended.set()

    def _work(self, taken: tuple[int, str] | None = None) -> None:
        schedule, shared, known = self._schedule, self._shared, False
        try:
            taken = taken or schedule.take()
            while taken is not None:
                number, host = taken
                if number in shared:
                    outcome = self._move_shared(number, host)
                elif self._together is not None:
                    known, taken = True, self._move_together(number, host, self._together, known=known)
                    continue
                else:
                    outcome = self._outcome_of(self._plan.transfers[number], self._step)
                    self._note(number, host, outcome)
                    if self._outlet is not None:
                        self._hand_on(outcome, self._outlet)
                # How fast a host is shows in what came of it, and not with the first file, whose connection is new.
                counts = known and not outcome.error_type and (outcome.attempts or outcome.status is Status.STORED)
                known = True
                taken = schedule.exchange(host, outcome.seconds if counts else None, outcome.bytes_moved)
        finally:
            self._end_thread()

    def _judge(self, outcome: Outcome, host: str) -> None:
        """Note a file that landed; after a failure end the run, or one host's part of it, where the rest would fail."""
        context = self._context
        if outcome.status is Status.STORED:
            context.breaker.landed(host)
        elif outcome.status is not Status.FAILED:
            return
        elif context.settings.fail_fast or context.breaker.stopped:
            context.stop.set()
            self._schedule.stop()
        elif host in context.breaker.given_up:
            self._schedule.drop(host)

    def _hand_on(self, outcome: Outcome, outlet: Outlet) -> None:
        """Give an outcome to the loop that waits for it, and begin no other file once that was left."""
        if outcome.status is not Status.NOT_TRIED:
            outlet.put(outcome)
        if outlet.closed:
            self._context.stop.set()
            self._schedule.stop()

    def _move_shared(self, number: int, host: str) -> Outcome:
        """Move the transfers of one URL: the first by its bytes, or the next one where that fails. The last outcome."""
        first = self._there.get(number)
        for each in self._shared[number]:
            self._outcomes[each] = outcome = self._outcome_of(self._plan.transfers[each], self._step, first)
            self._judge(outcome, host)
            if self._outlet is not None:
                self._hand_on(outcome, self._outlet)
            if self._context.stop.is_set():
                break  # the outcomes of the others say that they were not tried
            if first is None and can_share(outcome):
                first = outcome
        return outcome

    def _move_together(self, number: int, host: str, straight: StraightLine, *, known: bool) -> tuple[int, str] | None:
        """Move a transfer, and others of its host that share its note; the next one."""
        from splashdown._engine.batches import read_together  # late: a folder has no such notes

        begun, transfers = time.perf_counter(), self._plan.transfers

        def numbers() -> Iterator[tuple[int, Transfer]]:
            one: int | None = number
            while one is not None:
                yield one, transfers[one]
                one = self._schedule.more(host, self._shared)

        files, moved = 0, 0
        for each, transfer, step in read_together(self._context, straight, numbers()):
            outcome = self._outcome_of(transfer, step)
            self._note(each, host, outcome)
            files, moved = files + 1, moved + outcome.bytes_moved
            known = known and not outcome.error_type
        return self._schedule.exchange(host, time.perf_counter() - begun if known else None, moved, files)

    def _outcome_of(self, transfer: Transfer, step: Step | None, first: Outcome | None = None) -> Outcome:
        try:
            return move(self._context, transfer, step, first)
        except BaseException as error:  # it would end the thread, and the file would have no outcome
            return Outcome(
                transfer=transfer, status=Status.FAILED, error_type=type(error).__name__, error=error_text(error)
            )

    def _abort_unresumable(self) -> None:
        """Remove what transfers that still hang have begun and no later run can continue."""

        def abort() -> None:
            for number, upload in self._context.journal.loose:
                self._context.sink.abort(upload)
                self._context.journal.end(number)

        # On a thread of its own: the store may be what hangs.
        thread = threading.Thread(target=abort, name="splashdown-abort", daemon=True)
        thread.start()
        thread.join(_ABORT_SECONDS)


def can_gather(context: Context) -> bool:
    """Whether one thread may have many small files under way: there are many, and nothing would hold up all of them."""
    if context.files <= START:  # each of them needs a new connection, which is made in a thread of its own
        return False
    waits = context.memory.notes_are_dear or context.outlet is not None or context.settings.fsync
    return not waits and hasattr(select, "poll")


def not_tried(plan: Plan, number: int) -> Outcome:
    """The outcome of a transfer that was never begun."""
    return Outcome(
        transfer=plan.transfers[number],
        status=Status.NOT_TRIED,
        error_type="StoppedError",
        error="not tried: the run ended before it came to this asset",
    )
