"""Measures how fast each host's files come, and applies the number of files at once that ``pace`` concludes from it.

The calling thread looks from time to time at what the threads have counted anyway, so a file costs nothing more. How
long each file took is known, so the files that ended in a while give a rate: the number under way by the mean of their
seconds. Of files that take longer than a while, the bytes are counted that have come.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field

from splashdown._engine.context import Context
from splashdown._engine.pace import MOST, START, Pace, Window
from splashdown._engine.places import Places
from splashdown._engine.retry import host_of
from splashdown._engine.schedule import Queue, Schedule
from splashdown._engine.settings import Settings
from splashdown.redact import safely_shown

#: A file costs a request and its bytes; so many bytes count as much as the request.
_REQUEST_BYTES = 64 * 1024
#: Files of this mean size cost their calls rather than their bytes.
SMALL_BYTES = 128 * 1024
#: A mean of fewer files says little.
_FEWEST = 4
#: A window lasts so long at least, and ends with so many files as are under way.
_SHORTEST = 0.05
#: Of files that take longer, the bytes of so many seconds are counted.
_SECONDS = 1.0
#: Seconds between two looks while the next one decides something, and else.
_SOON, _LATER = 0.02, 0.25
#: Of more hosts than this a look costs too much to be frequent, and each has few files.
_FEW_HOSTS = 64


@dataclass(slots=True, kw_only=True)
class _Mark:
    """Where a window began."""

    at: float
    busy: float
    files: int = 0
    seconds: float = 0.0
    work_moved: int = 0
    moved: int = 0


@dataclass(slots=True, kw_only=True)
class _Host:
    pace: Pace
    places: Places
    mark: _Mark
    most: int


@safely_shown
@dataclass(slots=True, kw_only=True, repr=False)
class Pacing:
    """The numbers of one run: ``limits`` before it begins, and what ``look`` makes of them."""

    context: Context
    hosts: Collection[str]  #: that have files
    _hosts: dict[str, _Host] = field(default_factory=dict)

    def __post_init__(self) -> None:
        start, most = bounds(self.context.settings, len(self.hosts))
        for host in self.hosts:
            places = self.context.remote.throttle.places(host)
            # A profile may allow fewer files, and is never a reason for more.
            own = min(most, places.limit or most)
            self._hosts[host] = _Host(pace=Pace(start=min(start, own), most=own), places=places, mark=_now(), most=own)

    @property
    def limits(self) -> dict[str, int]:
        """The number of each host now."""
        return {host: one.pace.limit for host, one in self._hosts.items()}

    def look(self, schedule: Schedule, *, gathered: bool = False) -> float:
        """Measure, and give the schedule the numbers that follow; seconds until the next look.

        Files that one thread has gathered do not wait for each other's turn, so fewer of them would gain nothing.
        """
        moving = self._moving()
        soon = False
        for host, queue in schedule.open():
            one = self._hosts[host]
            limit = self._limit(one, queue, moving.get(host, 0), gathered=gathered)
            if limit != queue.limit:
                schedule.resize(host, limit)
            one.places.at_once, one.places.served = limit, queue.files
            soon = soon or (one.pace.trying and one.places.limit is None and bool(queue.waiting))
        return _SOON if soon and len(self._hosts) <= _FEW_HOSTS else _LATER

    def _limit(self, one: _Host, queue: Queue, moving: int, *, gathered: bool) -> int:
        if one.places.limit is not None:  # the host has said how many it serves: nothing is left to find out
            return min(one.places.limit, one.most)
        if one.pace.fixed:
            return one.pace.limit
        window = _window(one.mark, queue, moving, gathered=gathered)
        if window is None:
            return one.pace.limit
        limit = one.pace.observe(window)
        one.mark = _mark(queue, moving)
        return limit

    def _moving(self) -> dict[str, int]:
        """The bytes that have come of files under way, by host; those of small files come with their end."""
        moving: dict[str, int] = {}
        for source in list(self.context.under_way):
            host = host_of(source.transfer.asset.href)
            moving[host] = moving.get(host, 0) + source.moved
        return moving


def bounds(settings: Settings, hosts: int) -> tuple[int, int]:
    """The number of files at once from each host at first, and at most."""
    most = settings.per_host or settings.jobs or MOST
    # A user's own number is what a run begins with; else no host is asked for more than its share of the first ones.
    return (most if settings.jobs else min(most, max(1, START // max(1, hosts)))), most


def _window(mark: _Mark, queue: Queue, moving: int, *, gathered: bool) -> Window | None:
    """What was measured since a mark; ``None`` as long as it says too little."""
    files, elapsed = queue.files - mark.files, time.monotonic() - mark.at
    if elapsed < _SHORTEST:
        return None
    if files >= max(queue.limit, _FEWEST) and (seconds := queue.seconds - mark.seconds) > 0:
        work = files + (queue.work_moved - mark.work_moved) / _REQUEST_BYTES
        rate = queue.under_way * work / seconds
    elif elapsed >= _SECONDS:
        rate = (files + (queue.moved + moving - mark.moved) / _REQUEST_BYTES) / elapsed
    else:
        return None
    if rate <= 0:
        return None
    busy = (time.process_time() - mark.busy) / elapsed
    small = not gathered and queue.work_moved - mark.work_moved <= files * SMALL_BYTES
    return Window(rate=rate, seconds=elapsed, busy=busy, waiting=bool(queue.waiting), small=small)


def _mark(queue: Queue, moving: int) -> _Mark:
    mark = _now()
    mark.files, mark.seconds, mark.work_moved = queue.files, queue.seconds, queue.work_moved
    mark.moved = queue.moved + moving
    return mark


def _now() -> _Mark:
    return _Mark(at=time.monotonic(), busy=time.process_time())
