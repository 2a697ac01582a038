"""Which small files go the straight line, and how those of each origin are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from splashdown._engine.context import Context
from splashdown._engine.existing import Verdict
from splashdown._engine.remote import Sign, unsigned
from splashdown._engine.retry import host_of
from splashdown.model import ReadRequest, Transfer
from splashdown.protocols import AwaitedFile, SupportsAskSmall, SupportsReadSmall

#: A plan may name any number of hosts.
_MOST_LANES = 1024


class Lane(NamedTuple):
    """How the files of one origin are read."""

    transport: SupportsReadSmall
    sign: Sign | None
    ask: Callable[[ReadRequest, int], AwaitedFile | None] | None  #: without waiting, where the transport can


class Lanes:
    """The lanes of one run, each made when the first file of its origin is read; every thread may use them."""

    def __init__(self, context: Context, most: int) -> None:
        """``most`` is the size of the largest file that is small, in bytes."""
        self._context, self._most = context, most
        self._lanes: dict[str, Lane | None] = {}
        self.ask = True  #: whether each of them can ask without waiting

    def of(self, transfer: Transfer, verdict: Verdict) -> Lane | None:
        """How a file is read on the straight line; ``None`` where the general way has to read it."""
        context, href, size = self._context, transfer.asset.href, transfer.asset.size
        remote, unless = context.remote, verdict.unless
        large = size is not None and size > self._most and not unless  # a file that has not changed comes without bytes
        if verdict.keep or verdict.name != transfer.name or large:
            return None
        origin = href[: href.find("/", 8)]
        lane = self._lanes.get(origin) or self._made(origin, href)
        if not lane or remote.throttle.until or remote.throttle.limited or not remote.renewal.unchanged:
            return None
        # The general way lets the store copy by itself; the store is asked once, and not for what it has to fetch.
        copier = None if unless else context.can.copy
        if copier is not None and (not href.startswith("http") or copier.copy_source(href) is not None):
            return None
        return lane

    def _made(self, origin: str, href: str) -> Lane | None:
        """The lane of an origin, of which an href is read; ``None`` where there is none."""
        lanes = self._lanes
        if origin in lanes:
            return lanes[origin]
        make, limit = self._context.remote.lane, self._context.remote.limit
        assert make is not None
        if limit(host_of(href)) is not None:  # the general way counts requests, also those of other files
            lanes[origin] = None
            return None
        try:
            transport, sign = make(href)
        except Exception:  # the general way raises it
            return None
        lane = None
        if isinstance(transport, SupportsReadSmall):
            ask = transport.ask_small if isinstance(transport, SupportsAskSmall) else None
            lane = Lane(transport, sign if sign is not unsigned else None, ask)
        self.ask = self.ask and lane is not None and lane.ask is not None
        if len(lanes) < _MOST_LANES:
            lanes[origin] = lane
        return lane
