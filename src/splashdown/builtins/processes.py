"""The executor ``processes``: processes of this machine, or an executor of ``concurrent.futures`` that the user made.

``executor="processes:4"`` makes four processes, and makes them again when one of them is killed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from splashdown.errors import OptionError, error_text
from splashdown.hookspecs import hookimpl
from splashdown.redact import safely_shown
from splashdown.specs import ExecutorSpec

#: More processes than this are a typo.
_MOST = 512


@safely_shown
@dataclass(frozen=True, slots=True)
class StopFile:
    """Says on a worker of this machine that the run has stopped: a file is there then."""

    path: str

    def __call__(self) -> bool:
        """Whether it is there."""
        return os.path.exists(self.path)  # noqa: PTH110 - asked four times a second


class _OfThisMachine:
    """What executors of this machine share: how work is given to one, and the file that ends functions which run."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self._folder = Path(tempfile.mkdtemp(prefix="splashdown-"))
        self._file = self._folder / "stop"
        self._closed = False

    def submit(self, function: Callable[[Any], Any], argument: Any) -> Future[Any]:
        """Give a function to the next worker that is free."""
        return self.executor.submit(function, argument)

    def is_lost(self, error: BaseException) -> bool:
        """Whether the executor is broken: a process was killed, which fails all functions that wait, too."""
        return isinstance(error, BrokenExecutor)

    @property
    def stopped(self) -> Callable[[], bool]:
        """Whether ``stop`` was called. On another machine it never says so: workers end with what they have begun."""
        return StopFile(str(self._file))

    def stop(self) -> None:
        """Let running functions end."""
        self._file.touch()

    def close(self) -> None:
        """Give back what belongs to the run. A function that asks after that has lost its run, and ends."""
        if not self._closed:
            self._closed = True
            self._release()
            self._file.unlink(missing_ok=True)
            self._folder.rmdir()

    def _release(self) -> None:
        """Leave the executor open."""

    def _refusal(self) -> str:
        """Why the executor takes nothing more; empty where it does."""
        try:
            self.executor.submit(os.getpid)
        except (BrokenExecutor, RuntimeError) as error:
            return error_text(error)
        return ""


class Processes(_OfThisMachine):
    """Processes that end with the run."""

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(self._make())

    @property
    def label(self) -> str:
        """How many there are."""
        return f"{self.count} process{'' if self.count == 1 else 'es'}"

    def revive(self) -> str:
        """Make all processes again, where that was not done for an earlier loss of the same ones."""
        if self._refusal():
            self.executor.shutdown(wait=False, cancel_futures=True)
            self.executor = self._make()
        return ""

    def _release(self) -> None:
        """End the processes; functions that run are waited for."""
        self.executor.shutdown(wait=True, cancel_futures=True)

    def _make(self) -> ProcessPoolExecutor:
        # Not by a fork: this process has threads, whose locks a copy of it would inherit.
        return ProcessPoolExecutor(self.count, multiprocessing.get_context("spawn"), initializer=_let_us_stop_them)


def _let_us_stop_them() -> None:
    """Leave Ctrl-C, which a terminal sends to all of its processes, to the one that has the report."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class Given(_OfThisMachine):
    """An executor that belongs to the user."""

    @property
    def count(self) -> int:
        """Its workers, where it says how many; else the processors of this machine."""
        found = getattr(self.executor, "_max_workers", None)
        return found if isinstance(found, int) and found > 0 else os.cpu_count() or 1

    @property
    def label(self) -> str:
        """The number and the class."""
        return f"{self.count} worker{'' if self.count == 1 else 's'} of {type(self.executor).__name__}"

    def revive(self) -> str:
        """Try it; an executor that is broken stays so."""
        why = self._refusal()
        return f"{type(self.executor).__name__} takes nothing more ({why}); make another one" if why else ""


def create(given: Any, options: Any) -> Processes | Given:  # noqa: ARG001 - an executor spec's signature
    """Processes for ``"processes:4"``, or for an executor of ``concurrent.futures``."""
    if isinstance(given, Executor):
        return Given(given)
    if not given:
        return Processes(os.cpu_count() or 1)
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= _MOST:
        raise OptionError(f"executor 'processes:{given}': write how many processes, for example processes:4")
    return Processes(int(given))


def accepts(given: object) -> bool:
    """Whether it is an executor of ``concurrent.futures``, whoever made it."""
    return isinstance(given, Executor)


@hookimpl
def splashdown_executors() -> Iterable[ExecutorSpec]:
    """Offer processes."""
    yield ExecutorSpec(
        name="processes", create=create, accepts=accepts, summary="processes of this machine, processes:4 for four"
    )
