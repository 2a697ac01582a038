"""Opens several sources as one result set; :class:`splashdown.model.Member` is the part of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from splashdown._series.assets import pack
from splashdown.errors import SplashdownError, UsageError, error_text
from splashdown.model import Member, ResultSet
from splashdown.protocols import RenewingSigner, ResolveContext, Signer, SupportsServes, Transport
from splashdown.redact import redact
from splashdown.safe_names import safe_segment
from splashdown.sources import is_url, origin_of

_AT_A_TIME = 8


def open_all(sources: Sequence[object], context: ResolveContext) -> ResultSet:
    """Resolve all sources. Failures are noted in the result set; if all fail, the first is raised."""
    _check_credentials(sources, context.auth)
    answers = _open_each(sources, context)
    opened = [answer for answer in answers if isinstance(answer, ResultSet)]
    failed = [(source, e) for source, e in zip(sources, answers, strict=True) if not isinstance(e, ResultSet)]
    if not opened:
        raise failed[0][1]
    unresolved = tuple(f"{_shown(source)}: {error_text(error)}" for source, error in failed)
    return unite(list(_with_folders(opened)), unresolved)


def unite(members: Sequence[Member], unresolved: tuple[str, ...] = ()) -> ResultSet:
    """One result set of several."""
    ends = [member.results.expires for member in members if member.results.expires is not None]
    return ResultSet(
        id=", ".join(member.folder for member in members),
        kind="several",
        assets=pack(m.united_asset(asset) for m in members for asset in m.results.assets),
        document={
            "type": "Catalog",
            "stac_version": "1.1.0",
            "id": "several",
            "description": f"{len(members)} sources opened together",
            "links": [{"rel": "child", "href": m.results.href, "title": m.results.id} for m in members],
        },
        warnings=tuple(f"{m.folder}: {warning}" for m in members for warning in m.results.warnings),
        signer=_Signers(tuple(m.results.signer for m in members if m.results.signer is not None)),
        transport=(lambda href: _own_transport(members, href)) if any(m.results.transport for m in members) else None,
        refresh=lambda: unite([_refreshed(member) for member in members], unresolved),
        expires=min(ends, default=None),
        members=tuple(members),
        from_public_web=any(m.results.from_public_web for m in members),
        unresolved=(*unresolved, *(f"{m.folder}: {line}" for m in members for line in m.results.unresolved)),
    )


@dataclass(frozen=True, slots=True)
class _Signers:
    """The first signer that has something for an href signs it; each keeps to its own origin."""

    signers: tuple[Signer, ...]

    def serves(self, href: str) -> bool:
        """Whether one of them may sign hrefs of this origin."""
        return any(not isinstance(one, SupportsServes) or one.serves(href) for one in self.signers)

    def sign(self, href: str) -> tuple[str, Mapping[str, str]]:
        for signer in self.signers:
            signed, headers = signer.sign(href)
            if headers or signed != href:
                return signed, headers
        return href, {}

    def renew(self, href: str, refused: Mapping[str, str]) -> Mapping[str, str]:
        """Other headers than these, of the signer that has some."""
        renewing = (signer for signer in self.signers if isinstance(signer, RenewingSigner))
        return next((found for signer in renewing if (found := signer.renew(href, refused))), {})


def _own_transport(members: Sequence[Member], href: str) -> Transport | None:
    """The first transport that a source has for an href."""
    answers = (m.results.transport(href) for m in members if m.results.transport is not None)
    return next((transport for transport in answers if transport is not None), None)


def _open_each(sources: Sequence[object], context: ResolveContext) -> list[ResultSet | SplashdownError]:
    if context.options.get("wait"):
        # The jobs run side by side anyway; waiting for one at a time lets Ctrl-C end it.
        return [_open(source, context) for source in sources]
    pool = ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="splashdown-open")
    try:
        return list(pool.map(lambda source: _open(source, context), sources))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _open(source: object, context: ResolveContext) -> ResultSet | SplashdownError:
    try:
        return context.resolve(source)
    except SplashdownError as error:
        return error


def _check_credentials(sources: Sequence[object], auth: Any) -> None:
    # A token or a password belongs to one back-end; the others must not see it.
    if not isinstance(auth, str | tuple):
        return
    hosts = {origin_of(str(source)) for source in sources if is_url(source)}
    if len(hosts) > 1:
        names = ", ".join(sorted(str(host) for _, host, _ in hosts))
        raise UsageError(
            f"one token or password cannot be for several back-ends ({names}): open them one by one, or sign in with"
            " splashdown.auth.Netrc() or StoredLogin() (--netrc, --stored-login)"
        )


def _with_folders(opened: Sequence[ResultSet]) -> Iterator[Member]:
    taken: set[str] = set()
    for results in opened:
        name = folder = safe_segment(results.id)
        number = 2
        while folder.casefold() in taken:
            folder, number = f"{name}-{number}", number + 1
        taken.add(folder.casefold())
        yield Member(folder=folder, results=results)


def _refreshed(member: Member) -> Member:
    if member.results.refresh is None:
        return member
    try:
        return replace(member, results=member.results.refresh())
    except SplashdownError:
        # One source must not stop the others; its own assets keep the hrefs that they had.
        return member


def _shown(source: object) -> str:
    return redact(source) if isinstance(source, str) else repr(source)
