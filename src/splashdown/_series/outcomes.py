"""What became of very many transfers."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from operator import attrgetter, itemgetter
from typing import Any

from splashdown._series.assets import Transfers, columns
from splashdown._series.blocks import Slots
from splashdown._series.lazy import LazySequence
from splashdown.model import Outcome, Status, StoredRecord

_FIELDS = tuple(name for name in Outcome.__dataclass_fields__ if name not in {"transfer", "status"})
_values = attrgetter(*_FIELDS)
#: Where each field is in a row, whose first two are the name that was given instead of the plan's, and the status.
_AT = {name: number for number, name in enumerate(_FIELDS, 2)}
_known_values = itemgetter(*(_AT[name] for name in ("size", "checksum", "validator", "ours")))

Identity = tuple[str | None, str]
_Row = tuple[Any, ...]


class _Store:
    """A row for each outcome, at the number of its transfer; ``missing`` makes that of a transfer that has none."""

    def __init__(self, transfers: Transfers, missing: Callable[[int], Outcome]) -> None:
        self.transfers = transfers
        self.landed = bytearray(len(transfers))
        self._missing = missing
        self._rows = Slots[_Row](len(transfers))

    def put(self, number: int, outcome: Outcome) -> None:
        self._rows[number] = self._row_of(number, outcome)
        self.landed[number] = outcome.status is not Status.FAILED

    def row(self, number: int) -> _Row:
        return self._rows[number] or self._row_of(number, self._missing(number))

    def get(self, number: int) -> Outcome:
        own, status, *values = self.row(number)
        transfer = self.transfers[number]
        if own:
            transfer = replace(transfer, name=own)
        return Outcome(transfer=transfer, status=Status(status), **dict(zip(_FIELDS, values, strict=True)))

    def _row_of(self, number: int, outcome: Outcome) -> _Row:
        name = outcome.transfer.name
        own = "" if name == self.transfers.names[number] else name
        return (own, outcome.status.value, *_values(outcome))


class PackedOutcomes(LazySequence[Outcome]):
    """Outcomes in the order of their transfers: of all of them, or of those with the given numbers."""

    def __init__(self, store: _Store, numbers: Sequence[int]) -> None:
        self._store, self._numbers = store, numbers

    @classmethod
    def of(cls, transfers: Transfers, missing: Callable[[int], Outcome]) -> PackedOutcomes:
        """A place for the outcomes; ``missing`` makes that of a transfer that none was put for."""
        return cls(_Store(transfers, missing), range(len(transfers)))

    def __setitem__(self, number: int, outcome: Outcome) -> None:
        self._store.put(number, outcome)

    def __len__(self) -> int:
        return len(self._numbers)

    def _element(self, position: int) -> Outcome:
        return self._store.get(self._numbers[position])

    @property
    def landed(self) -> PackedOutcomes:
        """Those that are at their destination."""
        if all(self._store.landed):
            return self
        return PackedOutcomes(self._store, array("l", (n for n in self._numbers if self._store.landed[n])))

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """Those that are not."""
        return tuple(self._store.get(n) for n in self._numbers if not self._store.landed[n])

    def field(self, name: str) -> Iterator[Any]:
        """One field of each."""
        return map(itemgetter(_AT[name]), map(self._store.row, self._numbers))

    @property
    def identities(self) -> Iterator[Identity]:
        """Of their assets."""
        every = columns(self._store.transfers.assets, "item", "key")
        if len(self) == len(self._store.transfers):
            return every
        wanted = set(self._numbers)
        return (identity for number, identity in enumerate(every) if number in wanted)

    def place(self, position: int) -> tuple[str, StoredRecord]:
        """The name of one, and what is there."""
        number = self._numbers[position]
        row = self._store.row(number)
        size, checksum, validator, ours = _known_values(row)
        name = row[0] or self._store.transfers.names[number]
        return name, StoredRecord(size=size or 0, checksum=checksum, validator=validator, ours=ours)


class Copies:
    """What downloads have stored, by asset; looked through when the first is asked for."""

    def __init__(self) -> None:
        self._waiting: list[Sequence[Outcome]] = []
        self._found: dict[Identity, tuple[Sequence[Outcome], int]] = {}
        self._lock = threading.Lock()

    def add(self, landed: Sequence[Outcome]) -> None:
        """Take note of what landed."""
        with self._lock:
            self._waiting.append(landed)

    def get(self, identity: Identity) -> Outcome | None:
        """The newest outcome of an asset."""
        with self._lock:
            for landed in self._waiting:
                self._found.update((one, (landed, at)) for at, one in enumerate(identities(landed)))
            self._waiting.clear()
            found = self._found.get(identity)
        return found and found[0][found[1]]


def field(outcomes: Iterable[Outcome], name: str) -> Iterator[Any]:
    """One field of each, without making the outcomes where they are packed."""
    return outcomes.field(name) if isinstance(outcomes, PackedOutcomes) else map(attrgetter(name), outcomes)


def identities(outcomes: Iterable[Outcome]) -> Iterator[Identity]:
    """Of their assets, in the same order."""
    return outcomes.identities if isinstance(outcomes, PackedOutcomes) else (one.asset.identity for one in outcomes)


def place(outcomes: Sequence[Outcome], position: int) -> tuple[str, StoredRecord]:
    """The name of one of them, and what is there."""
    if isinstance(outcomes, PackedOutcomes):
        return outcomes.place(position)
    one = outcomes[position]
    return one.transfer.name, StoredRecord(
        size=one.size or 0, checksum=one.checksum, validator=one.validator, ours=one.ours
    )
