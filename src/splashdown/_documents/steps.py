"""The steps of one request, with what each of them sends: redirects, credentials, and the cookies of a sign-in.

The credentials of the first URL stay with its origin. A step to an origin that the user has listed gets the
credentials of that origin, a step to any other none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from splashdown._documents.redirects import MAX_REDIRECTS, Redirects
from splashdown.errors import SplashdownError
from splashdown.redact import secrets_of

if TYPE_CHECKING:
    from splashdown.protocols import StepCredentials


def secrets_sent(url: str, sent: Iterable[Mapping[str, str]]) -> frozenset[str]:
    """What a request from ``url`` on has sent, that a server may repeat and that must not be shown."""
    found = secrets_of(url).union(*(secrets_of("", headers) for headers in sent))
    cookies = (one for headers in sent for one in headers.get("Cookie", "").split("; "))
    return found | {one.partition("=")[2] for one in cookies}


class Steps:
    """``first`` gives the headers for a URL of the first origin; ``credentials`` those of all others."""

    def __init__(
        self,
        url: str,
        error: type[SplashdownError],
        *,
        first: Callable[[str], Mapping[str, str]],
        credentials: StepCredentials | None,
        most: int = MAX_REDIRECTS,
    ) -> None:
        self._first, self._credentials = first, credentials
        self._signed_in = False
        self._cookies_kept = 0
        # A sign-in leads back to where it began: not a circle once it has set a cookie.
        self._redirects = Redirects(url, error, most, state=lambda: self._cookies_kept)
        self._renewed = False
        self.sent: list[Mapping[str, str]] = []  #: the headers of each step so far
        self.withheld: list[str] = []  #: where steps without credentials have led

    @property
    def url(self) -> str:
        """Where the request stands."""
        return self._redirects.url

    def headers(self) -> Mapping[str, str]:
        """The headers to send now."""
        url = self.url
        if self._credentials is None:
            headers = self._first(url) if self._redirects.at_home else {}
        elif self._redirects.at_home:
            headers = self._first(url)
            self._signed_in = self._signed_in or (bool(headers) and self._credentials.lists(url))
        else:
            headers = self._credentials.headers(url)
            self._signed_in = self._signed_in or bool(headers)
        if cookie := self._cookie(url):
            headers = {**headers, "Cookie": cookie}
        self.sent.append(headers)
        if not headers:
            self.withheld.append(url)
        return headers

    def follow(self, status: int, location: str | None, cookies: Sequence[str]) -> bool:
        """Take an answer; true when another request has to follow, at :attr:`url`. Raises for refused redirects."""
        # Cookies belong to sign-ins: to listed origins, and to those that they lead back to.
        if self._credentials is not None and self._signed_in and cookies:
            self._credentials.keep_cookies(self.url, cookies)
            self._cookies_kept += 1
        if status == 401:
            return self._renew()
        return self._redirects.follow(status, location)

    def _renew(self) -> bool:
        refused = {name: value for name, value in self.sent[-1].items() if name != "Cookie"}
        if self._renewed or not refused or self._credentials is None:
            return False
        self._renewed = True
        headers = self._credentials.renew(self.url, refused)
        if headers and self._redirects.at_home:
            self._first = lambda _: headers
        return bool(headers)

    def _cookie(self, url: str) -> str:
        return "" if self._credentials is None else self._credentials.cookie(url)
