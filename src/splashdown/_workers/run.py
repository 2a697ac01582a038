"""Runs a plan with workers: makes them, greets them, and lets the coordinator hand out batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import replace
from typing import Any, Protocol

from splashdown._engine.context import Context, SharedMemory
from splashdown._engine.existing import decide
from splashdown._engine.file_workers import not_tried
from splashdown._engine.journal import Journal
from splashdown._engine.recipes import recipes_of, without_recipes
from splashdown._engine.records import identity
from splashdown._engine.remote import Remote
from splashdown._engine.retry import hosts_of
from splashdown._engine.run import Run, run_plan, state_dir_of
from splashdown._engine.same_url import groups
from splashdown._engine.settings import Settings
from splashdown._engine.settled import settled
from splashdown._foreign.calls import Tolerated
from splashdown._series.outcomes import slots_for
from splashdown._workers.handing_out import HandingOut
from splashdown._workers.large_files import LargeFiles, chosen
from splashdown._workers.units import Unit, units_of
from splashdown._workers.work import Common, Home, Shared, greet
from splashdown.columns import columns
from splashdown.errors import PluginError, UsageError, error_text
from splashdown.events import TransferFinished
from splashdown.model import IfExists, Outcome, Plan, RunReport, Status, Transfer
from splashdown.protocols import SupportsBundle, SupportsEach, SupportsState, Workers
from splashdown.sources import scheme_of

#: How long workers may take to start and answer the first question.
_GREETING_SECONDS = 120.0
#: Workers that are lost meanwhile are greeted again so often.
_GREETINGS = 3


class Host(Home, Protocol):
    """The session, which makes workers too."""

    def workers(self, executor: object) -> Workers:
        """The workers that ``executor=`` means."""


def run_elsewhere(
    run: Run, remote: Remote, session: Host, executor: object, sink_options: Mapping[str, Any]
) -> RunReport:
    """Run a plan as ``run_plan`` does, with the files moved by workers. Raises ``UsageError`` for an archive."""
    if isinstance(run.sink, SupportsBundle):
        raise UsageError("an archive is one stream, which one process writes: leave the executor out")
    if isinstance(executor, str) and executor.startswith("threads:"):
        raise UsageError("'threads' takes no number: jobs (--jobs 4, Settings(jobs=4)) says how many files at a time")
    workers = session.workers(executor)
    try:
        label = workers.label

        def movers(context: Context, plan: Plan) -> Spread:
            return Spread(context, plan, workers, session, sink_options)

        return run_plan(replace(run, movers=movers, workers=label), remote)
    finally:
        with Tolerated():  # the report is worth more than the end of a process
            workers.close()


class Spread:
    """The files of one plan, moved by workers; what needs none is settled here."""

    def __init__(
        self, context: Context, plan: Plan, workers: Workers, session: Host, sink_options: Mapping[str, Any]
    ) -> None:
        self._context, self._plan = context, plan
        self._workers, self._session, self._sink_options = workers, session, sink_options
        self._outcomes = slots_for(plan.transfers, lambda number: not_tried(plan, number))
        self._names: dict[int, str] = {}  #: free names that were found for transfers with the policy ``rename``

    def outcomes(self) -> Sequence[Outcome]:
        """The outcome of every file so far."""
        return self._outcomes.outcomes()

    def run(self) -> Sequence[Outcome]:
        """Move all files of the plan; their outcomes, in the plan's order."""
        begun = self._sweep(())
        rows = [*columns(self._plan.transfers, "asset.href", "asset.size")]
        hrefs, sizes = [href for href, _ in rows], [size for _, size in rows]
        del rows
        left = self._settle()
        if left:
            shared = self._greet(hrefs)
            hosts = hosts_of(hrefs)
            same = [kept for group in groups(self._plan.transfers) if len(kept := [n for n in group if n in left]) > 1]
            large = self._large(left, sizes, {n for group in same for n in group}, begun)
            units = units_of(
                [(n, hosts[n], sizes[n]) for n in sorted(left.difference(large))],
                self._workers.count,
                self._context.settings.range_cutoff,
                same,
            )
            self._hand_out(units, large, shared)
        report = RunReport(plan=self._plan, outcomes=self.outcomes())
        self._sweep(list(columns(report.landed, "transfer.name")) if left else ())
        return report.outcomes

    def _hand_out(self, units: Sequence[Unit], large: Sequence[int], shared: Shared) -> None:
        context = self._context
        # Workers take over what earlier runs have left; this journal is for the large files of this run.
        folder = state_dir_of(context.sink, self._plan.target) if large else None
        journal = Journal(folder, keep=context.settings.resume, take=False)
        try:
            files = LargeFiles(context, self._plan, shared, large, journal)
            HandingOut(context, self._plan, self._workers, shared, self._outcomes, self._names, files).run(units)
        finally:
            journal.close()

    def _large(
        self, left: set[int], sizes: Sequence[int | None], shared: set[int], begun: Callable[[str], bool]
    ) -> list[int]:
        """The files of which several workers move parts.

        The sink is a folder that all of them see, in which a file can be read back for its checksum. A file that an
        earlier run has begun is continued by one worker.
        """
        context, settings, can = self._context, self._context.settings, self._context.can
        if (
            not self._in_folder
            or can.read_back is None
            or can.resume is None
            or not settings.resume
            or settings.limit_rate
        ):
            return []
        found = []
        for number in chosen([(n, sizes[n]) for n in sorted(left)], self._workers.count, settings.range_cutoff):
            transfer = self._plan.transfers[number]
            asset = transfer.asset
            alone = number not in shared and number not in self._names and not recipes_of(context.remote, [asset.href])
            if alone and not begun(identity(self._plan.source, asset.item, asset.key, transfer.name)):
                found.append(number)
        return found

    @property
    def _in_folder(self) -> bool:
        """Whether the target is a folder, which workers may share."""
        sink = self._context.sink
        return isinstance(sink, SupportsState) and sink.state_dir is not None

    def _settle(self) -> set[int]:
        """Settle what needs no worker, and find free names; the numbers of what is left."""
        left = set(range(len(self._plan.transfers)))
        for number, outcome in settled(self._context, self._plan):
            self._outcomes[number] = outcome
            left.discard(number)
            self._context.deliver(outcome)
            if self._context.outlet is not None:
                self._context.outlet.check()
        for number, policy in enumerate(columns(self._plan.transfers, "if_exists")):
            # Two workers would take the same free name, and a second attempt another one.
            if policy is IfExists.RENAME and number in left and self._is_named(number):
                left.discard(number)
        return left

    def _is_named(self, number: int) -> bool:
        """Find a free name; true where the file needs none, or there is none."""
        transfer = self._plan.transfers[number]
        try:
            verdict = decide(self._context, transfer)
        except Exception as error:
            self._settled(number, _failed(transfer, error))
            return True
        if verdict.keep:
            self._settled(number, Outcome(**verdict.kept(transfer, verdict.keep)))
            return True
        self._names[number] = verdict.name
        return False

    def _settled(self, number: int, outcome: Outcome) -> None:
        self._outcomes[number] = outcome
        self._context.deliver(outcome)
        if self._context.events.active:
            self._context.events.emit(TransferFinished(outcome=outcome))

    def _greet(self, hrefs: Sequence[str]) -> Shared:
        """What all batches share, once every worker that can be asked has what it needs.

        Raises :class:`~splashdown.errors.PluginError` with the first thing that is missing.
        """
        shared = Shared(self._common(hrefs))
        for where, answer in _answers(self._workers, shared).items():
            if answer:
                raise PluginError(f"{where}: {answer}" if "://" in where else answer)
        return shared

    def _common(self, hrefs: Sequence[str]) -> Common:
        context, plan, session = self._context, self._plan, self._session
        recipes = recipes_of(context.remote, hrefs)
        read = [*hrefs, *(one.asset.href for one in recipes.values())]
        one_each = {href.partition(":")[0]: href for href in read}.values()  # a call for each file would be felt
        wanted = {("sinks", scheme_of(plan.target)), *(("transports", scheme_of(href)) for href in one_each)}
        wanted |= {("loaders", one.loader) for one in recipes.values() if one.loader}
        memory = context.memory
        return Common(
            access=session,
            remote=without_recipes(context.remote),
            target=plan.target,
            source=plan.source,
            settings=self._share_of(context.settings),
            sink_options=dict(self._sink_options),
            stopped=self._workers.stopped,
            plugins=_providers(session, wanted),
            seen=memory.fragment if self._in_folder and isinstance(memory, SharedMemory) else "",
        )

    def _share_of(self, settings: Settings) -> Settings:
        """The settings of one worker: the bytes a second of the run are divided among all."""
        if settings.limit_rate is None:
            return settings
        return replace(settings, limit_rate=max(1, settings.limit_rate // max(1, self._workers.count)))

    def _sweep(self, landed: Sequence[str]) -> Callable[[str], bool]:
        """Remove what killed workers and earlier runs have begun, and no run will finish; says what one may go on with.

        ``landed`` are names that this run has stored.
        """
        context = self._context
        journal = Journal(state_dir_of(context.sink, self._plan.target), keep=context.settings.resume)
        try:
            for upload in journal.leftovers(landed) if landed else journal.surplus():
                with Tolerated():
                    context.sink.abort(upload)
            return lambda of: journal.find(of) is not None
        finally:
            journal.close()


def _providers(session: Host, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, str]]:
    """Which plugins the run needs; what no plugin offers fails file by file, as in any run."""
    found = {}
    for kind, scheme in sorted(wanted):
        try:
            found[kind, scheme] = session.registry.provider(kind, scheme)
        except PluginError:
            continue
    return found


def _answers(workers: Workers, shared: Shared) -> Mapping[str, str]:
    """What each worker says, by its name; of workers that have none, as many answers as there are workers."""
    if isinstance(workers, SupportsEach):
        return workers.each(greet, shared)
    for left in reversed(range(_GREETINGS)):
        futures = [workers.submit(greet, shared) for _ in range(max(1, workers.count))]
        done, late = wait(futures, timeout=_GREETING_SECONDS)
        for future in late:
            future.cancel()
        if not done:
            raise PluginError(f"none of {workers.label} answered within {_GREETING_SECONDS:g} seconds")
        lost = [error for one in done if (error := one.exception()) is not None and workers.is_lost(error)]
        if not lost:
            return {str(number): _answer(workers, future) for number, future in enumerate(done)}
        if not left or workers.revive():
            break
    raise PluginError(
        f"{workers.label} ended as they began ({error_text(lost[0])}); a script that makes processes needs the line"
        " if __name__ == '__main__':"
    )


def _answer(workers: Workers, future: Future[str]) -> str:
    error = future.exception()
    return future.result() if error is None else f"{workers.label} cannot work: {error_text(error)}"


def _failed(transfer: Transfer, error: Exception) -> Outcome:
    return Outcome(transfer=transfer, status=Status.FAILED, error_type=type(error).__name__, error=error_text(error))
