"""Bars on a terminal: one for the run, and one for each of the files under way."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from splashdown._display.text import amount, printable, readable, shortened
from splashdown.builtins.progress.tally import MORE_TROUBLES, MOST_TROUBLES, Moving, Tally, is_failure, summary
from splashdown.events import (
    Event,
    Progress,
    RunFinished,
    RunInterrupted,
    RunStarted,
    TransferFinished,
    TransferStarted,
    WorkersProgress,
)

if TYPE_CHECKING:
    from rich.progress import TaskID

# More bars than this would fill the screen: larger runs show the total and some of the files under way.
_MOST_BARS = 8
# Width of everything but the names: a bar, an amount, a speed, the remaining time.
_BESIDE_NAMES = 40
_BAR, _SHORT_BAR, _NARROW = 20, 8, 100
_LONGEST_NAME = 48


class ProgressBars:
    """Draws to a terminal during the run, and leaves only failures on it."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars
        from rich.table import Column
        from rich.text import Text

        class Speed(ProgressColumn):
            """Bytes a second, in the units of the amounts: rich's own column has others."""

            def render(self, task: Task) -> Text:
                speed = task.finished_speed or task.speed
                return Text("" if speed is None else f"{readable(speed)}/s")

        class Calm(Bars):
            """Bars that are drawn ten times a second, and not for each file as well: a slow terminal falls behind."""

            def refresh(self) -> None:
                """Leave it to the thread that draws."""

        def column(justify: str = "left") -> Column:
            return Column(no_wrap=True, justify=justify)  # type: ignore[arg-type]  # one of rich's words

        console = Console(file=stream)
        bar = _BAR if console.width >= _NARROW else _SHORT_BAR
        self._bars: Bars = Calm(
            TextColumn("{task.description}", markup=False, table_column=column()),
            BarColumn(bar_width=bar, complete_style="cyan", finished_style="green"),
            TextColumn("{task.fields[amount]}", markup=False, table_column=column("right")),
            Speed(table_column=column("right")),
            TimeRemainingColumn(table_column=column("right")),
            console=console,
            transient=True,
        )
        self._width = max(12, min(_LONGEST_NAME, console.width - _BESIDE_NAMES - bar))
        self._tally = Tally()
        self._run: TaskID | None = None
        self._tasks: dict[int, TaskID] = {}

    def __call__(self, event: Event) -> None:
        """Move the bar that the event is about."""
        self._tally(event)
        if isinstance(event, RunStarted):
            if event.workers:
                self._bars.console.print(printable(f"moving files with {event.workers}"), markup=False, highlight=False)
            title = self._tally.title_within(self._width)
            self._run = self._bars.add_task(title, total=self._tally.size, amount="")
            self._bars.start()
        elif isinstance(event, TransferStarted):
            self._open(id(event.transfer))
        elif isinstance(event, Progress):
            self._move(id(event.transfer))
        elif isinstance(event, WorkersProgress):
            self._show_run()
        elif isinstance(event, TransferFinished):
            self._close(event)
        elif isinstance(event, RunFinished | RunInterrupted):
            self._bars.stop()

    def _open(self, number: int) -> None:
        if len(self._tasks) < _MOST_BARS:
            moving = self._tally.moving[number]
            self._tasks[number] = self._bars.add_task(
                shortened(moving.name, self._width, self._tally.common),
                total=moving.size,
                completed=moving.done,
                amount=_of(moving),
            )

    def _move(self, number: int) -> None:
        task, moving = self._tasks.get(number), self._tally.moving[number]
        if task is not None:
            self._bars.update(task, completed=moving.done, total=moving.size, amount=_of(moving))
        self._show_run()

    def _close(self, event: TransferFinished) -> None:
        task = self._tasks.pop(id(event.outcome.transfer), None)
        if task is not None:
            self._bars.remove_task(task)
        if is_failure(event.outcome):
            self._say_failure(summary(event.outcome))
        self._show_run()

    def _say_failure(self, line: str) -> None:
        if (number := self._tally.failed) > MOST_TROUBLES:
            if number > MOST_TROUBLES + 1:
                return
            line = MORE_TROUBLES
        self._bars.console.print(printable(line), markup=False, highlight=False, soft_wrap=True)

    def _show_run(self) -> None:
        if self._run is not None:
            tally = self._tally
            moved = amount(tally.done, tally.size)
            title = tally.title_within(self._width)
            self._bars.update(self._run, completed=tally.done, description=title, amount=moved)


def _of(moving: Moving) -> str:
    return amount(moving.done, moving.size)
