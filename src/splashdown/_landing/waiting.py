"""Asks for the status of unfinished jobs, and not more often than is polite."""

from __future__ import annotations

import time
from typing import Any

from splashdown._documents.faults import is_passing
from splashdown.errors import ResolveError, UsageError

#: Requests for the status of a job in a second, at most.
_MOST_A_SECOND = 10
#: After rounds in which a back-end did not answer, the pause is so many times the interval at most.
_LONGEST = 16
#: Statuses that change without the user (openEO API, ``GET /jobs/{job_id}``); that of a signed link is not known.
UNDER_WAY = frozenset({"queued", "running", "not finished"})
SHORTEST_INTERVAL = 1.0


class Clock:
    """When to ask next: ``interval`` and ``timeout`` are in seconds."""

    sleep = staticmethod(time.sleep)
    now = staticmethod(time.monotonic)

    def __init__(self, *, interval: float = 60.0, timeout: float | None = None) -> None:
        if not interval >= SHORTEST_INTERVAL:
            raise UsageError(f"interval is {SHORTEST_INTERVAL:g} second or more, got {interval:g}")
        if timeout is not None and not timeout >= 0:
            raise UsageError(f"timeout is a number of seconds, got {timeout:g}")
        self.interval, self._timeout = interval, timeout
        self._factor = 1
        self._asked = float("-inf")
        self._began = self.now()

    def next_round(self, *, answered: bool = True) -> bool:
        """Pause until the next round; ``False`` when the time is over. Without answers, pauses grow."""
        self._factor = 1 if answered else min(2 * self._factor, _LONGEST)
        left = float("inf") if self._timeout is None else self._began + self._timeout - self.now()
        if left <= 0:
            return False
        self.sleep(min(left, self.interval * self._factor))
        return True

    def before_request(self) -> None:
        """Pause where the last request was a moment ago."""
        early = self._asked + 1 / _MOST_A_SECOND - self.now()
        if early > 0:
            self.sleep(early)
        self._asked = self.now()


def status_of(source: Any) -> str | None:
    """The status of a job now; ``None`` for what has none, as the URL of a document."""
    status = getattr(source, "status", None)
    return str(status()) if callable(status) else None


def may_pass(error: BaseException) -> bool:
    """Whether it may be over in a minute, of the exceptions of this package and of other clients."""
    if isinstance(error, ResolveError):
        return is_passing(error)
    code = getattr(error, "http_status_code", None)  # of the openEO client
    return code >= 500 or code == 429 if isinstance(code, int) else isinstance(error, OSError)
