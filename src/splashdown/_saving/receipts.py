"""Runs a plan and writes its metadata documents; says in the report where that fails or a signal ends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from splashdown._foreign.calls import Closing, Named
from splashdown._receipts.kept import kept_records
from splashdown._receipts.memory import TargetMemory
from splashdown._receipts.sums import drop_sums
from splashdown._saving.options import SaveOptions
from splashdown.actions import Download, Results
from splashdown.columns import columns
from splashdown.errors import Interrupted, SplashdownError, error_text
from splashdown.model import Member, Outcome, Plan, RunReport, Status, StoredRecord
from splashdown.protocols import Sink
from splashdown.redact import safely_shown


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Landed:
    """The contents of a target that documents describe: stored by this run, or left there by earlier ones."""

    sink: Sink
    report: RunReport
    kept: Mapping[str, StoredRecord]  #: by name, files of earlier runs that are still there
    documents: Sequence[str]  #: names of documents that earlier runs wrote


#: Writes the documents; returns their places.
Write = Callable[[Landed], list[str]]


def move(
    results: Results, plan: Plan, options: SaveOptions, *, parts: Sequence[Member], write: Write | None
) -> Download:
    """Run a plan and write what the target remembers of ``parts``; ``write`` is ``None`` for a run without documents.

    Failures of files, and of the documents, are in the report.
    """
    with (
        Closing(results.session.sink(plan.target, **options.sink_options)) as sink,
        TargetMemory(sink, parts, target=plan.target, writes=bool(parts)) as memory,
    ):
        receipts = Receipts(sink, memory)
        with receipts.at_interrupts():
            report = results.transfer(
                plan,
                sink=sink,
                memory=memory,
                listeners=options.all_listeners(results.session),
                settings=options.settings,
                executor=options.executor,
                sink_options=options.sink_options,
                before_cleanup=lambda report: receipts.finish(report, write),
            )
    return receipts.download(report)


class Receipts:
    """The documents of one run. That they cannot be written fails the run at its end, with its report."""

    def __init__(self, sink: Sink, memory: TargetMemory) -> None:
        self._sink = sink
        self._memory = memory
        self._written: list[str] = []
        self._failure = ""

    def finish(self, report: RunReport, write: Write | None) -> None:
        """Unite what is known of the target and write it; ``None`` wants no documents."""
        stored = Status.STORED in columns(report.outcomes, "status")

        def written(known: Mapping[str, StoredRecord]) -> bool:
            if write is None or not report.landed:
                drop_sums(self._sink, (), changed=stored)
                return False
            kept = kept_records(self._sink, known, report)
            actual = self._as_others_left_it(report)
            self._written = write(Landed(sink=self._sink, report=actual, kept=kept, documents=self._memory.documents))
            drop_sums(self._sink, report.plan.documents, changed=stored)
            return True

        try:
            with Named("the sink"):
                self._memory.finish(written, whole=report.ok)
        except (OSError, SplashdownError) as error:
            self._failure = error_text(error)

    def _as_others_left_it(self, report: RunReport) -> RunReport:
        """The report with other versions of files that another run has replaced since this one stored them."""
        contested = self._memory.contested
        if not contested or contested.keys().isdisjoint(columns(report.landed, "transfer.name")):
            return report
        return replace(report, outcomes=tuple(self._actual(one) for one in report.outcomes))

    def _actual(self, outcome: Outcome) -> Outcome:
        name = outcome.transfer.name
        if name not in self._memory.contested or outcome.status is not Status.STORED or outcome.size is None:
            return outcome
        own = StoredRecord(
            size=outcome.size,
            checksum=outcome.checksum,
            validator=outcome.validator,
            identity=outcome.asset.identity,
        )
        found = self._memory.actual(name, own)
        return replace(outcome, size=found.size, checksum=found.checksum, validator=found.validator)

    def download(self, report: RunReport) -> Download:
        """The outcome of the run, with its documents or why there are none."""
        return Download(report=replace(report, unwritten=self._failure), documents=tuple(self._written))

    @contextmanager
    def at_interrupts(self) -> Iterator[None]:
        """Add the documents to the report of a run that a signal ends."""
        try:
            yield
        except Interrupted as error:
            done = self.download(error.report)
            raise Interrupted(done.report, done.metadata) from error
