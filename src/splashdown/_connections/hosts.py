"""Profiles of hosts: what holds for every request to one host, and how a host finds its own. Values only."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

from splashdown.redact import safely_shown
from splashdown.sources import normal_host, refuse_no_origin

#: A host, a name with ``*.`` at its start, or an address in brackets; a port may follow.
_PATTERN = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|(?:\*\.)?[\w-]+(?:\.[\w-]+)*\.?)(?::(?P<port>\d{1,5}))?")
#: Lookups that are remembered; a plan may name any number of hosts.
_MOST_FOUND: Final = 1024


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class HostProfile:
    """What holds for one host. Times are in seconds; ``None`` and ``()`` leave a matter to the options of HTTP."""

    jobs: int | None = None  #: files, and requests for parts of files, at a time in one run
    user_agent: str | None = None
    ca: str | None = None  #: the bundle of authorities to trust; ``system`` for the system's certificate store
    cert: str | None = None  #: the client certificate, a PEM file, with its key unless ``key`` names that
    key: str | None = None
    connect_timeout: float | None = None
    read_timeout: float | None = None
    #: How often, and after how long, a failed request is repeated: the fields of ``RetryPolicy`` with these names.
    attempts: int | None = None
    base: float | None = None
    max_delay: float | None = None
    max_retry_after: float | None = None
    origins: tuple[str, ...] = ()  #: where this host's credentials may go besides

    def __post_init__(self) -> None:
        if self.jobs is not None and self.jobs < 1:
            raise ValueError(f"jobs must be at least 1, got {self.jobs}")
        if self.attempts is not None and self.attempts < 1:
            raise ValueError(f"attempts must be at least 1, got {self.attempts}")
        for name in ("base", "max_delay", "max_retry_after"):
            seconds = getattr(self, name)
            if seconds is not None and not seconds >= 0:
                raise ValueError(f"{name} must not be negative, got {seconds}")
        for name in ("connect_timeout", "read_timeout"):
            seconds = getattr(self, name)
            if seconds is not None and not seconds > 0:
                raise ValueError(f"{name} must be more than 0 seconds, got {seconds}")
        for name in ("user_agent", "ca", "cert", "key"):
            value = getattr(self, name)
            if value is not None and not (value.strip() and value.isprintable()):
                raise ValueError(f"{name} is empty or holds a character that cannot be printed")
        if self.key is not None and self.cert is None:
            raise ValueError("key is the key of a certificate: name that with cert")
        for origin in self.origins:
            refuse_no_origin(origin, "origins")

    def set_fields(self) -> Iterator[str]:
        """The fields that say something."""
        return (one.name for one in fields(self) if getattr(self, one.name) not in {None, ()})

    def retry_fields(self) -> dict[str, Any]:
        """What it says about repeating requests, by the names of ``RetryPolicy``."""
        return {name: value for name in RETRY if (value := getattr(self, name)) is not None}

    def over(self, weaker: HostProfile) -> HostProfile:
        """This profile, with what it leaves open as a weaker one has it; a certificate comes with its own key."""
        own: dict[str, Any] = {name: getattr(self, name) for name in self.set_fields()}
        if self.cert:
            own["key"] = self.key
        return replace(weaker, **own) if own else weaker


NO_PROFILE: Final = HostProfile()
#: The fields about repeating requests.
RETRY: Final = ("attempts", "base", "max_delay", "max_retry_after")


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Profiles:
    """The profiles of a session, by host as :func:`pattern` has it; ``levels`` are its sources, the weakest first.

    In one source a name with ``*.`` is weaker than a whole one, and a name without a port weaker than one with it.
    ``retry`` holds for each host whose profile does not say otherwise: fields of ``RetryPolicy``, by name.
    """

    levels: tuple[Mapping[str, HostProfile], ...] = ()
    retry: Mapping[str, Any] = field(default_factory=dict, repr=False)
    _found: dict[str, HostProfile] = field(default_factory=dict, repr=False, compare=False)

    def of(self, host: str) -> HostProfile:
        """The profile of ``host`` or ``host:port``, as it stands in a URL."""
        found = self._found.get(host)
        if found is None:
            found = NO_PROFILE
            for level in self.levels:
                for name in _names(host):
                    if name in level:
                        found = level[name].over(found)
            if len(self._found) < _MOST_FOUND:
                self._found[host] = found
        return found

    @property
    def about_retries(self) -> bool:
        """Whether any profile says something about repeating requests: few do, and each request would ask."""
        return any(one.retry_fields() for level in self.levels for one in level.values())

    def retry_of(self, host: str) -> Mapping[str, Any]:
        """How requests to a host are repeated, as far as anything says so: by the names of ``RetryPolicy``."""
        return {**self.retry, **self.of(host).retry_fields()}

    def limit(self, host: str) -> int | None:
        """How many files a host serves at a time, at most; ``None`` where no profile says so."""
        return self.of(host).jobs

    def origins(self, host: str) -> Sequence[str]:
        """The origins to which a host's credentials may go besides."""
        return self.of(host).origins

    def without(self, names: Collection[str]) -> Profiles:
        """The same without these fields, for which something stronger was given."""
        if not names:
            return self
        nothing: dict[str, Any] = {name: getattr(NO_PROFILE, name) for name in names}
        return Profiles(
            levels=tuple({host: replace(one, **nothing) for host, one in level.items()} for level in self.levels),
            retry=self.retry,
        )


def pattern(text: str) -> str:
    """The key of a profile in its usual form.

    Raises ``ValueError`` for anything but ``data.example``, ``data.example:8443`` and ``*.example``.
    """
    found = _PATTERN.fullmatch(text)
    if found is None:
        raise ValueError(text)
    port = f":{int(found['port'])}" if found["port"] else ""
    return f"{normal_host(found['host'])}{port}"


def _names(host: str) -> Iterator[str]:
    """The keys that may hold for a host, the weakest first."""
    try:
        whole = pattern(host.rpartition("@")[2])
    except ValueError:
        return
    name, port = (whole, "") if whole.endswith("]") or ":" not in whole else whole.rsplit(":", 1)
    parents = [] if name.startswith("[") else name.split(".")[1:]
    for at in range(len(parents) - 1, -1, -1):
        yield f"*.{'.'.join(parents[at:])}"
    yield name
    if port:
        yield whole
