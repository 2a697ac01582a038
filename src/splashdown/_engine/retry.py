"""When a failed attempt is repeated, and how long to wait before. Policy only; the loop is in ``source``."""

from __future__ import annotations

import random
import threading
import time

from splashdown._engine.settings import RetryPolicy
from splashdown.errors import HttpStatusError, TransferError

#: A server that answers so is asked again only after its own time, by every transfer of that host.
_BUSY = frozenset({429, 503})


class StoppedError(TransferError):
    """The run was stopped by its user, or by the failure of another transfer (``fail_fast``)."""


def is_retryable(error: BaseException) -> bool:
    """Whether the same request may succeed later. An ``OSError`` that a transport let through is the network's."""
    if isinstance(error, TransferError):
        return error.retryable
    return isinstance(error, OSError)


class Budget:
    """Failures in a row that one reader may still have, and the delays between them."""

    __slots__ = ("_draw", "_policy", "failures")

    def __init__(self, policy: RetryPolicy, draw: random.Random | None = None) -> None:
        self._policy = policy
        self._draw = draw or random  # the module's own generator is one object for all threads, and safe
        self.failures = 0

    def refill(self) -> None:
        """Enough bytes have come: the failures before are forgiven."""
        self.failures = 0

    def delay(self, error: BaseException) -> float | None:
        """Count a failure; seconds to wait before the next attempt, or ``None`` to give up."""
        self.failures += 1
        policy = self._policy
        if self.failures >= policy.attempts:
            return None
        longest = min(policy.max_delay, policy.base * 2.0 ** min(self.failures - 1, 32))
        delay = self._draw.uniform(0.0, longest)
        asked = error.retry_after if isinstance(error, HttpStatusError) else None
        if asked is None:
            return delay
        return None if asked > policy.max_retry_after else max(asked, delay)


class Throttle:
    """Pauses all requests to a host that asked for it, so that the others do not run into the same answer."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def note(self, host: str, error: BaseException) -> None:
        """Remember a ``Retry-After``."""
        if isinstance(error, HttpStatusError) and error.status in _BUSY and error.retry_after:
            self.pause(host, error.retry_after)

    def pause(self, host: str, seconds: float) -> None:
        """Let no request to a host begin before that."""
        self._until[host] = max(self._until.get(host, 0.0), time.monotonic() + seconds)

    def wait(self, host: str, stop: threading.Event) -> None:
        """Return when the host may be asked, or when the run stops."""
        if not self._until:
            return
        while (left := self._until.get(host, 0.0) - time.monotonic()) > 0 and not stop.wait(left):
            pass


def host_of(href: str) -> str:
    """``host[:port]`` of a URL as it is written, ``""`` for anything else; cheap, it is asked once a file."""
    scheme, _, rest = href.partition("://")
    return rest.partition("/")[0].rpartition("@")[2].lower() if scheme and rest else ""
