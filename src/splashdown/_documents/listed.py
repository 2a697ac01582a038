"""Credentials for the origins that the user has listed, and the cookies of their sign-ins, for one run."""

from __future__ import annotations

import base64
import ipaddress
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlencode

from splashdown._documents.authority import clean_token
from splashdown._documents.cookies import Cookies
from splashdown._documents.places import carries_signature
from splashdown.auth import ApiKey, Netrc, is_name
from splashdown.errors import AuthError, OptionError, SplashdownError, UsageError
from splashdown.protocols import RenewingSigner, Signer, SupportsServes
from splashdown.redact import redact_text, safely_shown
from splashdown.sources import is_url, matches_origin, origin_of, refuse_no_origin

#: A callable that gave again what was refused is left alone for so long: each of many files would ask it.
_PAUSE = 60.0


class _Sent(NamedTuple):
    """What a credential adds to a request."""

    headers: Mapping[str, str]
    query: tuple[str, str] | None = None

    def __repr__(self) -> str:
        return "_Sent(...)"


class Credential:
    """A token, ``(user, password)`` or key, or a callable that gives one and is asked again once that was refused."""

    def __init__(self, given: object, whose: str) -> None:
        self._whose = whose
        self._ask: Callable[[], object] | None = given if callable(given) else None
        self._sent: _Sent | None = None if callable(given) else _sent(given, whose)
        self._useless_at = -_PAUSE
        self._lock = threading.Lock()

    def headers(self) -> Mapping[str, str]:
        """The header to send; empty for a key that goes into the query."""
        return self._now().headers

    def query(self) -> tuple[str, str] | None:
        """The parameter to send, with its value; ``None`` for what goes into a header."""
        return self._now().query

    def _now(self) -> _Sent:
        with self._lock:
            if self._sent is None:
                self._sent = self._asked()
            return self._sent

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Ask again after these headers were refused; false when there is nothing else to send."""
        if self._ask is None:
            return False
        with self._lock:
            before = self._sent
            if before is not None and any(refused.get(name) != value for name, value in before.headers.items()):
                return True  # another thread was refused too, and has asked
            if time.monotonic() - self._useless_at < _PAUSE:
                return False
            self._sent = self._asked()
            if self._sent == before:
                self._useless_at = time.monotonic()
                return False
        return True

    def _asked(self) -> _Sent:
        assert self._ask is not None
        try:
            return _sent(self._ask(), self._whose)
        except SplashdownError:
            raise
        except Exception as error:  # its message may hold the secret
            raise AuthError(f"{self._whose}: the callable for its credentials raised {type(error).__name__}") from None


def _sent(given: object, whose: str) -> _Sent:
    if isinstance(given, ApiKey):
        return _Sent({given.header: given.key}) if given.header else _Sent({}, (given.query, given.key))
    if isinstance(given, str):
        return _Sent({"Authorization": f"Bearer {clean_token(given)}"})
    if isinstance(given, tuple) and len(given) == 2 and all(isinstance(part, str) for part in given):
        return _Sent({"Authorization": f"Basic {base64.b64encode(':'.join(given).encode()).decode('ascii')}"})
    raise UsageError(
        f"auth= of {whose} takes a token, (user, password), an ApiKey or a callable that gives one, not"
        f" {type(given).__name__}"
    )


class Listed:
    """Knows what each listed origin gets, and keeps the cookies of sign-ins there. One object serves all threads.

    ``entries`` is by origin; ``*.`` at the start of a host stands for labels. With ``netrc`` each host that has an
    entry in that file is listed too, over https, or http on this machine.
    """

    def __init__(self, entries: Mapping[str, object] | None = None, netrc: Netrc | None = None) -> None:
        for origin in entries or {}:
            if not is_url(origin):
                raise OptionError(f"auth= lists origins such as https://data.example, not {redact_text(str(origin))!r}")
            refuse_no_origin(origin, "auth= (--token-origin)")
        self._given = dict(entries or {})
        self._credentials = {origin: Credential(given, origin) for origin, given in self._given.items()}
        self._netrc, self._hosts = netrc, dict[str, Credential]()
        self._read = netrc is None
        self._lock = threading.Lock()
        self.cookies = Cookies()
        self.keys_sent: set[str] = set()  #: keys that are in URLs, which servers repeat

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle names of credentials alone (:func:`splashdown.auth.is_name`); secrets and cookies stay here."""
        return Listed, ({origin: given for origin, given in self._given.items() if is_name(given)}, self._netrc)

    @property
    def withheld(self) -> tuple[str, ...]:
        """The origins whose credentials are not pickled."""
        return tuple(origin for origin, given in self._given.items() if not is_name(given))

    def __bool__(self) -> bool:
        return bool(self._given) or self._netrc is not None

    def given(self, url: str) -> object:
        """What the user gave for the origin of a URL, as it was given; ``None`` for an origin that is not listed."""
        origin = self._origin(url)
        return None if origin is None else self._given[origin]

    def lists(self, url: str) -> bool:
        """Whether the origin of a URL is listed."""
        return self._credential(url) is not None

    def headers(self, url: str) -> Mapping[str, str]:
        """The credentials for a URL: empty for an origin that is not listed, and for a presigned URL."""
        found = self._credential(url)
        return {} if found is None or carries_signature(url) else found.headers()

    def with_key(self, url: str) -> str:
        """The URL to ask for: with the key of its origin, where that goes into the query."""
        found = self._credential(url)
        if found is None or carries_signature(url) or (pair := found.query()) is None:
            return url
        self.keys_sent.add(pair[1])
        bare, hash_, fragment = url.partition("#")
        return f"{bare}{'&' if '?' in bare else '?'}{urlencode([pair])}{hash_}{fragment}"

    def renewed(self, url: str, refused: Mapping[str, str]) -> Mapping[str, str]:
        """Other credentials for a URL after these were refused; empty when there are none."""
        found = self._credential(url)
        return self.headers(url) if found is not None and found.renew(refused) else {}

    def _origin(self, url: str) -> str | None:
        matching = [origin for origin in self._given if matches_origin(url, origin)]
        return max(matching, key=lambda origin: ("*" not in origin, len(origin)), default=None)

    def _credential(self, url: str) -> Credential | None:
        if not is_url(url):
            return None
        origin = self._origin(url)
        return self._of_netrc(url) if origin is None else self._credentials[origin]

    def _of_netrc(self, url: str) -> Credential | None:
        if self._netrc is None:
            return None
        try:
            scheme, host, _ = origin_of(url)
        except ValueError:
            return None
        if scheme != "https" and not _is_here(host):
            return None
        with self._lock:
            if not self._read:
                entries = self._netrc.entries()
                self._hosts = {name.lower(): Credential(pair, name) for name, pair in entries.items()}
                self._read = True
        return self._hosts.get(host)


