"""The listener ``progress``: bars on a terminal, plain lines elsewhere, always on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from splashdown.events import Event, Progress, Retried, RunFinished, RunStarted, TransferFinished, TransferStarted
from splashdown.hookspecs import hookimpl
from splashdown.model import Outcome, Status
from splashdown.protocols import Listener
from splashdown.specs import ListenerSpec

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

# More bars than this would fill the screen: the largest runs show the total and what is under way.
_MOST_BARS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressOptions:
    """``style`` is ``auto`` (bars on a terminal, lines elsewhere), ``bars`` or ``lines``."""

    style: str = "auto"


class ProgressLines:
    """One plain line a file, for logs and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._total = 0
        self._done = 0

    def __call__(self, event: Event) -> None:
        """Write a line where one is due."""
        if isinstance(event, RunStarted):
            self._total = len(event.plan.transfers)
        elif isinstance(event, Retried):
            name = event.transfer.asset.label
            self._write(f"{name}: {event.error}; trying again in {event.delay:.1f} s")
        elif isinstance(event, TransferFinished):
            self._done += 1
            self._write(f"[{self._done}/{self._total}] {summary(event.outcome)}")

    def _write(self, line: str) -> None:
        self._stream.write("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line) + "\n")
        self._stream.flush()


class ProgressBars:
    """A bar for the run and one for each of the files under way."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
        from rich.progress import Progress as Bars

        self._bars: Bars = Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=Console(file=stream),
            transient=True,
        )
        self._tasks: dict[int, TaskID] = {}
        self._run: TaskID | None = None
        self._finished_bytes = 0
        self._under_way: dict[int, int] = {}
        self._total = 0
        self._count = 0

    def __call__(self, event: Event) -> None:
        """Move the bars."""
        if isinstance(event, RunStarted):
            self._start(event)
        elif isinstance(event, TransferStarted):
            self._open(event)
        elif isinstance(event, Progress):
            self._move(event)
        elif isinstance(event, TransferFinished):
            self._close(event.outcome)
        elif isinstance(event, RunFinished):
            self._bars.stop()

    def _start(self, event: RunStarted) -> None:
        self._total = len(event.plan.transfers)
        sizes = [transfer.asset.size for transfer in event.plan.transfers]
        known = sum(size or 0 for size in sizes) if all(size is not None for size in sizes) else None
        self._run = self._bars.add_task(self._title(), total=known)
        self._bars.start()

    def _title(self) -> str:
        return f"{self._count} of {self._total} files"

    def _open(self, event: TransferStarted) -> None:
        if len(self._tasks) < _MOST_BARS:
            task = self._bars.add_task(event.transfer.name[-40:], total=event.size, completed=event.offset)
            self._tasks[id(event.transfer)] = task

    def _move(self, event: Progress) -> None:
        task = self._tasks.get(id(event.transfer))
        if task is not None:
            self._bars.update(task, completed=event.done, total=event.size)
        self._under_way[id(event.transfer)] = event.done
        self._show_run()

    def _close(self, outcome: Outcome) -> None:
        task = self._tasks.pop(id(outcome.transfer), None)
        if task is not None:
            self._bars.remove_task(task)
        self._under_way.pop(id(outcome.transfer), None)
        self._count += 1
        self._finished_bytes += outcome.size or 0
        if outcome.status is Status.FAILED:
            self._bars.console.print(summary(outcome), markup=False, highlight=False)
        self._show_run()

    def _show_run(self) -> None:
        if self._run is not None:
            done = self._finished_bytes + sum(self._under_way.values())
            self._bars.update(self._run, completed=done, description=self._title())


def summary(outcome: Outcome) -> str:
    """One line about what became of an asset."""
    name = outcome.transfer.name
    if outcome.status is Status.FAILED:
        return f"{name}: failed: {outcome.error_type}: {outcome.error}"
    if outcome.status is Status.SKIPPED:
        return f"{name}: skipped: {outcome.reason}"
    checked = f", checked by {' and '.join(outcome.verified)}" if outcome.verified else ", not verified"
    return f"{name}: stored, {outcome.size} bytes{checked}"


def make_progress(options: ProgressOptions | None) -> Listener:
    """The listener that fits where stderr goes."""
    style = options.style if options is not None else "auto"
    if style == "bars" or (style == "auto" and sys.stderr.isatty()):
        return ProgressBars(sys.stderr)
    return ProgressLines(sys.stderr)


@hookimpl
def splashdown_listeners() -> Iterable[ListenerSpec]:
    """Offer the progress display."""
    yield ListenerSpec(name="progress", create=make_progress, options=ProgressOptions, summary="bars or lines")
