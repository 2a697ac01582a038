"""Plain lines, for logs and pipes: one a file, or of very many files one every ten seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

from splashdown._display.text import printable
from splashdown.builtins.progress.tally import MORE_TROUBLES, MOST_TROUBLES, Tally, is_failure, summary
from splashdown.events import Event, Retried, RunFinished, RunStarted, TransferFinished
from splashdown.model import Status

#: Runs of more files than this get a line every few seconds instead of one a file.
_MOST_FILES = 200
_SECONDS_BETWEEN = 10.0


class ProgressLines:
    """Writes to a stream; ``clock`` gives seconds."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._tally = Tally(clock)
        self._many = False
        self._written = clock()
        self._troubles = 0

    def __call__(self, event: Event) -> None:
        """Write a line for the event if it needs one."""
        self._tally(event)
        if isinstance(event, RunStarted):
            self._many = len(event.plan.transfers) > _MOST_FILES
            if event.workers:
                self._write(f"moving files with {event.workers}")
        elif isinstance(event, Retried):
            self._trouble(f"{event.transfer.asset.label}: {event.error}; trying again in {event.delay:.1f} s")
        elif isinstance(event, TransferFinished) and event.outcome.status is not Status.NOT_TRIED:
            line = f"[{self._tally.finished}/{self._tally.files}] {summary(event.outcome)}"
            if is_failure(event.outcome):
                self._trouble(line)
            elif not self._many:
                self._write(line)
        if self._many and (isinstance(event, RunFinished) or self._clock() - self._written >= _SECONDS_BETWEEN):
            self._written = self._clock()
            self._write(self._tally.state)

    def _trouble(self, line: str) -> None:
        self._troubles += 1
        if not self._many or self._troubles <= MOST_TROUBLES:
            self._write(line)
        elif self._troubles == MOST_TROUBLES + 1:
            self._write(MORE_TROUBLES)

    def _write(self, line: str) -> None:
        self._stream.write(printable(line) + "\n")
        self._stream.flush()
