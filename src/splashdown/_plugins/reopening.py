"""How a source was opened: what reads it again in this process, and opens it again in another one, without a secret."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

from splashdown.auth import StoredLogin, from_environment, is_name, read_environment
from splashdown.model import ResultSet
from splashdown.redact import safely_shown

#: Values of options that another process can get.
_PLAIN = (str, int, float, bool, type(None))


class Opened(Protocol):
    """What a session gives for a source."""

    @property
    def result_set(self) -> ResultSet:
        """The assets."""


class Opens(Protocol):
    """A session."""

    def open(self, source: object, *, auth: object = None, resolver: str | None = None, **options: Any) -> Opened:
        """The results of a source."""


@runtime_checkable
class OpenedByUrl(Protocol):
    """A source that is an object, and that a URL with credentials leads to as well."""

    def opened_by(self) -> tuple[str, object]:
        """The URL, and the value for ``auth=``."""


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ReadAgain:
    """Reads a source again for fresh links. Another process has no ``here``, and opens the source instead."""

    here: Callable[[], ResultSet] | None = field(repr=False)
    session: Opens = field(repr=False)
    source: object = field(repr=False)
    resolver: str | None
    auth: object = field(repr=False)  #: as it was given
    own: Sequence[object] = field(repr=False)  #: what the source gets, or each of several
    options: Mapping[str, Any] = field(repr=False)

    def __call__(self) -> ResultSet:
        """The result set as it is now."""
        if self.here is not None:
            return self.here()
        return self.session.open(self.source, auth=self.auth, resolver=self.resolver, **self.options).result_set

    def elsewhere(self) -> Self | None:
        """The same for another process; ``None`` for what it cannot open, or only with a secret."""
        from splashdown._plugins.secret_options import secrets_in  # late: few results go to another process

        source, own, auth = self.source, self.own, self.auth
        if isinstance(source, OpenedByUrl):
            source, of_source = source.opened_by()
            auth = of_source if auth is None else auth
            own = (auth,)
        sources = source if isinstance(source, list | tuple) else (source,)
        if not all(isinstance(one, str | Path) and one != "-" for one in sources):
            return None
        if not all(map(_is_plain, self.options.values())) or next(secrets_in(self.options), None):
            return None
        if any(one is not None and name_of(one) is None for one in own):
            return None
        return replace(self, here=None, source=source, auth=name_of(auth), own=())


def name_of(auth: object) -> object:
    """The name by which another process finds the credentials of a source; ``None`` for credentials passed as values.

    Of a mapping the entries that do.
    """
    if isinstance(auth, Mapping):
        return {origin: name for origin, given in auth.items() if (name := name_of(given)) is not None}
    if isinstance(auth, StoredLogin) or is_name(auth):
        return auth
    return read_environment if auth is not None and auth == from_environment(os.environ) else None


def _is_plain(value: object) -> bool:
    return isinstance(value, _PLAIN) or (isinstance(value, list | tuple) and all(map(_is_plain, value)))
