"""Names for a selection of assets: the same ones as in a run over all assets of the sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from splashdown._naming.names import assign_names
from splashdown._series.assets import transfers_of
from splashdown._series.blocks import packed
from splashdown.columns import columns
from splashdown.model import Asset, IfExists, Member, ResultSet, Transfer

#: Names that a user chose for single assets, by label or identity.
Chosen = Mapping[str | tuple[str | None, str], str]


def name_selection(
    results: ResultSet,
    assets: Sequence[Asset],
    *,
    layout: str,
    reserved: Iterable[str],
    names: Chosen | None,
    if_exists: IfExists,
) -> Sequence[Transfer]:
    """A transfer for each of the chosen assets; each of several sources has a folder, with names of its own.

    Other arguments and exceptions are those of :func:`~splashdown._naming.names.assign_names`.
    """
    if results.members:
        each = (_of_member(m, assets, layout=layout, reserved=reserved, names=names or {}) for m in results.members)
        return tuple(Transfer(asset=asset, name=name, if_exists=if_exists) for pairs in each for asset, name in pairs)
    if names or len(assets) == len(results.assets):
        named = assign_names(assets, layout=layout, reserved=reserved, names=names, job_id=results.id)
        return transfers_of(assets, named, if_exists)
    # A name must not depend on the filters of a run: the next one would not find the file.
    every = assign_names(results.assets, layout=layout, reserved=reserved, job_id=results.id)
    by_identity = dict(zip(columns(results.assets, "item", "key"), every, strict=True))
    return transfers_of(assets, packed(map(by_identity.__getitem__, columns(assets, "item", "key"))), if_exists)


def _of_member(
    member: Member, assets: Sequence[Asset], *, layout: str, reserved: Iterable[str], names: Chosen
) -> list[tuple[Asset, str]]:
    pairs = member.own_assets(assets)
    chosen: Chosen = {own.identity: names[asset.identity] for asset, own in pairs if asset.identity in names}
    named = assign_names(
        [own for _, own in pairs], layout=layout, reserved=reserved, names=chosen, job_id=member.results.id
    )
    # A name that the user chose is used as it is, without the folder.
    return [
        (asset, name if own.identity in chosen else member.prefix + name)
        for (asset, own), name in zip(pairs, named, strict=True)
    ]
