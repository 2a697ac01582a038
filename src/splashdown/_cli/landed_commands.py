"""``--exec``: a program that runs on each file as it lands, without a shell.

The loop over the files is :class:`splashdown.streams.OutcomeStream`; this module runs the programs and adds their exit
codes to the report.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import IO, TYPE_CHECKING, Any

import click

from splashdown._display.text import printable
from splashdown.actions import ActionOutcome
from splashdown.errors import DownloadError, Interrupted, Terminated
from splashdown.model import Outcome, RunReport, Status
from splashdown.redact import safely_shown

if TYPE_CHECKING:
    from splashdown.results import JobResults

#: Stands for the place of a file among the words of a program.
HERE = "{}"
#: Exit codes of a shell for a program that is not there, and for one that cannot be started.
_NOT_FOUND, _NOT_STARTED = 127, 126
#: Files that may have landed and wait for their program.
_AHEAD = 1000
#: Programs may take so long to end after Ctrl-C.
_END_SECONDS = 5.0
#: A longer line of output is cut into several.
_LONGEST_LINE = 2**16


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Command:
    """The program and its arguments, how many run at once, and whether files that were there already get one."""

    words: tuple[str, ...]
    jobs: int
    every: bool = False

    def on(self, place: str) -> list[str]:
        """The program and its arguments for one file. A path is never taken for an option."""
        place = f".{os.sep}{place}" if place.startswith("-") else place
        return [self.words[0], *(word.replace(HERE, place) for word in self.words[1:])]


@safely_shown
@dataclass(kw_only=True, repr=False)
class _Programs:
    """The programs that run now, and the exit codes of those that have ended, by the name of the file."""

    ended: dict[str, int] = field(default_factory=dict)
    running: set[subprocess.Popen[bytes]] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    stopped: bool = False

    def run(self, words: list[str], name: str) -> None:
        """Run one, and print its output line by line after the name of the file."""
        try:
            with self.lock:
                if self.stopped:
                    return
                process = subprocess.Popen(  # noqa: S603 - the user's own program, and names are arguments
                    words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
                )
                self.running.add(process)
        except (OSError, ValueError) as error:
            click.echo(f"{printable(name)}: {printable(words[0])}: {error}", err=True)
            self.ended[name] = _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_STARTED
            return
        try:
            with process:
                for line in _lines(process.stdout):
                    click.echo(f"{printable(name)}: {printable(line)}", err=True)
        finally:
            with self.lock:
                self.running.discard(process)
            self.ended[name] = process.returncode

    def stop(self) -> None:
        """Begin no other program, and end those that run."""
        with self.lock:
            self.stopped = True
            running = [*self.running]
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


class Landing:
    """One run whose files each get a program."""

    def __init__(self, results: JobResults, command: Command) -> None:
        self._results, self._command = results, command
        self._programs = _Programs()
        self._signal = ""  #: what ended the programs early
        self._free = threading.Semaphore(command.jobs)

    def run(self, action: str, /, **options: Any) -> Any:
        """Run an action; what it returns or raises has a report with the exit codes."""
        from splashdown.streams import OutcomeStream

        stream = OutcomeStream(self._results, action, options, ahead=_AHEAD)
        pool = ThreadPoolExecutor(self._command.jobs, "splashdown-exec")
        try:
            for outcome in stream:
                if outcome.status is Status.STORED or (self._command.every and outcome.status is Status.SKIPPED):
                    self._acquire()
                    pool.submit(self._on, outcome)
            for _ in range(self._command.jobs):
                self._acquire()  # all have ended; unlike the pool's own wait, Ctrl-C ends this one
        except KeyboardInterrupt as signal:
            self._signal = "SIGTERM" if isinstance(signal, Terminated) else "SIGINT"
            stream.close(signal)
            self._programs.stop()
        except DownloadError:
            pass  # it comes with the result
        finally:
            pool.shutdown()
        return self._ended(stream.result)

    def _acquire(self) -> None:
        while not self._free.acquire(timeout=1.0):
            continue

    def _on(self, outcome: Outcome) -> None:
        try:
            self._programs.run(self._command.on(outcome.location), outcome.transfer.name)
        finally:
            self._free.release()

    def _ended(self, result: Callable[[], Any]) -> Any:
        try:
            done = result()
        except (DownloadError, Interrupted) as error:
            error.report = self._with(error.report)
            raise
        if isinstance(done, RunReport):
            return self._with(done)
        if isinstance(done, ActionOutcome) and done.report is not None:
            return replace(done, report=self._with(done.report))  # type: ignore[type-var]  # a dataclass
        return done

    def _with(self, report: RunReport) -> RunReport:
        codes = dict(sorted(self._programs.ended.items()))
        return replace(report, commands=codes, interrupted=report.interrupted or self._signal)


def _lines(output: IO[bytes] | None) -> Iterator[str]:
    while output is not None and (line := output.readline(_LONGEST_LINE)):
        yield line.decode("utf-8", "backslashreplace").rstrip("\r\n")


def failures(codes: Mapping[str, int]) -> str:
    """A line about commands that failed; empty where none did."""
    failed = [(name, code) for name, code in codes.items() if code]
    if not failed:
        return ""
    (name, code), more = failed[0], len(failed) - 1
    ended = f"exit code {code}" if code > 0 else f"signal {-code}"
    return (
        f"{len(failed)} of {len(codes)} commands failed: {printable(name)}: {ended}"
        f"{f' (and {more} more; --json has all of them)' if more else ''}; the files are where they belong"
    )
