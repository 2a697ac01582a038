"""Cuts a plan into the units that workers get: batches of files of one host, and large files alone. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from splashdown.redact import safely_shown

#: A batch has at most so many files, and bytes as far as the metadata say; a file of unknown size counts as so many.
MOST_FILES, MOST_BYTES, UNKNOWN_BYTES = 500, 2**30, 2**20
#: Fewer files are not worth the cost of a batch, unless workers would have nothing to do.
FEWEST_FILES = 100
#: Batches for each worker, where there are enough files: the last ones end at about the same time.
EACH = 4


@safely_shown
@dataclass(slots=True, kw_only=True, repr=False)
class Unit:
    """The numbers of transfers that go to a worker together; their host, and what became of earlier attempts."""

    host: str
    numbers: list[int] = field(default_factory=list)
    size: int = 0
    losses: int = 0  #: workers that were lost with it
    renewals: int = 0  #: how often its links were renewed


def units_of(
    files: Iterable[tuple[int, str, int | None]], workers: int, large: int, together: Sequence[Sequence[int]] = ()
) -> list[Unit]:
    """The units of files ``(number, host, size)``, in the plan's order.

    Files from ``large`` bytes on are alone, unless there are so many of them that all workers are busy for long.
    ``together`` holds the numbers of files that have one URL: they stay in one unit, so that it is fetched once.
    """
    left = list(files)
    most, most_bytes = _files_each(len(left), workers), _bytes_each([size for _, _, size in left], workers)
    leader = {number: group[0] for group in together for number in group}
    units: list[Unit] = []
    open_: dict[str, Unit] = {}  #: the unit of each host that is not full
    unit_of: dict[int, Unit] = {}  #: of the first file of each group
    for number, host, size in left:
        counted = UNKNOWN_BYTES if size is None else size
        first = leader.get(number)
        unit = unit_of.get(first) if first is not None else None
        if unit is None:
            unit = open_.get(host)
            full = MOST_BYTES if counted < large else most_bytes
            if unit is None or unit.size + counted > full or len(unit.numbers) >= most:
                unit = Unit(host=host)
                units.append(unit)
                if counted < full:
                    open_[host] = unit
            unit.size += counted
        unit.numbers.append(number)
        if first is not None:
            unit_of[first] = unit
    return units


def _bytes_each(sizes: Iterable[int | None], workers: int) -> int:
    """Bytes of a batch of large files: a share of all bytes that keeps all workers busy to the end."""
    return min(MOST_BYTES, sum([size or 0 for size in sizes]) // (EACH * max(1, workers)))


def _files_each(files: int, workers: int) -> int:
    """As many files in a batch as keep all workers busy to the end, within what is worth a batch."""
    workers = max(1, workers)
    fair = -(-files // (EACH * workers))
    all_busy = max(1, -(-files // workers))
    return min(MOST_FILES, max(fair, min(FEWEST_FILES, all_busy)))
