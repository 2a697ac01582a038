"""Delivers events to listeners: one queue, one thread, and no listener can harm the run or another listener."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Sequence

from splashdown._engine.announcing import name_of
from splashdown.errors import error_text
from splashdown.events import Event, Progress
from splashdown.protocols import Listener

_log = logging.getLogger("splashdown")

#: With so many events waiting, more progress is dropped: it is of use only while it is fresh.
_MOST_WAITING = 5_000
#: A listener that hangs must not hang the end of a run for ever.
_CLOSE_SECONDS = 10.0
#: The same after Ctrl-C, when a person waits for the prompt.
_INTERRUPTED_SECONDS = 0.2


class Dispatcher:
    """``emit`` from any thread; ``close`` delivers what is left. Costs nothing without listeners."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = list(listeners)
        self._queue: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._current: Listener | None = None
        self._thread: threading.Thread | None = None
        self.active = bool(listeners)  #: callers need not even make an event when this is false
        if self.active:
            self._thread = threading.Thread(target=self._deliver, name="splashdown-events", daemon=True)
            self._thread.start()

    def emit(self, event: Event) -> None:
        """Queue one event; never blocks."""
        if self.active and not (type(event) is Progress and self._queue.qsize() > _MOST_WAITING):
            self._queue.put(event)

    def close(self, *, interrupted: bool = False) -> None:
        """Wait until everything is delivered, or until a hanging listener has had its time."""
        if self._thread is None:
            return
        self._queue.put(None)
        seconds = _INTERRUPTED_SECONDS if interrupted else _CLOSE_SECONDS
        self._thread.join(seconds)
        if self._thread.is_alive() and not interrupted:
            name = name_of(self._current)
            _log.warning("listener %s did not return within %g seconds; it does not get the last events", name, seconds)
        self.active = False

    def _deliver(self) -> None:
        while (event := self._queue.get()) is not None:
            for listener in tuple(self._listeners):  # a copy: a listener that fails is taken from the list
                self._current = listener
                try:
                    listener(event)
                except BaseException as error:  # on this thread no signal arrives: all of them are the listener's
                    self._drop(listener, error)

    def _drop(self, listener: Listener, error: BaseException) -> None:
        self._listeners = [one for one in self._listeners if one is not listener]
        _log.warning("listener %s failed and gets no more events: %s", name_of(listener), error_text(error))