def listed_for(auth: object, more: Mapping[str, object]) -> Listed:
    """The listed origins of a value for ``auth=``, before those that a session or its configuration lists."""
    entries = {**more, **auth} if isinstance(auth, Mapping) else more
    return Listed(entries, auth if isinstance(auth, Netrc) else None)


def with_companions(
    entries: Mapping[str, object], origins: Callable[[str], Sequence[str]], *, only: bool = False
) -> Mapping[str, object]:
    """The entries, and what the profiles of their hosts add: ``origins`` gives those that share a host's credentials.

    With ``only``, just these. An entry that the user has written counts more than one that is shared. Values of
    :mod:`splashdown.auth` are for one kind of service, and are not shared.
    """
    shared: dict[str, object] = {}
    for place, given in entries.items():
        if isinstance(given, str | tuple | ApiKey) or callable(given):
            host = place.partition("://")[2].partition("/")[0]
            shared |= dict.fromkeys(origins(host), given)
    return shared if only else {**shared, **entries}


def own_auth(auth: object, source: object, listed: Listed) -> object:
    """What a resolver gets as ``auth`` for one source: without credentials of its own, those of its listed origin."""
    if auth is not None and not isinstance(auth, Mapping):
        return auth
    return listed.given(str(source)) if is_url(source) else None


def listed_of(context: object) -> Listed:
    """The origins that the context of a resolver lists: those of a session do."""
    found = getattr(context, "listed", None)
    return found if isinstance(found, Listed) else listed_for(getattr(context, "auth", None), {})


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ListedSigner:
    """The source's own signer first, then the listed origins."""

    own: Signer | None = field(repr=False)
    listed: Listed = field(repr=False)
    held: bool  #: the user has given credentials, for some origin
    #: Names of the own signer's credentials, by its origin: another process makes a signer of them.
    names: Mapping[str, object] = field(default_factory=dict)
    withheld: tuple[str, ...] = ()  #: whose credentials are not sent to another process

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle names of credentials alone; the origins of the others are named where they are missed."""
        return _unpickled, (self.listed, dict(self.names), self.held, (*self.withheld, *self.listed.withheld))

    def sign(self, href: str) -> tuple[str, Mapping[str, str]]:
        """The href, and what its origin gets."""
        if self.own is not None:
            signed, headers = self.own.sign(href)
            if headers or signed != href:
                return signed, headers
        return self.listed.with_key(href), self.listed.headers(href)

    def serves(self, href: str) -> bool:
        """Whether hrefs of this origin may need credentials."""
        own = self.own
        return bool(self.listed) or (own is not None and (not isinstance(own, SupportsServes) or own.serves(href)))

    def renew(self, href: str, refused: Mapping[str, str]) -> Mapping[str, str]:
        """Other headers for an href after these were refused; empty when there are none."""
        own = self.own.renew(href, refused) if isinstance(self.own, RenewingSigner) else {}
        return own or self.listed.renewed(href, refused)


def _unpickled(listed: Listed, names: Mapping[str, object], held: bool, withheld: tuple[str, ...]) -> ListedSigner:
    own = ListedSigner(own=None, listed=Listed(names), held=True) if names else None
    return ListedSigner(own=own, listed=listed, held=held, names=names, withheld=withheld)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSteps:
    """The credentials for the steps of a request (:class:`~splashdown.protocols.StepCredentials`)."""

    listed: Listed = field(repr=False)
    held: bool
    #: What signers of plugins list, and what they send there.
    more_listed: Callable[[str], bool] = field(default=lambda _: False, repr=False)
    more: Callable[[str], Mapping[str, str]] = field(default=lambda _: {}, repr=False)
    other: Callable[[str, Mapping[str, str]], Mapping[str, str]] = field(default=lambda *_: {}, repr=False)

    def lists(self, url: str) -> bool:
        """Whether the user has listed the origin of a URL; asks for no credentials."""
        return self.listed.lists(url) or self.more_listed(url)

    def headers(self, url: str) -> Mapping[str, str]:
        """The credentials of the origin that a redirect leads to."""
        return self.listed.headers(url) or self.more(url)

    def renew(self, url: str, refused: Mapping[str, str]) -> Mapping[str, str]:
        """Other headers in place of those that were refused; empty when there are none."""
        return self.other(url, refused)

    def cookie(self, url: str) -> str:
        """The value of ``Cookie``; empty for none."""
        found = self.listed.cookies.header(url)  # first, as most runs have none
        return "" if found and carries_signature(url) else found

    def keep_cookies(self, url: str, lines: Sequence[str]) -> None:
        """Keep the ``Set-Cookie`` lines of an answer for its own origin, until the run ends."""
        self.listed.cookies.keep(url, lines)


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
