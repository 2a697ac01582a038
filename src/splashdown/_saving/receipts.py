"""Writes the metadata documents of a run, and says in its report where that fails or a signal ends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from splashdown._receipts.memory import TargetMemory
from splashdown.actions import Download
from splashdown.errors import Interrupted, SplashdownError, error_text
from splashdown.model import RunReport, StoredRecord

#: Writes documents for a report and all that is known of the target; returns their places.
Write = Callable[[RunReport, Mapping[str, StoredRecord]], list[str]]


class Receipts:
    """The documents of one run. That they cannot be written fails the run at its end, with its report."""

    def __init__(self, memory: TargetMemory) -> None:
        self._memory = memory
        self._written: list[str] = []
        self._failure = ""

    def finish(self, report: RunReport, write: Write | None) -> None:
        """Unite what is known of the target and write it; ``None`` wants no documents."""

        def written(known: Mapping[str, StoredRecord]) -> bool:
            if write is None or not report.landed:
                return False
            self._written = write(report, known)
            return True

        try:
            self._memory.finish(written, whole=report.ok)
        except (OSError, SplashdownError) as error:
            self._failure = error_text(error)

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
