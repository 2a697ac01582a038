"""How requests for documents are repeated: how often, after which waits, and what is said of long ones."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Self

from urllib3 import Retry
from urllib3.exceptions import MaxRetryError, ResponseError
from urllib3.util.retry import RequestHistory

from splashdown._connections.hosts import Profiles
from splashdown._connections.tls import wants_certificate
from splashdown._connections.waits import retry_after
from splashdown._documents.places import shown

_log = logging.getLogger("splashdown")
#: Shorter waits are not said.
_LONG = 1.0


class Repeats(Retry):
    """Repeats what may go well another time: not a connection that needs a client certificate.

    A server that asks to wait for longer than ``retry_after_max`` is not asked again. The profile of a host may say
    how often, and how long to wait. A document that is being prepared (202) is waited for, that long altogether.
    """

    profiles = Profiles()
    closed = threading.Event()  #: ends all waits
    waited = 0.0  #: seconds that the server has asked for
    place = ""  #: the URL of the answer or the failure

    def made(self, profiles: Profiles, closed: threading.Event) -> Self:
        """The same by these profiles, until ``closed`` is set."""
        made = self.new()
        made.profiles, made.closed = profiles, closed
        return made

    def new(self, **options: Any) -> Self:
        made = super().new(**options)
        made.profiles, made.closed, made.waited, made.place = self.profiles, self.closed, self.waited, self.place
        return made

    def at(self, host: str) -> Self:
        """The same for ``host`` or ``host:port``, by its profile."""
        said = self.profiles.of(host).retry_fields()
        options: dict[str, Any] = {}
        if "attempts" in said:
            options |= {"total": said["attempts"] - 1, "connect": said["attempts"] - 1}
        names = {"base": "backoff_factor", "max_delay": "backoff_max", "max_retry_after": "retry_after_max"}
        options |= {option: said[name] for name, option in names.items() if name in said}
        return self.new(**options) if options else self

    def too_long(self, status: int, headers: Mapping[str, str]) -> str:
        """Words for a wait that is longer than allowed; empty for any other answer."""
        asked = retry_after(headers) if self.is_retry("GET", status, has_retry_after=True) else None
        if asked is None or asked <= self.retry_after_max:
            return ""
        return f"it asks to wait {asked:g} seconds, max_retry_after allows {self.retry_after_max:g}"

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        prepared = status_code == HTTPStatus.ACCEPTED and method == "GET" and has_retry_after
        return prepared or super().is_retry(method, status_code, has_retry_after)

    def get_retry_after(self, response: Any) -> float | None:
        return retry_after(response.headers)

    def increment(
        self,
        method: Any = None,
        url: Any = None,
        response: Any = None,
        error: Any = None,
        _pool: Any = None,
        _stacktrace: Any = None,
    ) -> Self:
        if error is not None and wants_certificate(causes(error)):
            raise error
        policy = self if self.history or _pool is None else self.at(f"{_pool.host}:{_pool.port}")
        asked = None if response is None else policy.get_retry_after(response)
        prepared = asked is not None and response.status == HTTPStatus.ACCEPTED
        if asked is not None and asked + (policy.waited if prepared else 0.0) > policy.retry_after_max:
            raise MaxRetryError(_pool, url or "", ResponseError("the server asks to wait for too long"))
        if prepared:
            made = policy.new(history=(*policy.history, RequestHistory(method, url, None, response.status, None)))
        else:
            made = super(Repeats, policy).increment(method, url, response, error, _pool, _stacktrace)
        made.place = f"{_pool.scheme}://{_pool.host}:{_pool.port}{url}" if _pool is not None else str(url or "")
        return made

    def sleep(self, response: Any = None) -> None:
        """Wait before the next request, and say so where it takes a while."""
        asked = None if response is None else self.get_retry_after(response)
        if asked is not None and response.status == HTTPStatus.ACCEPTED:
            asked = max(_LONG, asked)  # such answers are not counted
        seconds = asked or self.get_backoff_time()
        self.waited += asked or 0.0
        if seconds >= _LONG:
            said = f"the server answered {response.status}" if response is not None else "the connection failed"
            _log.warning("%s: %s; trying again in %.1f s", shown(self.place), said, seconds)
        if seconds > 0:
            self.closed.wait(seconds)


REPEATS = Repeats(
    total=3,
    connect=2,
    redirect=0,
    backoff_factor=0.2,
    backoff_jitter=0.2,
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=("GET", "POST", "PUT"),  # a POST is a search, or adds what is refused the second time
    retry_after_max=600,  # as for files
    raise_on_status=False,
    raise_on_redirect=False,
)


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and those that it wraps, as requests and urllib3 do it: as arguments, and as a reason."""
    yield error
    for one in (*error.args, getattr(error, "reason", None)):
        if isinstance(one, BaseException):
            yield from causes(one)
