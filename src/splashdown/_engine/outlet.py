"""Hands outcomes of a run to a loop in another thread, a bounded number ahead of it, and ends the run when it wants.

An outlet is passed on among the listeners, so that every action carries it. It gets outcomes in time, not events: the
thread that brought a file waits where the loop is slow.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from splashdown.errors import Abandoned
from splashdown.events import Event
from splashdown.model import Outcome
from splashdown.protocols import Listener


class Outlet:
    """A bounded queue: threads of the engine put outcomes, and the loop takes them."""

    def __init__(self, ahead: int) -> None:
        self._ahead = ahead
        self._waiting: deque[Outcome] = deque()
        self._changed = threading.Condition()
        self._finished = False
        self._cause: KeyboardInterrupt | None = None

    def __call__(self, event: Event) -> None:
        """Take no note of events."""

    @property
    def closed(self) -> bool:
        """Whether the loop wants the run to end."""
        return self._cause is not None

    def put(self, outcome: Outcome, seconds: float | None = None) -> bool:
        """Hand on one outcome; ``False`` where there was no room for so long. Once closed, nothing is kept."""
        with self._changed:
            if not self._changed.wait_for(self._has_room, seconds):
                return False
            if not self.closed:
                self._waiting.append(outcome)
                self._changed.notify_all()
            return True

    def _has_room(self) -> bool:
        return self.closed or len(self._waiting) < self._ahead

    def take(self, seconds: float | None = None) -> Outcome | None:
        """The next outcome; ``None`` when no other comes, or came within that time."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._finished, seconds)
            if not self._waiting:
                return None
            self._changed.notify_all()
            return self._waiting.popleft()

    @property
    def finished(self) -> bool:
        """Whether all outcomes were put and taken."""
        with self._changed:
            return self._finished and not self._waiting

    def finish(self) -> None:
        """Say that no other outcome comes."""
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def close(self, cause: KeyboardInterrupt | None = None) -> None:
        """Let the run end as Ctrl-C would end it; what is waiting is dropped. A second call does nothing."""
        with self._changed:
            self._cause = self._cause or cause or Abandoned()
            self._waiting.clear()
            self._finished = True
            self._changed.notify_all()

    def check(self) -> None:
        """Raise what ends the run, on its own thread, where the loop wants that."""
        if self._cause is not None:
            raise self._cause


def parted(listeners: Sequence[Listener]) -> tuple[Outlet | None, Sequence[Listener]]:
    """The outlet among listeners, and the others, which get events."""
    outlet = next((one for one in listeners if isinstance(one, Outlet)), None)
    return outlet, [one for one in listeners if one is not outlet]
