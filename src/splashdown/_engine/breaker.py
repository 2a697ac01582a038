"""Notices what stops every further file, so that a run ends after a few failures and not after thousands."""

from __future__ import annotations

import re
import threading
from typing import NamedTuple

from splashdown.errors import (
    HttpStatusError,
    LinkExpiredError,
    NetworkError,
    StalledError,
    StoreError,
    error_text,
)
from splashdown.redact import safely_shown

#: The server does not want to answer this user, or cannot answer anyone.
_DENIED = frozenset({401, 403, 407, 429})
#: The key of the store among the hosts.
_STORE = ""
#: Names of files in a message: without them the same failure of two files reads the same.
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


@safely_shown
class Fault(NamedTuple):
    """A failure that may be every further file's: of which host, or of the store, and why."""

    where: str
    why: str  #: in a form that two failures of the same kind share
    text: str  #: for people


class Breaker:
    """Counts failures in a row for the same reason: of each host, and of the store.

    Another reason, or a file that lands, starts the count again. ``limit`` is how many are enough; 0 for never.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rows: dict[str, tuple[str, int]] = {}
        self._lock = threading.Lock()
        self.counting = False  #: whether a file that lands has to be noted: read for each, so it is not a call
        self.given_up: dict[str, str] = {}  #: hosts of which nothing more is tried, and why
        self.stopped = ""  #: why nothing at all is tried any more

    @property
    def reason(self) -> str:
        """Why some files were not tried; empty where that is not so."""
        return self.stopped or "; ".join(self.given_up.values())

    def landed(self, host: str) -> None:
        """Note that a file has come from the host and is in the store."""
        with self._lock:
            self._rows.pop(host, None)
            self._rows.pop(_STORE, None)
            self.counting = bool(self._rows)

    def failed(self, host: str, error: BaseException) -> None:
        """Note why a file has failed, after all its retries."""
        if not self._limit:
            return
        if isinstance(error, StoreError):
            where, why = _STORE, _QUOTED.sub("", str(error))
        elif what := _fault_of_host(error):
            where, why = host, what
        else:
            return
        self.count(Fault(where, why, error_text(error)))

    def count(self, fault: Fault) -> None:
        """Note a failure by its reason."""
        where, why, text = fault
        if not self._limit:
            return
        with self._lock:
            before, count = self._rows.get(where, ("", 0))
            count = count + 1 if why == before else 1
            self._rows[where] = (why, count)
            self.counting = True
            if count < self._limit:
                return
            last = f"failed for {count} files in a row, the last time with {text}"
            if where == _STORE:
                self.stopped = f"the target {last}"
            else:
                self.given_up.setdefault(where, f"{where} {last}")


def _fault_of_host(error: BaseException) -> str:
    """The reason in a form that two failures share, where it is not one file's alone; else empty."""
    if isinstance(error, HttpStatusError):
        return f"status {error.status}" if error.status in _DENIED or error.status >= 500 else ""
    if isinstance(error, NetworkError | StalledError | LinkExpiredError):
        return type(error).__name__
    return ""
