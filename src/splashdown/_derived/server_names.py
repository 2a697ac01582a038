"""Gives the files whose URLs name none the names that their servers give, before a run is planned.

Names stay a matter of the assets alone: what servers say becomes a part of the assets, so a plan, a run and the next
run agree as long as the servers do.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from splashdown._engine.concurrent import map_ordered
from splashdown._naming.names import has_file_name, openeo_name, with_extension
from splashdown.errors import SplashdownError, error_text
from splashdown.model import Asset, RemoteInfo
from splashdown.safe_names import split_suffix
from splashdown.sources import is_url

_log = logging.getLogger("splashdown")
_AT_A_TIME = 8

#: What the source says of an asset; it raises errors of this package.
Ask = Callable[[Asset], RemoteInfo | None]


def named_by_servers(assets: Sequence[Asset], ask: Ask) -> Iterable[Asset]:
    """The assets, in their order, with a ``local_path`` where the server of a URL without a file name gives a name.

    Without one in ``Content-Disposition``, the media type that the server gives is the source of an extension. One
    request is sent for each such URL. An asset whose server does not answer stays as it is, with a warning.
    """
    nameless: dict[str, Asset] = {one.href: one for one in assets if _is_nameless(one)}
    said = dict(zip(nameless, map_ordered(lambda one: _asked(one, ask), [*nameless.values()], _AT_A_TIME), strict=True))
    for asset in assets:
        info = said.get(asset.href) if _is_nameless(asset) else None
        name = None if info is None else _name(asset, info)
        yield asset if name is None else replace(asset, local_path=name)


def _is_nameless(asset: Asset) -> bool:
    return is_url(asset.href) and not asset.local_path and not has_file_name(asset.listed_as or asset.key, asset.href)


def _asked(asset: Asset, ask: Ask) -> RemoteInfo | None:
    try:
        return ask(asset)
    except SplashdownError as error:  # its download will fail, or not
        _log.warning("%s: the server was asked for a name, and did not give one: %s", asset.label, error_text(error))
        return None


def _name(asset: Asset, info: RemoteInfo) -> str | None:
    media_type = asset.media_type or info.media_type
    if info.file_name is not None:
        return with_extension(info.file_name, media_type)
    name = openeo_name(asset.listed_as or asset.key, asset.href, media_type)
    return name if split_suffix(name)[1] else None
