"""Asks the source of an asset which version of the file it has, without reading the file."""

from __future__ import annotations

import threading

from splashdown._engine.dispatch import Dispatcher
from splashdown._engine.range_reader import RangeReader
from splashdown._engine.remote import Remote
from splashdown._engine.restart import RestartError
from splashdown._engine.source import Source
from splashdown.errors import HttpStatusError, NotModifiedError
from splashdown.model import Asset, RemoteInfo, Transfer

_UNSATISFIABLE = 416


def ask_source(asset: Asset, remote: Remote, unless: str | None) -> RemoteInfo | None:
    """What the first answer says of the file; ``None`` where the validator ``unless`` still holds.

    One byte is asked for, because some servers answer no HEAD, or another one. Links are renewed, and failures retried,
    as in a download.
    """
    try:
        return _ask(asset, remote, unless, stop=1)
    except HttpStatusError as error:
        if error.status != _UNSATISFIABLE:
            raise
    return _ask(asset, remote, unless, stop=None)  # an empty file has no first byte


def _ask(asset: Asset, remote: Remote, unless: str | None, *, stop: int | None) -> RemoteInfo | None:
    transfer = Transfer(asset=asset, name=asset.key)
    source = Source(transfer, remote, events=Dispatcher(()), stop=threading.Event())
    source.unless = unless
    reader = RangeReader(source, 0, stop, budget=source.budget)
    try:
        info = reader.open()
        if stop is not None and info.ranges:
            for _ in reader.chunks(stop):
                pass
            reader.finish()
    except NotModifiedError:
        return None
    except RestartError as restart:
        raise restart.cause from restart
    finally:
        reader.close()
    return info
