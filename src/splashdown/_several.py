"""Several sources as one: united for the engine, told apart for folders and receipts.

An asset of a united set has its source's folder before its item's id, so that ``(item, key)`` stays unique. What one
source is about, its own result set says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from splashdown._series.assets import pack
from splashdown.errors import SplashdownError, UsageError, describe
from splashdown.model import Asset, Known, Member, Outcome, ResultSet
from splashdown.protocols import ResolveContext, Signer, Transport
from splashdown.redact import redact
from splashdown.safe_names import safe_segment
from splashdown.sources import is_url, origin_of

_AT_A_TIME = 8

Identity = tuple[str | None, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The part of a target that one source fills: below ``prefix`` (empty, or a folder with a slash)."""

    prefix: str
    results: ResultSet

    def outcomes(self, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """Those of this share, with the source's own assets and with names relative to the folder."""
        if not self.prefix:
            return outcomes
        own = {_inside(self.prefix, asset).identity: asset for asset in self.results.assets}
        return [
            replace(outcome, transfer=replace(outcome.transfer, asset=own[outcome.asset.identity], name=name))
            for outcome in outcomes
            if (name := outcome.transfer.name.removeprefix(self.prefix)) != outcome.transfer.name
        ]

    def outer(self, known: Mapping[str, Known]) -> dict[str, Known]:
        """What the share's receipt says, with names and identities as they are in the united set."""
        return {
            self.prefix + name: replace(entry, identity=_outer(self.prefix, entry.identity))
            for name, entry in known.items()
        }

    def inner(self, known: Mapping[str, Known]) -> dict[str, Known]:
        """The way back: those of this share, as its own receipt has them."""
        return {
            name.removeprefix(self.prefix): replace(entry, identity=_inner(self.prefix, entry.identity))
            for name, entry in known.items()
            if name.startswith(self.prefix)
        }


def shares(results: ResultSet) -> list[Share]:
    """The parts of a target; one without a prefix for a single source."""
    if not results.members:
        return [Share(prefix="", results=results)]
    return [Share(prefix=f"{member.folder}/", results=member.results) for member in results.members]


def own_assets(share: Share, chosen: Sequence[Asset]) -> list[tuple[Asset, Asset]]:
    """The chosen assets that belong to a share, each with the source's own view of it."""
    if not share.prefix:
        return [(asset, asset) for asset in chosen]
    own = {_inside(share.prefix, asset).identity: asset for asset in share.results.assets}
    return [(asset, own[asset.identity]) for asset in chosen if asset.identity in own]


def open_all(sources: Sequence[object], context: ResolveContext) -> ResultSet:
    """Resolve all sources; what fails is noted, unless everything does."""
    _check_credentials(sources, context.auth)
    answers = _open_each(sources, context)
    opened = [answer for answer in answers if isinstance(answer, ResultSet)]
    failed = [(source, e) for source, e in zip(sources, answers, strict=True) if not isinstance(e, ResultSet)]
    if not opened:
        raise failed[0][1]
    unresolved = tuple(f"{_shown(source)}: {describe(error)}" for source, error in failed)
    return unite(list(_with_folders(opened)), unresolved)


def unite(members: Sequence[Member], unresolved: tuple[str, ...] = ()) -> ResultSet:
    """One result set of several."""
    ends = [member.results.expires for member in members if member.results.expires is not None]
    return ResultSet(
        id=", ".join(member.folder for member in members),
        kind="several",
        assets=pack(_inside(f"{m.folder}/", asset) for m in members for asset in m.results.assets),
        document={
            "type": "Catalog",
            "stac_version": "1.1.0",
            "id": "several",
            "description": f"{len(members)} sources opened together",
            "links": [{"rel": "child", "href": m.results.href, "title": m.results.id} for m in members],
        },
        warnings=tuple(f"{m.folder}: {warning}" for m in members for warning in m.results.warnings),
        signer=_Signers(tuple(m.results.signer for m in members if m.results.signer is not None)),
        transport=lambda href: _own_transport(members, href),
        refresh=lambda: unite([_refreshed(member) for member in members], unresolved),
        expires=min(ends, default=None),
        members=tuple(members),
        unresolved=(*unresolved, *(f"{m.folder}: {line}" for m in members for line in m.results.unresolved)),
    )


@dataclass(frozen=True, slots=True)
class _Signers:
    """The first signer that has something for an href signs it; each keeps to its own origin."""

    signers: tuple[Signer, ...]

    def sign(self, href: str) -> tuple[str, Mapping[str, str]]:
        for signer in self.signers:
            signed, headers = signer.sign(href)
            if headers or signed != href:
                return signed, headers
        return href, {}


def _own_transport(members: Sequence[Member], href: str) -> Transport | None:
    """The first transport that a source has for an href."""
    answers = (m.results.transport(href) for m in members if m.results.transport is not None)
    return next((transport for transport in answers if transport is not None), None)


def _open_each(sources: Sequence[object], context: ResolveContext) -> list[ResultSet | SplashdownError]:
    if context.options.get("wait"):
        # The jobs run side by side whoever watches; one watch at a time ends at Ctrl-C.
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
    # A token or a password is somebody's for one back-end; the others would get to see it.
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
        # The other sources' assets are not this one's fault; its own keep the hrefs that they had.
        return member


def _inside(prefix: str, asset: Asset) -> Asset:
    return replace(asset, item=_outer(prefix, asset.identity)[0])


def _outer(prefix: str, identity: Identity | None) -> Identity:
    item, key = identity or (None, "")
    return (prefix + item if item is not None else prefix.removesuffix("/")) or None, key


def _inner(prefix: str, identity: Identity | None) -> Identity:
    item, key = identity or (None, "")
    bare = (item or "").removeprefix(prefix)
    return (None if bare == prefix.removesuffix("/") else bare) or None, key


def _shown(source: object) -> str:
    return redact(source) if isinstance(source, str) else repr(source)
