"""Gives events to listeners at once, in the thread in which they happen, one event at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable

from splashdown.errors import error_text
from splashdown.events import Event
from splashdown.protocols import Listener

_log = logging.getLogger("splashdown")


class Announcer:
    """A listener that passes each event to several; one that fails gets no more."""

    def __init__(self, listeners: Iterable[Listener]) -> None:
        self._listeners = list(listeners)
        self._lock = threading.RLock()  # a listener may read a source itself

    def __call__(self, event: Event) -> None:
        with self._lock:
            for listener in tuple(self._listeners):  # a copy: a listener that fails is taken from the list
                try:
                    listener(event)
                except Exception as error:
                    self._listeners = [one for one in self._listeners if one is not listener]
                    _log.warning("listener %s failed and gets no more events: %s", name_of(listener), error_text(error))


def name_of(listener: Listener | None) -> str:
    """The name of a listener for messages."""
    return str(getattr(listener, "__qualname__", type(listener).__qualname__))
