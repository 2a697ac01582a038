"""The outcomes of very many transfers."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from operator import attrgetter, itemgetter
from typing import Any, Protocol

from splashdown._series.assets import Transfers
from splashdown._series.blocks import BLOCK, Slots
from splashdown._series.lazy import LazySequence
from splashdown.model import Asset, Outcome, Status, Transfer

#: The fields of a row, after two others: the name, if it differs from the plan's, and the status as plain text.
FIELDS = tuple(name for name in Outcome.__dataclass_fields__ if name not in {"transfer", "status"})
_values = attrgetter(*FIELDS)
_AT = {name: number for number, name in enumerate(FIELDS, 2)}
_STATUSES = tuple(Status)
_TEXTS = {str.__str__(status): status for status in _STATUSES}
_CODES = {text: number for number, text in enumerate(_TEXTS)}
_NONE, _MOVED = 255, _AT["bytes_moved"]

_Row = tuple[Any, ...]


class OutcomeSlots(Protocol):
    """A slot for the outcome of each transfer, filled from any thread."""

    def __setitem__(self, number: int, outcome: Outcome) -> None:
        """Put one outcome."""

    def put(self, numbers: Sequence[int], outcomes: Rows) -> None:
        """Put many, without creating them where they are packed."""

    def outcomes(self) -> Sequence[Outcome]:
        """All outcomes, after the last one was put."""


class Rows(LazySequence[Outcome]):
    """The outcomes of some transfers, as rows."""

    def __init__(self, transfers: Sequence[Transfer], rows: Sequence[_Row]) -> None:
        self.transfers, self.rows = transfers, rows

    def __len__(self) -> int:
        return len(self.rows)

    def _element(self, position: int) -> Outcome:
        return _outcome(self.transfers[position], self.rows[position])

    def columns(self, *names: str) -> Iterator[Any]:
        """The status of each costs little."""
        if names == ("status",):
            return map(_TEXTS.__getitem__, [row[1] for row in self.rows])  # the class would be called for each
        return super().columns(*names)


def _outcome(transfer: Transfer, row: _Row) -> Outcome:
    own, status, *values = row
    transfer = replace(transfer, name=own) if own else transfer
    return Outcome(transfer=transfer, status=_TEXTS[status], **dict(zip(FIELDS, values, strict=True)))


def slots_for(transfers: Sequence[Transfer], missing: Callable[[int], Outcome]) -> OutcomeSlots:
    """Packed if the transfers are; ``missing`` makes the outcome of a transfer without one."""
    return PackedOutcomes(transfers, missing) if isinstance(transfers, Transfers) else _Few(len(transfers), missing)


class _Few:
    """Outcomes in a list."""

    def __init__(self, length: int, missing: Callable[[int], Outcome]) -> None:
        self._outcomes: list[Outcome | None] = [None] * length
        self._missing = missing

    def __setitem__(self, number: int, outcome: Outcome) -> None:
        self._outcomes[number] = outcome

    def put(self, numbers: Sequence[int], outcomes: Rows) -> None:
        for number, outcome in zip(numbers, outcomes, strict=True):
            self._outcomes[number] = outcome

    def outcomes(self) -> tuple[Outcome, ...]:
        return tuple(outcome or self._missing(number) for number, outcome in enumerate(self._outcomes))


class PackedOutcomes(LazySequence[Outcome]):
    """A row for each outcome, at the number of its transfer."""

    def __init__(self, transfers: Transfers, missing: Callable[[int], Outcome]) -> None:
        self._transfers = transfers
        self._missing = missing
        self._rows = Slots[_Row](len(transfers))
        # Status, name and bytes are read most often, so they do not need a row.
        self._statuses = bytearray([_NONE]) * len(transfers)
        self._moved = array("q", bytes(8 * len(transfers)))
        self._renamed: dict[int, str] = {}

    @property
    def assets(self) -> Sequence[Asset]:
        """The asset of each outcome."""
        return self._transfers.assets

    def __setitem__(self, number: int, outcome: Outcome) -> None:
        name, status = outcome.transfer.name, outcome.status
        own = "" if name == self._transfers.name_at(number) else name
        # A plain string: the value of an enum costs two calls.
        if own:
            self._renamed[number] = own
        self._rows[number] = (own, str.__str__(status), *_values(outcome))
        self._moved[number] = outcome.bytes_moved
        self._statuses[number] = _STATUSES.index(status)

    def put(self, numbers: Sequence[int], outcomes: Rows) -> None:
        self._rows.put(numbers, outcomes.rows)
        for number, row in zip(numbers, outcomes.rows, strict=True):
            if row[0]:
                self._renamed[number] = row[0]
            self._moved[number] = row[_MOVED]
            self._statuses[number] = _CODES[row[1]]

    def outcomes(self) -> Sequence[Outcome]:
        return self

    def __len__(self) -> int:
        return len(self._transfers)

    def _element(self, position: int) -> Outcome:
        return _outcome(self._transfers[position], self._row(position))

    def columns(self, *names: str) -> Iterator[Any]:
        """Fields of the outcomes, and of their transfers and assets, without creating these."""
        if names == ("status",) and _NONE not in self._statuses:
            return map(_STATUSES.__getitem__, self._statuses)  # asked for several times a run: no call for each
        plain = [name.removeprefix("transfer.") for name in names]
        if all(name.startswith("asset.") for name in plain):
            return self._transfers.columns(*plain)
        if names == ("bytes_moved",):
            return iter(self._moved)
        if _NONE in self._statuses:
            return map(self.cells(*names), range(len(self)))
        if _AT.keys() >= set(names):
            return map(itemgetter(*(_AT[name] for name in names)), self._rows)
        if plain[0] == "name" and len(names) != 2 and _AT.keys() >= set(names[1:]):
            return self._named(names[1:])
        return map(self.cells(*names), range(len(self)))

    def columns_at(self, positions: Sequence[int], *names: str) -> Iterator[Any]:
        """The same of the outcomes at positions."""
        if _AT.keys() >= set(names) and _NONE not in self._statuses:
            return map(itemgetter(*(_AT[name] for name in names)), self._rows.pick(positions))
        plain = [name.removeprefix("transfer.") for name in names]
        if all(name.startswith("asset.") for name in plain):
            return self._transfers.columns_at(positions, *plain)
        return super().columns_at(positions, *names)

    def _named(self, fields: Sequence[str]) -> Iterator[Any]:
        """The name and fields of each outcome: what a receipt needs, for no call each."""
        planned, block = self._transfers.names, self._rows.block
        if not fields:
            if not self._renamed:
                return iter(planned)
            own = self._renamed.get
            return (own(number) or name for number, name in enumerate(planned))
        pick = itemgetter(*(_AT[name] for name in fields))

        def some(start: int) -> list[Any]:
            rows = zip(block(start // BLOCK), planned[start : start + BLOCK], strict=True)
            return [(row[0] or name, *pick(row)) for row, name in rows]

        return chain.from_iterable(map(some, range(0, len(self), BLOCK)))

    def cells(self, *names: str) -> Callable[[int], Any]:
        """A function that gives the fields of the outcome at a position."""
        if _AT.keys() >= set(names):
            pick = itemgetter(*(_AT[name] for name in names))
            return lambda position: pick(self._row(position))
        if names[0] == "transfer.name" and len(names) > 2 and _AT.keys() >= set(names[1:]):
            return self._named_cells(itemgetter(*(_AT[name] for name in names[1:])))
        each = [self._cell(name.removeprefix("transfer.")) for name in names]
        return each[0] if len(each) == 1 else lambda position: tuple(cell(position) for cell in each)

    def _named_cells(self, pick: Callable[[_Row], _Row]) -> Callable[[int], _Row]:
        """The name and fields of the row: what a receipt needs of each outcome."""
        planned, rows = self._transfers.name_at, self._rows.__getitem__

        def cell(position: int) -> _Row:
            row = rows(position) or self._missing_row(position)
            return (row[0] or planned(position), *pick(row))

        return cell

    def _cell(self, name: str) -> Callable[[int], Any]:
        if name == "status":
            return self._status
        if name == "name":
            return lambda position: self._renamed.get(position) or self._transfers.name_at(position)
        return self.cells(name) if name in _AT else self._transfers.cells(name)

    def _status(self, position: int) -> Status:
        number = self._statuses[position]
        return self._missing(position).status if number == _NONE else _STATUSES[number]

    def _row(self, number: int) -> _Row:
        return self._rows[number] or self._missing_row(number)

    def _missing_row(self, number: int) -> _Row:
        outcome = self._missing(number)
        return ("", outcome.status.value, *_values(outcome))
