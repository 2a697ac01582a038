"""When a failed request is repeated, and after which delay. Policy only; the loop is in ``range_reader``."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Iterable

from splashdown._engine.settings import RetryPolicy
from splashdown.errors import HttpStatusError, TransferError

#: With one of these a server may say when to come back; until then no transfer asks that host.
_BUSY = frozenset({429, 503})
#: Most hrefs have a host in lower case, and no user before it.
_USUAL_HOST = re.compile(r"[a-z][a-z0-9+.-]*://([a-z0-9.-]+(?::[0-9]+)?)/")


class StoppedError(TransferError):
    """The run was stopped by its user, or by the failure of another transfer (``fail_fast``)."""


def is_retryable(error: BaseException) -> bool:
    """Whether the same request may succeed later. An ``OSError`` that a transport let through is the network's."""
    if isinstance(error, TransferError):
        return error.retryable
    return isinstance(error, OSError)


class RetryBudget:
    """Failures in a row that one reader may still have, and the delays between them."""

    __slots__ = ("_policy", "failures")

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self.failures = 0

    def refill(self) -> None:
        """Forget the failures so far: enough bytes have come since."""
        self.failures = 0

    def delay(self, error: BaseException) -> float | None:
        """Count a failure; seconds to wait before the next attempt, or ``None`` to give up."""
        self.failures += 1
        policy = self._policy
        if self.failures >= policy.attempts:
            return None
        # The exponent is bounded: a policy with very many attempts would overflow a float.
        longest = min(policy.max_delay, policy.base * 2.0 ** min(self.failures - 1, 32))
        delay = random.uniform(0.0, longest)  # noqa: S311 - not a secret
        asked = error.retry_after if isinstance(error, HttpStatusError) else None
        if asked is None:
            return delay
        # An error at once is of more use than a program that stands still for hours.
        return None if asked > policy.max_retry_after else max(asked, delay)


class Throttle:
    """Pauses all requests to a host that asked for it, so that other transfers do not get the same refusal."""

    def __init__(self) -> None:
        self.until: dict[str, float] = {}  #: when each host that asked for a pause may be asked again

    def note(self, host: str, error: BaseException, longest: float) -> None:
        """Remember a ``Retry-After`` that is not longer than this run waits; beyond that, each request fails alone."""
        if (
            isinstance(error, HttpStatusError)
            and error.status in _BUSY
            and error.retry_after
            and error.retry_after <= longest
        ):
            self.pause(host, error.retry_after)

    def pause(self, host: str, seconds: float) -> None:
        """Let no request to a host begin for so many seconds."""
        self.until[host] = max(self.until.get(host, 0.0), time.monotonic() + seconds)

    def wait(self, host: str, stop: threading.Event) -> None:
        """Return when the host may be asked, or when the run stops."""
        if not self.until:  # the common case, once for each request
            return
        while (left := self.until.get(host, 0.0) - time.monotonic()) > 0 and not stop.wait(left):
            pass


def hosts_of(hrefs: Iterable[str]) -> list[str]:
    """:func:`host_of` of each href, without a call for each of the usual form."""
    return [found[1] if (found := _USUAL_HOST.match(href)) else host_of(href) for href in hrefs]


def host_of(href: str) -> str:
    """``host[:port]`` of a URL as it is written, ``""`` for anything else."""
    # Not urlsplit, which takes ten times as long: a run asks this twice for each file.
    scheme, _, rest = href.partition("://")
    return rest.partition("/")[0].rpartition("@")[2].lower() if scheme and rest else ""
