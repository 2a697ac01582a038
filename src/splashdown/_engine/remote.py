"""How the files of one result set are read: one value, made once for the set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, Protocol

from splashdown._engine.renew import Refresh, Renewal, elsewhere
from splashdown._engine.retry import Throttle, host_of
from splashdown._engine.settings import RetryPolicy, Settings
from splashdown._stac.needs import needs_of
from splashdown.columns import ByName, columns
from splashdown.errors import UsageError
from splashdown.model import Asset, ResultSet
from splashdown.protocols import GuardedTransport, Signer, StepCredentials, Transport
from splashdown.redact import safely_shown

#: An href as it is listed to the href to read now, and the headers to send with it.
Sign = Callable[[str], tuple[str, Mapping[str, str]]]


def unsigned(href: str) -> tuple[str, Mapping[str, str]]:
    """Sign hrefs that anybody may read."""
    return href, {}


def no_needs(asset: Asset) -> str:  # noqa: ARG001 - one of several functions
    """Nothing is known to be needed."""
    return ""


def unlimited(host: str) -> int | None:  # noqa: ARG001 - one of several functions
    """No host has a limit of its own."""
    return None


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Remote:
    """What every read of a result set needs. All downloads and all open assets of the set share it, in any thread.

    Sharing has effects that a user can see: one reading of the source renews the links of all of them, and all of them
    leave a host alone that asked for a pause.
    """

    transport: Callable[[str], Transport]  #: the transport that reads an href
    settings: Settings = field(default_factory=Settings)
    sign: Sign = unsigned
    steps: StepCredentials | None = None  #: for the origins that redirects lead to
    renewal: Renewal = field(default_factory=Renewal)
    throttle: Throttle = field(default_factory=Throttle)
    limit: Callable[[str], int | None] = unlimited  #: files at a time of ``host[:port]``, at most
    #: The differences in the retry policy of ``host[:port]``; ``None`` where no host has any.
    retry_of: Callable[[str], Mapping[str, Any]] | None = None
    needs: Callable[[Asset], str] = no_needs  #: what the metadata say is needed to read an asset
    lane: Callable[[str], tuple[Transport, Sign]] | None = None  #: both for an origin, where that alone decides
    hint: str = ""  #: what may help where access is refused
    made_of: MadeOf | None = None  #: how another process can make it again

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle how it was made: the other process has connections, pauses and links of its own."""
        if self.made_of is None:
            raise UsageError("these assets cannot be read in another process: open their source in a session")
        refuse_own_transport(self.made_of.results)
        return remote_again, (self.made_of, self.settings)

    def retry(self, href: str) -> RetryPolicy:
        """How failed requests for an href are repeated."""
        policy = self.settings.retry
        return policy if self.retry_of is None else replace(policy, **self.retry_of(host_of(href)))

    def with_settings(self, settings: Settings) -> Remote:
        """The same for a run with settings of its own; a retry policy among them counts more than those of hosts."""
        own = settings.retry != self.settings.retry
        return replace(self, settings=settings, retry_of=None if own else self.retry_of)


class Access(Protocol):
    """What a session gives for hrefs that a result set does not read in its own way."""

    @property
    def settings(self) -> Settings:
        """The engine's settings."""

    def transport(self, href: str) -> Transport:
        """The transport for an href's scheme."""

    def sign(self, href: str, own: Signer | None) -> tuple[str, Mapping[str, str]]:
        """The href to read and the headers to send with it; ``own`` is the signer of the result set."""

    def signs(self, href: str, own: Signer | None) -> bool:
        """Whether ``sign`` may add something to an href of this origin."""

    def steps(self, own: Signer | None) -> StepCredentials:
        """The credentials for the origins that redirects lead to."""

    def limit(self, host: str) -> int | None:
        """How many files at a time ``host[:port]`` serves, at most; ``None`` where that is not known."""

    @property
    def retry_of(self) -> Callable[[str], Mapping[str, Any]] | None:
        """The differences in the retry policy of ``host[:port]``; ``None`` where no host has any."""


