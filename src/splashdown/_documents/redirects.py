"""The rule for redirects, one for documents and assets, for GET and POST.

The method and the body stay the same. Refused are a scheme other than http(s), https to http, user and password in
the URL, a circle, and too many steps. :mod:`splashdown._documents.steps` says what is sent with each.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

from splashdown._documents.places import same_origin, shown
from splashdown.errors import SplashdownError

MAX_REDIRECTS = 10
_STATUS = frozenset({301, 302, 303, 307, 308})


class Redirects:
    """The steps of one request; ``url`` is where it stands.

    ``state`` counts what else decides an answer: a step back is not a circle when that has changed.
    """

    __slots__ = ("_error", "_most", "_state", "_steps", "_visited", "at_home", "url")

    def __init__(
        self,
        url: str,
        error: type[SplashdownError],
        most: int = MAX_REDIRECTS,
        *,
        state: Callable[[], int] = lambda: 0,
    ) -> None:
        self.url = url
        self.at_home = True  #: no step has left the first URL's origin; a way back does not restore credentials
        self._error, self._most = error, most
        self._state = state
        self._steps = [url]
        self._visited = {(url, state())}

    def follow(self, status: int, location: str | None) -> bool:
        """Go where an answer leads; false when it leads nowhere. Raises the given error for what is refused."""
        if status not in _STATUS or not location:
            return False
        target = self._target(location)
        if (target, self._state()) in self._visited:
            raise self._error(f"{shown(self._steps[0])}: redirects lead in a circle ({self._way(target)})")
        if len(self._steps) > self._most:
            raise self._error(f"{shown(self._steps[0])}: more than {self._most} redirects ({self._way(target)})")
        self.at_home = self.at_home and same_origin(target, self.url)
        self.url = target
        self._steps.append(target)
        self._visited.add((target, self._state()))
        return True

    def _target(self, location: str) -> str:
        # Header bytes come as Latin-1; a location in UTF-8 is not valid but it is common.
        location = location.encode("latin-1", "replace").decode("utf-8", "replace").strip()
        try:
            target = urljoin(self.url, location).partition("#")[0]
            parts = urlsplit(target)
        except ValueError:
            raise self._error(f"{shown(self.url)} redirects to something that is not a URL: refused") from None
        if parts.scheme not in {"http", "https"}:
            raise self._error(f"{shown(self.url)} redirects to a {parts.scheme} URL: only http(s) is followed")
        if parts.scheme == "http" and self.url[:6].lower() == "https:":
            raise self._error(f"{shown(self.url)} redirects from https to http ({shown(target)}): refused")
        if "@" in parts.netloc:
            raise self._error(f"{shown(self.url)} redirects to a URL with user and password ({shown(target)}): refused")
        return target

    def _way(self, target: str) -> str:
        return " -> ".join(shown(step) for step in [*self._steps, target][-4:])
