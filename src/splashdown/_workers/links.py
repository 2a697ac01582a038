"""Renews the links of batches: the coordinator reads the source again for all workers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from splashdown._engine.breaker import Fault
from splashdown._engine.recipes import Recipe, origin_of, read_by
from splashdown._engine.remote import Remote
from splashdown._engine.renew import Renewal
from splashdown._foreign.calls import Tolerated
from splashdown.model import Asset, Outcome, Plan, Status

#: Reasons that a fresh link may help against.
_EXPIRED = frozenset({"status 401", "status 403", "LinkExpiredError"})
_REFUSED = frozenset({"LinkExpiredError", "HttpStatusError", "StoppedError"})
_OPEN = frozenset({Status.FAILED, Status.NOT_TRIED})


class Links:
    """The links of one plan, and of what its assets are made of."""

    def __init__(self, remote: Remote, plan: Plan) -> None:
        self._remote, self._plan = remote, plan

    def before(self, numbers: Sequence[int], made: Iterable[str], *, plain: bool) -> int:
        """Renew what is past its time before a batch goes out; the generation of its links.

        ``made`` are hrefs of files that are made of others, whose links are the source's; ``plain`` says that there are
        files of the source itself.
        """
        renewal = self._remote.renewal
        for href in made:
            origin = origin_of(self._remote, href)
            if origin is not None and origin.renewal.has_expired(origin.renewal.generation):
                _renew(origin.renewal, origin.asset, origin.renewal.generation, expired=True)
        if plain and renewal.has_expired(renewal.generation):
            _renew(renewal, self._plan.transfers[numbers[0]].asset, renewal.generation, expired=True)
        return renewal.generation

    def renewed(
        self, numbers: Sequence[int], generation: int, faults: Sequence[Fault], outcomes: Sequence[Outcome]
    ) -> set[int]:
        """Of the numbers of a batch, those whose links were refused, where the source has given others."""
        if not any(fault.why in _EXPIRED for fault in faults):
            return set()
        refused = [
            number
            for number, one in zip(numbers, outcomes, strict=True)
            if one.error_type in _REFUSED and one.status in _OPEN
        ]
        expired = any(one.why == "LinkExpiredError" for one in faults)
        if refused:
            asset = self._plan.transfers[refused[0]].asset
            if _renew(self._remote.renewal, asset, generation, expired=expired):
                return set(refused)
        return set()

    def renewed_origins(
        self,
        numbers: Sequence[int],
        recipes: Mapping[str, Recipe],
        refused: Mapping[str, bool],
        outcomes: Sequence[Outcome],
    ) -> set[int]:
        """The same of files that are made of others; ``refused`` are the links of these, with whether they expired."""
        found = set()
        for number, one in zip(numbers, outcomes, strict=True) if refused else ():
            used = read_by(recipes, one.asset.href)
            if used in refused and one.status in _OPEN and self._is_newer(one.asset.href, used, refused[used]):
                found.add(number)
        return found

    def _is_newer(self, href: str, used: str, expired: bool) -> bool:
        origin = origin_of(self._remote, href)
        if origin is None:
            return False
        renewal = origin.renewal
        if renewal.current(origin.asset).href != used:  # another file of the same has asked already
            return True
        return _renew(renewal, origin.asset, renewal.generation, expired=expired)


def _renew(renewal: Renewal, asset: Asset, generation: int, *, expired: bool) -> bool:
    """Read the source again; whether it gives a newer link. One that cannot be read gives none."""
    with Tolerated():
        return renewal.fresh(asset, generation, expired=expired) is not None
    return False
