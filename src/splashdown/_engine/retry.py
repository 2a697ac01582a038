"""When a failed request is repeated, and after which delay. Policy only; the loop is in ``range_reader``."""

from __future__ import annotations

import logging
import random
import re
import threading
import time
from collections.abc import Callable, Iterable

from splashdown._engine.places import Places
from splashdown._engine.settings import RetryPolicy
from splashdown.errors import HttpStatusError, NetworkError, TransferError
from splashdown.events import Waiting

_log = logging.getLogger("splashdown")

#: With one of these a server may say when to come back; until then no transfer asks that host.
_BUSY = frozenset({429, 503})
_ACCEPTED = 202
_TOO_MANY = 429
_USED_UP = "the quota of requests is used up"
#: Shorter waits are not in the log, and do not count as other ones: seconds.
_WORTH_SAYING = 1.0
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

    __slots__ = ("_policy", "_prepared", "_waited", "failures")

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self.failures = 0
        self._prepared = 0  #: answers that the file is being prepared
        self._waited = 0.0  #: seconds spent on those

    def refill(self) -> None:
        """Forget the failures so far: enough bytes have come since."""
        self.failures = 0

    def delay(self, error: BaseException) -> float | None:
        """Count a failure; seconds to wait before the next attempt, or ``None`` to give up."""
        if isinstance(error, HttpStatusError) and error.status == _ACCEPTED:
            return self._until_prepared(error)
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

    def _until_prepared(self, error: HttpStatusError) -> float | None:
        """Not a failure: an archive takes its time, up to ``max_retry_after`` altogether."""
        policy = self._policy
        delay = error.retry_after or min(policy.max_delay, policy.base * 2.0 ** min(self._prepared, 32))
        self._prepared += 1
        self._waited += delay
        return delay if self._waited <= policy.max_retry_after else None


class Throttle:
    """Pauses all requests to a host that asked for it, so that other transfers do not get the same refusal."""

    def __init__(self, limit: Callable[[str], int | None] = lambda _: None) -> None:
        """Take the limit of each host, as far as it is known from the start."""
        self._limit = limit
        self.until: dict[str, float] = {}  #: when each host that asked for a pause may be asked again
        self.limited = False  #: whether a host has refused so many requests at a time
        self._places: dict[str, Places] = {}
        self._lock = threading.Lock()

    def places(self, host: str) -> Places:
        """The count of requests to a host, and how many of them it serves at a time as far as that is known."""
        places = self._places.get(host)
        if places is None:
            with self._lock:
                places = self._places.setdefault(host, Places(host, self._limit(host)))
        return places

    @property
    def known(self) -> list[Places]:
        """The counts of all hosts that were asked."""
        return list(self._places.values())

    def enter(self, host: str, stop: threading.Event) -> Places:
        """Count a request to a host whose answer stays open; waits for a place where the host serves few at a time."""
        places = self.places(host)
        places.enter(stop)
        return places

    def refused(self, places: Places, error: BaseException) -> bool:
        """Whether a host has refused a request for being one too many, and not said when to come back.

        In both cases fewer are sent to it from then on.
        """
        if not _is_one_too_many(error, serves_others=places.serves_others):
            return False
        self.limited = True
        places.refused(str(error.status) if isinstance(error, HttpStatusError) else "connections are refused")
        return not (isinstance(error, HttpStatusError) and error.retry_after)

    def note(self, host: str, error: BaseException, longest: float) -> None:
        """Remember a ``Retry-After`` that is not longer than this run waits; beyond that, each request fails alone."""
        if (
            isinstance(error, HttpStatusError)
            and error.status in _BUSY
            and error.retry_after
            and error.retry_after <= longest
        ):
            self.pause(host, error.retry_after)

    def pause(self, host: str, seconds: float) -> bool:
        """Let no request to a host begin for so many seconds; false where it already waits for about as long."""
        before, until = self.until.get(host, 0.0), time.monotonic() + seconds
        self.until[host] = max(before, until)
        return until > before + _WORTH_SAYING

    def use_up(self, host: str, seconds: float) -> Waiting | None:
        """Pause, as a good answer has used up a quota; the event to emit, where that is news, which is logged too."""
        if not self.pause(host, seconds):
            return None
        if seconds >= _WORTH_SAYING:
            _log.warning("%s: %s; asking again in %.1f s", host, _USED_UP, seconds)
        return Waiting(place=host, delay=seconds, reason=_USED_UP)

    def wait(self, host: str, stop: threading.Event) -> None:
        """Return when the host may be asked, or when the run stops."""
        if not self.until:  # the common case, once for each request
            return
        while (left := self.until.get(host, 0.0) - time.monotonic()) > 0 and not stop.wait(left):
            pass


def _is_one_too_many(error: BaseException, *, serves_others: bool) -> bool:
    """Whether an error says that a host has too many requests of ours.

    A 503 and a refused connection say so only of a host that serves others: it may be down as well.
    """
    if isinstance(error, HttpStatusError):
        return error.status == _TOO_MANY or (error.status in _BUSY and serves_others)
    return isinstance(error, NetworkError) and error.refused and serves_others


def hosts_of(hrefs: Iterable[str]) -> list[str]:
    """:func:`host_of` of each href, without a call for each of the usual form; equal hosts are one string."""
    same: dict[str, str] = {}
    return [
        same.setdefault(host := found[1] if (found := _USUAL_HOST.match(href)) else host_of(href), host)
        for href in hrefs
    ]


def host_of(href: str) -> str:
    """``host[:port]`` of a URL as it is written, ``""`` for anything else."""
    # Not urlsplit, which takes ten times as long: a run asks this twice for each file.
    scheme, _, rest = href.partition("://")
    return rest.partition("/")[0].rpartition("@")[2].lower() if scheme and rest else ""
