"""The signers of a session: each makes hrefs of its own origins ready to be read."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from splashdown._documents.listed import Listed, ListedSigner, ListedSteps
from splashdown._foreign.calls import ask
from splashdown._plugins.calls import Fill
from splashdown._plugins.registry import Registry
from splashdown.errors import ConflictError, PluginError
from splashdown.protocols import Signer, StepCredentials, SupportsServes
from splashdown.redact import redact
from splashdown.sources import matches_origin, refuse_no_origin


class _Signing(NamedTuple):
    """A signer that is in use."""

    name: str
    origins: Sequence[str]
    signer: Signer


class Signers:
    """What plugins sign; their signers are made with the first href.

    ``fill(name, options_type, given)`` makes the options of a plugin.
    """

    def __init__(self, registry: Registry, fill: Fill) -> None:
        self._registry, self._fill = registry, fill
        self._made: tuple[_Signing, ...] | None = None
        self._lock = threading.Lock()

    def sign(self, href: str, own: Signer | None = None) -> tuple[str, Mapping[str, str]]:
        """An href ready to be read: by the source's own signer, else by the plugin whose origins match."""
        if own is not None:
            signed, headers = _signed("the source's signer", own, href)
            if headers or signed != href:  # else the href is of an origin that the source has no credentials for
                return signed, headers
        found = self._for(href)
        if len(found) > 1:
            names = " and ".join(repr(one.name) for one in found)
            raise ConflictError(
                f"the signers {names} all sign {redact(href)}; disable the plugin of all but one, or narrow the option"
                " 'origins' of those that have it"
            )
        return _signed(f"the signer {found[0].name!r}", found[0].signer, href) if found else (href, {})

    def signs(self, href: str, own: Signer | None = None) -> bool:
        """Whether :meth:`sign` may add something to an href of this origin."""
        if own is not None and (not isinstance(own, SupportsServes) or own.serves(href)):
            return True
        return bool(self._for(href))

    def steps(self, own: Signer | None = None) -> StepCredentials:
        """The credentials for the origins that redirects lead to."""
        listed = own if isinstance(own, ListedSigner) else ListedSigner(own=own, listed=Listed(), held=own is not None)
        return ListedSteps(
            listed=listed.listed,
            held=listed.held,
            more_listed=lambda url: bool(self._for(url)),
            more=self._headers,
            other=listed.renew,
        )

    def _headers(self, url: str) -> Mapping[str, str]:
        """Headers for an origin that a signer lists; one that makes another href of it has none to give."""
        signed, headers = self.sign(url)
        return headers if signed == url else {}

    def _for(self, href: str) -> list[_Signing]:
        with self._lock:
            if self._made is None:
                self._made = tuple(self._make())
        return [one for one in self._made if any(matches_origin(href, origin) for origin in one.origins)]

    def _make(self) -> Iterator[_Signing]:
        for spec in self._registry.signers():
            options = self._fill(spec.name, spec.options, {})
            origins = tuple(spec.origins or getattr(options, "origins", ()))
            for origin in origins:
                refuse_no_origin(origin, f"the signer {spec.name!r}")
            if origins:
                yield _Signing(spec.name, origins, spec.create(options))


def _signed(whose: str, signer: Signer, href: str) -> tuple[str, Mapping[str, str]]:
    answer = ask(whose, signer.sign, href, returns=tuple)
    if len(answer) != 2 or not isinstance(answer[0], str) or not isinstance(answer[1], Mapping):
        raise PluginError(f"{whose} returned something else than (href, headers)")
    return answer[0], answer[1]
