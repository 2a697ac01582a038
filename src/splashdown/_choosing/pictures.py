"""The pictures of results that can be shown without a network: files of this machine, and what was loaded already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from splashdown._receipts.copies import LocalCopies
from splashdown.columns import columns
from splashdown.model import Asset
from splashdown.picture import Picture
from splashdown.sources import at_home, path_in_url, scheme_of

_ROLES = frozenset({"thumbnail", "overview"})
_TYPES = frozenset({"image/png", "image/jpeg"})
#: Further candidates are not looked at: there are enough, or none of them can be shown.
_MOST_CANDIDATES = 24


def local_pictures(
    assets: Sequence[Asset], document: str | None, copies: LocalCopies
) -> Iterator[tuple[str, Path | Picture]]:
    """The label of each such asset, with its file or what was loaded of it; thumbnails come first.

    ``document`` is where the assets are listed. What a server lists may not name files of this machine.
    """
    found = list(columns(assets, "roles", "media_type"))
    small = [n for n, (roles, _) in enumerate(found) if not _ROLES.isdisjoint(roles)]
    typed = [n for n, (_, kind) in enumerate(found) if kind in _TYPES]
    own = document is not None and scheme_of(document) in {"", "file"}
    for number in list(dict.fromkeys((*small, *typed)))[:_MOST_CANDIDATES]:
        asset = assets[number]
        if (place := _place(asset, copies, own=own)) is not None:
            yield asset.label, place


def _place(asset: Asset, copies: LocalCopies, *, own: bool) -> Path | Picture | None:
    if (picture := copies.picture(asset.identity)) is not None:
        return picture
    copy = copies.get(asset.identity)
    where = copy.location if copy is not None else asset.href if own else ""
    if not where or scheme_of(where) not in {"", "file"}:
        return None
    try:
        return Path(path_in_url(where) if scheme_of(where) else at_home(where))
    except ValueError:
        return None
