"""The cookies of sign-ins, in memory for one run: each goes back to the origin that set it, and nowhere else."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from splashdown.sources import origin_of

if TYPE_CHECKING:  # most runs have no sign-in with cookies, and these bring a client for HTTP with them
    from email.message import Message
    from http.cookiejar import CookieJar

#: As many as user agents have to keep for one domain (RFC 6265, section 6.1).
_MOST = 50
_MOST_ORIGINS = 100


def cookie_lines(headers: Mapping[str, str]) -> Sequence[str]:
    """Each ``Set-Cookie`` line; they cannot be put together as other fields are (RFC 9110, section 5.3)."""
    if "set-cookie" not in headers:
        return ()
    several = getattr(headers, "getlist", None)  # of urllib3's headers
    return several("set-cookie") if several is not None else (headers["set-cookie"],)


class Cookies:
    """The cookies of several origins. One object serves all threads."""

    def __init__(self) -> None:
        # A jar for each origin: by themselves cookies are shared by the ports, schemes and siblings of a host.
        self._jars: dict[tuple[str, str, int | None], CookieJar] = {}
        self._lock = threading.Lock()

    def header(self, url: str) -> str:
        """The value of ``Cookie`` for a URL; empty for none."""
        if not self._jars:
            return ""
        with self._lock:
            jar = self._jars.get(_origin(url))
        if jar is None:
            return ""
        from urllib.request import Request

        request = Request(url)  # noqa: S310 - nothing is opened
        jar.add_cookie_header(request)
        return request.get_header("Cookie") or ""

    def keep(self, url: str, lines: Iterable[str]) -> None:
        """Take the ``Set-Cookie`` lines of an answer from a URL."""
        from http.cookiejar import CookieJar, DefaultCookiePolicy
        from urllib.request import Request

        with self._lock:
            origin = _origin(url)
            jar = self._jars.pop(origin, None) or CookieJar(DefaultCookiePolicy(rfc2965=False))
            self._jars[origin] = jar
            if len(self._jars) > _MOST_ORIGINS:
                del self._jars[next(iter(self._jars))]
        answer: Any = _Answer(lines)
        jar.extract_cookies(answer, Request(url))  # noqa: S310 - nothing is opened
        if len(jar) > _MOST:
            jar.clear()


class _Answer:
    """As much of an answer as a jar looks at."""

    def __init__(self, lines: Iterable[str]) -> None:
        from email.message import Message

        self._headers = Message()
        for line in lines:
            self._headers["Set-Cookie"] = line

    def info(self) -> Message:
        return self._headers


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        return origin_of(url)
    except ValueError:
        return ("", "", None)
