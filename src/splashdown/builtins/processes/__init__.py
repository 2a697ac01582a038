"""The executor ``processes``: processes of this machine, or an executor of ``concurrent.futures`` that the user made.

``executor="processes:4"`` makes four processes, and another one for each that is killed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from splashdown._display.text import counted
from splashdown.builtins.processes.given import Watch, count_of
from splashdown.builtins.processes.pool import ProcessEndedError, ProcessPool
from splashdown.errors import OptionError, error_text
from splashdown.hookspecs import hookimpl
from splashdown.redact import safely_shown
from splashdown.specs import ExecutorSpec

#: More processes than this are a typo.
_MOST = 512


@safely_shown
@dataclass(frozen=True, slots=True, repr=False)
class StopFile:
    """Says on a worker of this machine that the run has stopped: a file is there then."""

    path: str

    def __call__(self) -> bool:
        """Whether it is there."""
        return os.path.exists(self.path)  # noqa: PTH110 - asked four times a second


class _OfThisMachine:
    """What workers of this machine share: the file that ends functions which run."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="splashdown-"))
        self._file = self._folder / "stop"
        self._closed = False

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
        """Leave what the user made open."""


class Processes(_OfThisMachine):
    """Processes that end with the run."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count
        self._pool = ProcessPool(count)

    @property
    def label(self) -> str:
        """How many there are."""
        return counted(self.count, "process", "processes")

    def submit(self, function: Callable[[Any], Any], argument: Any) -> Future[Any]:
        """Give a function to the next process that is free."""
        return self._pool.submit(function, argument)

    def submit_with_news(
        self, function: Callable[[Any, Callable[[Any], None]], Any], argument: Any, hear: Callable[[Any], None]
    ) -> Future[Any]:
        """The same for a function that says how far it is."""
        return self._pool.submit(function, argument, hear)

    def is_lost(self, error: BaseException) -> bool:
        """Whether the process of a function was killed; those of others go on."""
        return isinstance(error, ProcessEndedError)

    def revive(self) -> str:
        """Leave it to the pool, which replaces a process when there is work for it."""
        return ""

    def _release(self) -> None:
        """End the processes; functions that run are waited for."""
        self._pool.close()


class Given(_OfThisMachine):
    """An executor that belongs to the user."""

    def __init__(self, executor: Executor) -> None:
        super().__init__()
        self._executor, self._watch = executor, Watch(executor)

    @property
    def count(self) -> int:
        """Its workers, where it says how many."""
        return count_of(self._executor)

    @property
    def label(self) -> str:
        """The number and the class."""
        return f"{counted(self.count, 'worker')} of {type(self._executor).__name__}"

    def submit(self, function: Callable[[Any], Any], argument: Any) -> Future[Any]:
        """Give a function to the next worker that is free."""
        return self._executor.submit(function, argument)

    def watch(self) -> None:
        """Let functions fail for which a pool waits in vain."""
        self._watch.look()

    def is_lost(self, error: BaseException) -> bool:
        """Whether the executor is broken: a process was killed, which fails all functions that wait, too."""
        return isinstance(error, BrokenExecutor)

    def revive(self) -> str:
        """Try it; an executor that is broken stays so."""
        try:
            self._executor.submit(os.getpid)
        except (BrokenExecutor, RuntimeError) as error:
            return f"{type(self._executor).__name__} takes nothing more ({error_text(error)}); make another one"
        return ""


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
