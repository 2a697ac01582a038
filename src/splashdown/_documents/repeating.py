"""How requests for documents are repeated: how often, and after which waits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

from urllib3 import Retry
from urllib3.exceptions import MaxRetryError, ResponseError

from splashdown._connections.hosts import Profiles
from splashdown._connections.tls import wants_certificate
from splashdown._connections.waits import retry_after
from splashdown._documents.pauses import Pauses


class Repeats(Retry):
    """Repeats what may go well another time: not a connection that needs a client certificate.

    A server that asks to wait for longer than ``retry_after_max`` is not asked again. Profiles, and the settings in
    them, may say how often, and how long to wait.
    """

    profiles = Profiles()
    pauses = Pauses()
    waited = 0.0  #: seconds that the server has asked for
    place = ""  #: the URL of the answer or the failure

    def made(self, profiles: Profiles, pauses: Pauses) -> Self:
        """The same by these profiles, with these pauses."""
        made = self.new()
        made.profiles, made.pauses = profiles, pauses
        return made

    def new(self, **options: Any) -> Self:
        made = super().new(**options)
        made.profiles, made.pauses, made.waited, made.place = self.profiles, self.pauses, self.waited, self.place
        return made

    def at(self, host: str) -> Self:
        """The same for ``host`` or ``host:port``, by its profile."""
        said = self.profiles.retry_of(host)
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
        if asked is not None and asked > policy.retry_after_max:
            raise MaxRetryError(_pool, url or "", ResponseError("the server asks to wait for too long"))
        made = super(Repeats, policy).increment(method, url, response, error, _pool, _stacktrace)
        made.place = f"{_pool.scheme}://{_pool.host}:{_pool.port}{url}" if _pool is not None else str(url or "")
        return made

    def sleep(self, response: Any = None) -> None:
        """Wait before the next request."""
        asked = None if response is None else self.get_retry_after(response)
        seconds = asked or self.get_backoff_time()
        self.waited += asked or 0.0
        reason = f"the server answered {response.status}" if response is not None else "the connection failed"
        self.pauses.wait(self.place, seconds, reason)


REPEATS = Repeats(
    total=3,
    connect=2,
    redirect=0,
    backoff_factor=0.2,
    backoff_max=60,
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
