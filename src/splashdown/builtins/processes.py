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
from dataclasses import dataclass, field
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


class _Stopping:
    """What all executors of this machine share: the file that stops functions which are running."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="splashdown-"))
        self._file = self._folder / "stop"

    @property
    def stopped(self) -> Callable[[], bool]:
        """Whether ``stop`` was called. On another machine it never says so."""
        return StopFile(str(self._file))

    def stop(self) -> None:
        """Make the file."""
        self._file.touch()

    def close(self) -> None:
        """Remove it. Whoever asks after that has lost its coordinator, and ends with its work."""
        self._file.unlink(missing_ok=True)
        self._folder.rmdir()


class Processes:
    """Processes that end with the run."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._stopping = _Stopping()
        self._pool = self._make()
        self._closed = False

    @property
    def label(self) -> str:
        """How many there are."""
        return f"{self.count} process{'' if self.count == 1 else 'es'}"

    def submit(self, function: Callable[[Any], Any], argument: Any) -> Future[Any]:
        """Give a function to the next process that is free."""
        return self._pool.submit(function, argument)

    def is_lost(self, error: BaseException) -> bool:
        """Whether a process was killed; that fails all functions that wait, too."""
        return isinstance(error, BrokenExecutor)

    def revive(self) -> str:
        """Make all processes again, where that was not done for an earlier loss of the same ones."""
        try:
            self._pool.submit(os.getpid)
        except (BrokenExecutor, RuntimeError):
            self._pool.shutdown(wait=False, cancel_futures=True)
        else:
            return ""
        self._pool = self._make()
        return ""

    @property
    def stopped(self) -> Callable[[], bool]:
        """Whether ``stop`` was called."""
        return self._stopping.stopped

    def stop(self) -> None:
        """Let running functions end."""
        self._stopping.stop()

    def close(self) -> None:
        """End the processes; functions that run are waited for."""
        if not self._closed:
            self._closed = True
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._stopping.close()

    def _make(self) -> ProcessPoolExecutor:
        # Not by a fork: this process has threads, whose locks a copy of it would inherit.
        return ProcessPoolExecutor(self.count, multiprocessing.get_context("spawn"), initializer=_let_us_stop_them)


def _let_us_stop_them() -> None:
    """Leave Ctrl-C, which a terminal sends to all of its processes, to the one that has the report."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@dataclass(slots=True)
class Given:
    """An executor that belongs to the user."""

    executor: Executor
    _stopping: _Stopping = field(default_factory=_Stopping)
    _closed: bool = False

    @property
    def count(self) -> int:
        """Its workers, where it says how many; else the processors of this machine."""
        found = getattr(self.executor, "_max_workers", None)
        return found if isinstance(found, int) and found > 0 else os.cpu_count() or 1

    @property
    def label(self) -> str:
        """The number and the class."""
        return f"{self.count} worker{'' if self.count == 1 else 's'} of {type(self.executor).__name__}"

    def submit(self, function: Callable[[Any], Any], argument: Any) -> Future[Any]:
        """Submit to it."""
        return self.executor.submit(function, argument)

    def is_lost(self, error: BaseException) -> bool:
        """Whether the executor is broken."""
        return isinstance(error, BrokenExecutor)

    def revive(self) -> str:
        """Try it; an executor that is broken stays so."""
        try:
            self.executor.submit(os.getpid)
        except (BrokenExecutor, RuntimeError) as error:
            return f"{type(self.executor).__name__} takes nothing more ({error_text(error)}); make another one"
        return ""

    @property
    def stopped(self) -> Callable[[], bool]:
        """Whether ``stop`` was called; workers of other machines end with what they have begun."""
        return self._stopping.stopped

    def stop(self) -> None:
        """Let running functions end."""
        self._stopping.stop()

    def close(self) -> None:
        """Leave the executor open."""
        if not self._closed:
            self._closed = True
            self._stopping.close()


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
