"""Waits before a document is asked for again: said in the log where they are long, and always as events."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from splashdown._connections.waits import retry_after
from splashdown._documents.places import shown
from splashdown.redact import safely_shown

if TYPE_CHECKING:
    from splashdown.events import Event

_log = logging.getLogger("splashdown")
#: Shorter waits are not in the log.
_LONG = 1.0
#: Of a document that is being prepared: with no pause at all it would be asked for without end.
_LEAST = 0.01


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Pauses:
    """Waits until the time has passed, or until ``closed`` is set."""

    emit: Callable[[Event], object] | None = None
    closed: threading.Event = field(default_factory=threading.Event)

    def wait(self, place: str, seconds: float, reason: str) -> None:
        """Wait before ``place`` is asked for again; ``reason`` says what happened."""
        if seconds >= _LONG:
            _log.warning("%s: %s; trying again in %.1f s", shown(place), reason, seconds)
        if self.emit is not None:
            from splashdown.events import Waiting  # late: few requests wait

            self.emit(Waiting(place=shown(place), delay=seconds, reason=reason))
        if seconds > 0:
            self.closed.wait(seconds)


@dataclass(slots=True, kw_only=True)
class Preparation:
    """How long a document is waited for that is being prepared (202): not a failure, within a limit altogether."""

    waited: float = 0.0
    _answers: int = 0

    def delay(self, headers: Mapping[str, str], *, base: float, most: float, longest: float) -> float | None:
        """Seconds until the next request; ``None`` where all waits together would be longer than ``longest``.

        As the server asks, else ``base`` seconds that double with each answer, up to ``most``.
        """
        # An answer that asks for no time at all would be repeated without end.
        delay = retry_after(headers) or min(most, max(base, _LEAST) * 2.0 ** min(self._answers, 32))
        if self.waited + delay > longest:
            return None
        self._answers += 1
        self.waited += delay
        return delay
