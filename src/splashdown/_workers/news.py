"""What batches have done while they run: counted on the worker, added up by the coordinator."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from splashdown._engine.dispatch import Dispatcher
from splashdown.events import Event, Progress, TransferFinished, WorkersProgress

#: A batch says so often what it has done. It is never a message for each file.
_SECONDS: Final = 1.0

#: Files that have ended, and bytes.
Done = tuple[int, int]


class Counting:
    """The listener of a batch on its worker. ``say`` sends what it has counted; ``clock`` is in seconds."""

    def __init__(self, say: Callable[[Done], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say, self._clock = say, clock
        self._said_at = clock()
        self._moving: dict[int, int] = {}
        self._files = self._bytes = 0

    def __call__(self, event: Event) -> None:
        """Count, and say so once a second."""
        if isinstance(event, Progress):
            self._moving[id(event.transfer)] = event.done
        elif isinstance(event, TransferFinished):
            self._moving.pop(id(event.outcome.transfer), None)
            self._files += 1
            self._bytes += event.outcome.size or 0
        if (now := self._clock()) - self._said_at >= _SECONDS:
            self._said_at = now
            self._say((self._files, self._bytes + sum(self._moving.values())))


class Heard:
    """What all batches under way have said, for the listeners of the run."""

    def __init__(self, events: Dispatcher) -> None:
        self._events = events
        self._found: dict[int, Done] = {}  #: by the first number of the batch
        self._emitted: Done | None = (0, 0)

    def of(self, batch: int) -> Callable[[Any], None]:
        """A function that takes what a batch says, on any thread."""

        def hear(done: Done) -> None:
            self._found[batch] = done

        return hear

    @contextmanager
    def naming(self, batch: int) -> Iterator[None]:
        """Leave out a batch that has ended, while its files get their events, and say when they have them."""
        known = self._found.pop(batch, None) is not None
        if known:
            self.emit()
        yield
        if known:
            self._emitted = None
            self.emit()

    def emit(self) -> None:
        """Emit the sum, where it is another one."""
        found = [*self._found.values()]
        now = sum(files for files, _ in found), sum(size for _, size in found)
        if now != self._emitted:
            self._emitted = now
            self._events.emit(WorkersProgress(finished=now[0], done=now[1]))
