"""A table in a notebook's output: one bar for the run, and one for each of the files under way."""

from __future__ import annotations

import importlib
import time
from html import escape
from typing import Any, Protocol

from splashdown._display.text import amount
from splashdown.builtins.progress.tally import Tally, is_failure, shortened, summary
from splashdown.events import Event, RunFinished, RunInterrupted, TransferFinished

_MOST_ROWS = 8
_MOST_FAILURES = 20
_LONGEST_NAME = 48
# Every redraw is a message to the browser, and is kept with the notebook until the next.
_SECONDS_BETWEEN = 0.25


class _Output(Protocol):
    """What ``IPython.display.display(..., display_id=True)`` returns."""

    def update(self, obj: Any) -> None: ...


class ProgressTable:
    """Draws into the output of the cell that started the run. Made in that cell; called on the engine's thread."""

    def __init__(self) -> None:
        # Asked for by name: IPython has no types, and nobody needs it who is not in a notebook.
        shown: Any = importlib.import_module("IPython.display")
        self._html = shown.HTML
        self._tally = Tally()
        self._failures: list[str] = []
        self._drawn = 0.0
        # The place is made here, in the cell's own thread: a kernel files output of other threads where it likes.
        self._output: _Output = shown.display(shown.HTML(""), display_id=True)

    def __call__(self, event: Event) -> None:
        """Draw what the event changed, a few times a second."""
        self._tally(event)
        if isinstance(event, TransferFinished) and is_failure(event.outcome):
            self._failures.append(summary(event.outcome))
        last = isinstance(event, RunFinished | RunInterrupted)
        now = time.monotonic()
        if last or now - self._drawn >= _SECONDS_BETWEEN:
            self._drawn = now
            rows = [] if last else self._moving()
            ended = " (interrupted)" if isinstance(event, RunInterrupted) else ""
            self._output.update(self._html(self._page(rows, ended)))

    def _moving(self) -> list[str]:
        shown = list(self._tally.moving.values())[:_MOST_ROWS]
        return [_row(shortened(each.name, _LONGEST_NAME), each.done, each.size) for each in shown]

    def _page(self, rows: list[str], ended: str) -> str:
        tally = self._tally
        # Where the size is not known beforehand the meter counts files, so that it does not seem busy for ever.
        run = _row(tally.title + ended, tally.done, tally.size, None if tally.size else (tally.finished, tally.files))
        failures = self._failures[:_MOST_FAILURES]
        if len(self._failures) > _MOST_FAILURES:
            failures.append(f"and {len(self._failures) - _MOST_FAILURES} more")
        said = "".join(f"<div>{escape(line)}</div>" for line in failures)
        return f"<table>{run}{''.join(rows)}</table>{said}"


def _row(name: str, done: int, size: int | None, files: tuple[int, int] | None = None) -> str:
    at, end = (done, size) if files is None else files
    # A meter without a value is drawn as one that is busy; that is what an unknown end is.
    value = "" if end is None else f' value="{min(at, end)}" max="{max(end, 1)}"'
    return f"<tr><td>{escape(name)}</td><td><progress{value}></progress></td><td>{escape(amount(done, size))}</td></tr>"
