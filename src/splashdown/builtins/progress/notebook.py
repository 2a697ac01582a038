"""A table in a notebook's output: one bar for the run, and one for each of the files under way."""

from __future__ import annotations

import importlib
import time
from html import escape
from typing import Any, Protocol

from splashdown._display.text import amount, shortened
from splashdown.builtins.progress.tally import Tally, is_failure, summary
from splashdown.events import Event, RunFinished, RunInterrupted, TransferFinished

_MOST_ROWS = 8
_MOST_FAILURES = 20
_LONGEST_NAME = 48
# Every redraw is a message to the browser; the notebook keeps the last one.
_SECONDS_BETWEEN = 0.25


class _Output(Protocol):
    """What ``IPython.display.display(..., display_id=True)`` returns."""

    def update(self, obj: Any) -> None: ...


class ProgressTable:
    """Draws into the output of the cell that started the run. Made in that cell; called on the engine's thread."""

    def __init__(self) -> None:
        # Imported by name: IPython has no types, and is only needed in notebooks.
        shown: Any = importlib.import_module("IPython.display")
        self._html = shown.HTML
        self._tally = Tally()
        self._failures: list[str] = []
        self._drawn = 0.0
        # The output is created here, in the cell's thread: a kernel may put output of other threads anywhere.
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
        return [_row(shortened(each.name, _LONGEST_NAME, self._tally.common), each.done, each.size) for each in shown]

    def _page(self, rows: list[str], ended: str) -> str:
        tally = self._tally
        # Without a known size the meter counts files, so that it shows progress.
        run = _row(tally.title + ended, tally.done, tally.size, None if tally.size else (tally.ended, tally.files))
        failures = self._failures[:_MOST_FAILURES]
        if len(self._failures) > _MOST_FAILURES:
            failures.append(f"and {len(self._failures) - _MOST_FAILURES} more")
        said = "".join(f"<div>{escape(line)}</div>" for line in failures)
        return f"<table>{run}{''.join(rows)}</table><div>{escape(tally.pace)}</div>{said}"


def _row(name: str, done: int, size: int | None, files: tuple[int, int] | None = None) -> str:
    at, end = (done, size) if files is None else files
    # Browsers draw a meter without a value as busy, which fits an unknown end.
    value = "" if end is None else f' value="{min(at, end)}" max="{max(end, 1)}"'
    return f"<tr><td>{escape(name)}</td><td><progress{value}></progress></td><td>{escape(amount(done, size))}</td></tr>"