class MadeOf:
    """The result set and the session that a remote side is made of.

    In another process there is one for all handles and tasks of the set, so that its links are renewed once there.
    """

    def __init__(self, results: ResultSet, access: Access, data: bytes | None = None) -> None:
        self.results, self.access = results, access
        self._data = data

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle bytes, which are made once and name the set."""
        import pickle  # late: one process does without

        if self._data is None:
            made = without_assets(self.results), self.access
            self._data = pickle.dumps(made, pickle.HIGHEST_PROTOCOL)
        return made_again, (self._data,)

    @cached_property
    def remote(self) -> Remote:
        """The remote side in the process that got it, with a line for what was not sent."""
        remote = remote_of(self.results, self.access, self)
        withheld = getattr(self.results.signer, "withheld", ())
        if not withheld:
            return remote
        hint = (
            f"credentials of {', '.join(withheld)} were passed as a value, which other processes do not get: name them"
            " ([auth] in the configuration, a function of a module, the environment of the worker)"
        )
        return replace(remote, hint=hint)


@lru_cache(maxsize=8)
def made_again(data: bytes) -> MadeOf:
    """The same in another process."""
    import pickle

    results, access = pickle.loads(data)  # noqa: S301 - of the process that submitted this one's work
    return MadeOf(results, access, data)


def without_assets(results: ResultSet) -> ResultSet:
    """The part of a result set that says how its assets are read, for another process."""
    # Schemes of the document say what an asset needs; the rest of it may be large.
    said = {name: value for name, value in results.document.items() if name.endswith((":schemes", ":refs"))}
    return ResultSet(
        id=results.id,
        kind=results.kind,
        assets=(),
        document=said,
        signer=results.signer,
        refresh=elsewhere(results.refresh),
        expires=results.expires,
        from_public_web=results.from_public_web,
    )


def refuse_own_transport(results: ResultSet) -> None:
    """Raise ``UsageError`` for assets that are read in a way that another process cannot make again."""
    if results.transport is not None:
        raise UsageError(
            f"{results.id} is read through a client of its own, or in parts (clip, unpack), which no other process can"
            " do; leave the executor out, or open it by its URL"
        )


def remote_again(made: MadeOf, settings: Settings) -> Remote:
    """A remote side in the process that got it."""
    return replace(made.remote, settings=settings)


def remote_of(results: ResultSet, access: Access, made_of: MadeOf | None = None) -> Remote:
    """How a result set is read: its own transport and signer come before the session's."""

    def transport(href: str) -> Transport:
        own = results.transport(href) if results.transport else None
        if own is not None:
            return own
        found = access.transport(href)
        if results.from_public_web and isinstance(found, GuardedTransport):
            return found.for_public_documents()
        return found

    def sign(href: str) -> tuple[str, Mapping[str, str]]:
        return access.sign(href, results.signer)

    def lane(href: str) -> tuple[Transport, Sign]:
        return transport(href), sign if access.signs(href, results.signer) else unsigned

    return Remote(
        transport=transport,
        sign=sign,
        steps=access.steps(results.signer),
        renewal=Renewal(_refresh_of(results), results.expires),
        settings=access.settings,
        limit=access.limit,
        retry_of=access.retry_of,
        needs=lambda asset: needs_of(asset, results.document),
        throttle=Throttle(access.limit),
        lane=None if results.transport else lane,
        made_of=made_of or MadeOf(results, access),
    )


def _refresh_of(results: ResultSet) -> Refresh | None:
    """Fresh hrefs come from reading the source again; its assets by their identity."""
    read_again = results.refresh
    if read_again is None:
        return None

    def refresh() -> Mapping[tuple[str | None, str], Asset]:
        assets = read_again().assets
        return ByName(columns(assets, "item", "key"), assets)

    return refresh
