"""The back-ends that a list of jobs may lead to, each with one sign-in: those that the user named.

Credentials go to them and to nothing else, whatever a list says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from splashdown._landing.values import ListedJob
from splashdown.auth import ApiKey
from splashdown.errors import SplashdownError, UsageError, did_you_mean
from splashdown.redact import redact
from splashdown.sources import is_job_url, is_url, origin_of, origin_text

if TYPE_CHECKING:
    from splashdown.session import Session

#: The name under which the back-end of all other rows is known.
ANY = ""


class Backends:
    """Makes of a row what a session opens.

    ``given`` is an address, a handle (of :func:`splashdown.connect`, or a ``Connection`` of the openEO client), or
    these by the names that the list has. ``auth`` is for all of their addresses, or a mapping by origin. ``origin`` is
    that of a list that came over the web, which may name URLs of its own and of the back-ends, and no others.
    """

    def __init__(self, given: object, auth: object, session: Session, *, list_place: str = "") -> None:
        named = given if isinstance(given, Mapping) else {} if given is None else {ANY: given}
        self._given: dict[str, Any] = {str(name): each for name, each in named.items()}
        self._auth, self._session = auth, session
        self._handles: dict[str, Any] = {}
        self._failures: dict[str, SplashdownError] = {}
        self._origins = self._origins_of_backends()
        self._reachable = {*self._origins, origin_of(list_place)} if list_place else None
        self._check_auth()

    def source(self, job: ListedJob) -> object:
        """The source that a session opens for a row: a handle of the job, or its URL.

        Raises ``UsageError`` for a row without a back-end, and what connecting raises.
        """
        if not is_url(job.source):
            return self._handle(self._name_of(job)).job(job.source)
        origin = origin_of(job.source)
        if is_job_url(job.source) and origin in self._origins:
            return self._handle(self._origins[origin]).job_at(job.source) or job.source
        if self._reachable is not None and origin not in self._reachable:
            raise UsageError(
                f"a list from the web may not lead to {origin_text(job.source)}: name that with backends= (--backend),"
                " or save the list to a file, look at it, and give that"
            )
        return job.source

    def auth_for(self, source: object) -> object:
        """The value for ``auth=`` with which a source is opened: a handle has its own."""
        return self.by_origin if isinstance(source, str) else None

    @property
    def by_origin(self) -> Mapping[str, object] | None:
        """The credentials by the origins that get them; what is for one host each is for any."""
        if self._auth is None or isinstance(self._auth, Mapping):
            return self._auth
        return {origin_text(each): self._auth for each in self._given.values() if is_url(each)}

    def key_of(self, job: ListedJob) -> str:
        """A name that jobs of one back-end share."""
        return origin_text(job.source) if is_url(job.source) else f"back-end {job.backend}"

    def forget_failures(self) -> None:
        """Connect again to what could not be reached."""
        self._failures.clear()

    def _name_of(self, job: ListedJob) -> str:
        if job.backend in self._given:
            return job.backend
        if ANY in self._given:
            return ANY
        if not job.backend:
            raise UsageError("it is an id alone: name its back-end with backends= (--backend URL)")
        hint = did_you_mean(job.backend, self._given)
        shown = job.backend[:80]
        raise UsageError(f"its back-end {shown!r} has no address: name it (--backend {shown}=URL){hint}")

    def _handle(self, name: str) -> Any:
        if (failure := self._failures.get(name)) is not None:
            raise failure
        if name not in self._handles:
            given = self._given[name]
            try:
                self._handles[name] = self._connected(given) if isinstance(given, str) else given
            except SplashdownError as error:
                self._failures[name] = error
                raise
        return self._handles[name]

    def _connected(self, address: str) -> object:
        from splashdown.backend import connect  # late: it brings the client for documents

        auth = self._auth
        if isinstance(auth, Mapping):
            from splashdown._documents.listed import Listed

            auth = Listed(auth).given(_with_scheme(address))
        return connect(address, auth=auth, session=self._session)

    def _origins_of_backends(self) -> dict[tuple[str, str, int | None], str]:
        found = {}
        for name, each in self._given.items():
            address = each if isinstance(each, str) else getattr(each, "url", None)
            if isinstance(address, str) and (address is each or callable(getattr(each, "job_at", None))):
                try:
                    found[origin_of(_with_scheme(address))] = name
                except ValueError as error:
                    raise UsageError(f"the back-end {redact(address)!r} is not a valid URL: {error}") from None
            elif not callable(getattr(each, "job", None)):
                raise UsageError(
                    "a back-end is an address, a handle of splashdown.connect() or a Connection of the openEO client,"
                    f" not {type(each).__name__}"
                )
        return found

    def _check_auth(self) -> None:
        # As for several sources: a token or a password belongs to one back-end, and the others must not see it.
        if isinstance(self._auth, str | tuple | ApiKey) and len(self._origins) > 1:
            names = ", ".join(sorted(host for _, host, _ in self._origins))
            raise UsageError(
                f"one token or password cannot be for several back-ends ({names}): give auth= by origin, or sign in"
                " with splashdown.auth.Netrc() or StoredLogin() (--netrc, --stored-login)"
            )


def _with_scheme(address: str) -> str:
    return address if "://" in address else f"https://{address.strip()}"
