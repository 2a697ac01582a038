"""Reads documents through the client of another package, which asks for URLs and has credentials in its own way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from splashdown._connections.addresses import Gate
from splashdown._connections.options import HttpOptions
from splashdown._documents.authority import Anonymous
from splashdown._documents.client import Client, Fetched
from splashdown._documents.listed import Listed

#: What a server said to the request for a URL: where it was finally read, the status and the body.
Ask = Callable[[str], tuple[str, int, bytes]]

#: Headers of the other client: there are credentials, which are not known here.
_UNKNOWN: Mapping[str, str] = {"Authorization": ""}


class BorrowedClient(Client):
    """Asks for URLs with ``ask``, and for a new token with ``renew``; has no session of its own."""

    def __init__(self, ask: Ask, renew: Callable[[], bool] | None) -> None:
        self.authority = _Renewing(renew) if renew else Anonymous()
        self._ask, self._listed = ask, Listed()
        self.http, self.gate = HttpOptions(), Gate()  # the other client makes the connections

    @property
    def held(self) -> bool:
        """The other client has credentials."""
        return True

    def close(self) -> None:
        """Leave the connections to the client that they belong to."""

    def _fetch(
        self,
        url: str,
        headers: Mapping[str, str] | None,  # noqa: ARG002 - the other client has the credentials
        question: Mapping[str, Any] | None,  # noqa: ARG002 - a job's results are never searched
        method: str = "",  # noqa: ARG002 - and nothing is sent there
    ) -> Fetched:
        return Fetched(*self._ask(url), [_UNKNOWN])


class _Renewing(Anonymous):
    def __init__(self, renew: Callable[[], bool]) -> None:
        self._renew = renew

    def renew(self, refused: Mapping[str, str]) -> bool:  # noqa: ARG002 - the other client has the credentials
        return self._renew()
