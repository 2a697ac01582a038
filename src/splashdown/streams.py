"""Outcomes of a run while it goes on: a loop over files as they land, with ``for`` or ``async for``.

The run is the usual one, on a thread of its own; this module hands its outcomes to the loop and ends it with the loop.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

from splashdown._engine.outlet import Outlet
from splashdown.actions import ActionOutcome, Results
from splashdown.errors import DownloadError, Interrupted, OptionError, UsageError
from splashdown.model import Outcome, RunReport

__all__ = ["OutcomeStream"]

#: A signal reaches the main thread on Windows only between two waits.
_WAIT_SECONDS = 1.0


class OutcomeStream:
    """The outcomes of one run, each as soon as its file is landed and verified.

    The run begins with the loop, and ends with it: what landed before a ``break`` is in the receipt. Failures of single
    files are outcomes; the loop raises :class:`~splashdown.errors.DownloadError` at its end where the run ended early,
    the receipt could not be written, or the source could not be read as a whole. Use it once.
    """

    def __init__(self, results: Results, action: str, options: Mapping[str, Any], *, ahead: int) -> None:
        if ahead < 1:
            raise OptionError(f"ahead is at least 1, not {ahead}")
        self._results, self._action, self._options = results, action, dict(options)
        self._outlet = Outlet(ahead)
        self._thread: threading.Thread | None = None
        self._done: Any = None
        self._error: BaseException | None = None

    def __iter__(self) -> Iterator[Outcome]:
        self._start()
        try:
            while not self._outlet.finished:
                if (outcome := self._take()) is not None:
                    yield outcome
            self._raise_end()
        finally:
            self.close()

    def _take(self) -> Outcome | None:
        try:
            return self._outlet.take(_WAIT_SECONDS)
        except KeyboardInterrupt as signal:
            self.close(signal)
            if self._error is not None:
                raise self._error from signal  # Interrupted, which carries the report
            raise

    async def __aiter__(self) -> AsyncIterator[Outcome]:
        self._start()
        try:
            while not self._outlet.finished:
                outcome = self._outlet.take(0) or await asyncio.to_thread(self._outlet.take)
                if outcome is not None:
                    yield outcome
            await asyncio.to_thread(self._join)
            self._raise_end()
        finally:
            await self.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(error if isinstance(error, KeyboardInterrupt) else None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def report(self) -> RunReport:
        """The report of the run, once it has ended: as a whole, early or with failures.

        Raises what kept the run from a report, and :class:`~splashdown.errors.UsageError` before its end.
        """
        try:
            done = self.result()
        except (DownloadError, Interrupted) as error:
            return error.report
        if isinstance(done, ActionOutcome) and done.report is not None:
            return done.report
        raise UsageError(f"the action {self._action!r} returned no report")

    def result(self) -> Any:
        """What the action returned, once the run has ended; raises what it raised, for files that failed as well."""
        if self._thread is None or not self._outlet.finished:
            raise UsageError("the run has not ended: read this after the loop, or after close()")
        self._join()
        if self._error is not None:
            raise self._error
        return self._done

    def close(self, cause: KeyboardInterrupt | None = None) -> None:
        """End the run as Ctrl-C would, and wait until what landed is in the receipt. A second call does nothing."""
        if self._thread is not None and not self._is_over():
            self._outlet.close(cause)
            self._join()

    async def aclose(self) -> None:
        """:meth:`close` inside an event loop."""
        if self._thread is not None and not self._is_over():
            self._outlet.close()
            await asyncio.to_thread(self._join)

    def _start(self) -> None:
        if self._thread is not None:
            raise UsageError("a stream is one run: make another one to run again")
        # A daemon, so that a run which hangs keeps no program alive; atexit gives it the time for its receipt.
        self._thread = threading.Thread(target=self._run, name="splashdown-stream", daemon=True)
        atexit.register(self.close)
        self._thread.start()

    def _run(self) -> None:
        listeners = [*self._options.pop("listeners", ()), self._outlet]
        try:
            self._done = self._results.run(self._action, listeners=listeners, **self._options)
        except BaseException as error:  # it is raised in the loop's thread
            self._error = error
        finally:
            self._outlet.finish()

    def _join(self) -> None:
        while not self._is_over():
            self._thread.join(_WAIT_SECONDS)  # type: ignore[union-attr]  # it is over before it was made
        atexit.unregister(self.close)

    def _is_over(self) -> bool:
        return self._thread is None or not self._thread.is_alive()

    def _raise_end(self) -> None:
        """Raise what ended the run; failures of files the loop has seen."""
        self._join()
        error = self._error
        if isinstance(error, Interrupted) and error.report.interrupted == "break":
            return  # another thread has closed the stream
        if error is not None and not (isinstance(error, DownloadError) and self._is_of_files(error.report)):
            raise error

    def _is_of_files(self, report: RunReport) -> bool:
        ended = report.not_tried or report.stopped or report.unwritten
        return not ended and not self._results.result_set.unresolved
