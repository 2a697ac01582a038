"""One plain line a file, for logs and pipes."""

from __future__ import annotations

from typing import TextIO

from splashdown._display.text import printable
from splashdown.builtins.progress.tally import Tally, summary
from splashdown.events import Event, Retried, TransferFinished
from splashdown.model import Status


class ProgressLines:
    """Writes a line for each finished file and for each retry."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._tally = Tally()

    def __call__(self, event: Event) -> None:
        """Write a line for the event if it needs one."""
        self._tally(event)
        if isinstance(event, Retried):
            name = event.transfer.asset.label
            self._write(f"{name}: {event.error}; trying again in {event.delay:.1f} s")
        elif isinstance(event, TransferFinished) and event.outcome.status is not Status.NOT_TRIED:
            self._write(f"[{self._tally.finished}/{self._tally.files}] {summary(event.outcome)}")

    def _write(self, line: str) -> None:
        self._stream.write(printable(line) + "\n")
        self._stream.flush()
