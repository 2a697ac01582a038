"""What the receipts in a target say of its files: they are STAC, so they are opened as any other source is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from splashdown.actions import ActionSession, Results, State, VerifyReport
from splashdown.errors import SplashdownError
from splashdown.model import Asset
from splashdown.sources import path_in_url, scheme_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A file in a target: the asset as its receipt describes it, and the results that read it."""

    asset: Asset
    results: Results

    def load(self, loader: str, **options: object) -> object:
        """An object of the file."""
        return self.results.of(self.asset).get_asset().load(loader, **options)


def described_files(session: ActionSession, checked: VerifyReport) -> dict[str, Described]:
    """The asset of each file in a target, by the file's name.

    Documents are opened from the roots on, until each file is described: a catalog's root leads to its items itself.
    """
    wanted = {one.name for one in checked.files if one.state is not State.EXTRA}
    found: dict[str, Described] = {}
    for document in checked.documents:
        if wanted <= found.keys():
            break
        for name, asset in _of_document(session, checked.target, document):
            if name in wanted:
                found.setdefault(name, asset)
    return found


def _of_document(session: ActionSession, target: str, document: str) -> Iterable[tuple[str, Described]]:
    """The files that one receipt describes; none where it cannot be opened as a source."""
    base = _place(target)
    try:
        results = session.open(f"{base}/{document}")
    except SplashdownError:
        return
    for asset in results.assets:
        where = _place(asset.href)
        if where.startswith(f"{base}/"):
            yield where[len(base) + 1 :], Described(asset=asset, results=results)


def _place(place: str) -> str:
    """A path, or a URL without its query, in the one form in which the two can be compared."""
    scheme = scheme_of(place)
    if scheme in {"", "file"}:
        return Path(path_in_url(place) if scheme else place).expanduser().resolve().as_posix()
    parts = urlsplit(place)
    return f"{scheme}://{parts.netloc}{unquote(parts.path)}".rstrip("/")
