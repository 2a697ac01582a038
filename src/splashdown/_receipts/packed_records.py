"""What a target holds, by name: a dictionary of few records, and some hundred bytes for each of very many."""

from __future__ import annotations

from array import array
from collections.abc import ItemsView, Iterable, Iterator, Mapping, ValuesView
from itertools import chain, islice
from operator import attrgetter, itemgetter
from typing import Any

from splashdown._series.blocks import Blocks
from splashdown.model import StoredRecord

#: Fewer records stay a dictionary, which takes a kilobyte for each and fewer calls.
_MANY = 10_000
_SMALLEST = 1 << 12  #: places of the table
_FIELDS = tuple(StoredRecord.__dataclass_fields__)
_values = attrgetter(*_FIELDS)
# The constructor of a frozen dataclass takes three times as long, and records are created on each access.
_setters = [getattr(StoredRecord, name).__set__ for name in _FIELDS]


class PackedRecords(Mapping[str, StoredRecord]):
    """Records that are packed while one thread puts them; what is set later, from any thread, stays as it is.

    A table has the hash and the number of each name, as a dictionary has, without an object for either.
    """

    def __init__(self) -> None:
        self._hashes = array("q", bytes(8 * _SMALLEST))
        self._numbers = array("I", bytes(4 * _SMALLEST))  #: from 1 on; a free place has none
        self._rows = Blocks[tuple[Any, ...]]()
        self._count = 0
        self._set: dict[str, StoredRecord] = {}  #: in place of rows, and besides
        self._added: dict[str, None] = {}

    def put(self, name: str, record: StoredRecord) -> None:
        """Add a record; the last one of a name counts."""
        hashed = hash(name)
        at, row = self._find(name, hashed)
        if row is not None:
            self._set[name] = record
            return
        self._rows.append((name, *_values(record)))
        self._count = count = self._count + 1
        self._hashes[at], self._numbers[at] = hashed, count
        if 2 * count > len(self._numbers):
            self._grow()

    def _find(self, name: str, hashed: int) -> tuple[int, tuple[Any, ...] | None]:
        """Where a name is in the table, and its row; or where it may be put."""
        hashes, numbers = self._hashes, self._numbers
        last = len(numbers) - 1
        at = hashed & last
        while number := numbers[at]:
            if hashes[at] == hashed and (row := self._rows.at(number - 1))[0] == name:
                return at, row
            at = at + 1 & last
        return at, None

    def _grow(self) -> None:
        old, numbers = self._hashes, self._numbers
        self._hashes = hashes = array("q", bytes(16 * len(old)))
        self._numbers = larger = array("I", bytes(8 * len(old)))
        last = len(larger) - 1
        for hashed, number in zip(old, numbers, strict=True):
            if number:
                at = hashed & last
                while larger[at]:
                    at = at + 1 & last
                hashes[at], larger[at] = hashed, number

    def __setitem__(self, name: str, record: StoredRecord) -> None:
        # Other threads read the rows now.
        if name not in self:
            self._added[name] = None
        self._set[name] = record

    def __getitem__(self, name: str) -> StoredRecord:
        found: StoredRecord | None = self.get(name)
        if found is None:
            raise KeyError(name)
        return found

    def get(self, name: str, default: Any = None) -> Any:
        """As a dictionary's, and not by way of an exception for each new file."""
        if self._set and (found := self._set.get(name)) is not None:
            return found
        row = self._find(name, hash(name))[1]
        return default if row is None else _record(row)

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        return self._find(name, hash(name))[1] is not None or name in self._added

    def __iter__(self) -> Iterator[str]:
        return chain(map(itemgetter(0), self._rows), self._added)

    def __len__(self) -> int:
        return self._count + len(self._added)

    def items(self) -> ItemsView[str, StoredRecord]:
        """Names and records; a walk over them needs no look-up for each."""
        return _Items(self)

    def values(self) -> ValuesView[StoredRecord]:
        """The records."""
        return _Values(self)

    def records(self) -> Iterator[StoredRecord]:
        """The records, in the order in which they came."""
        return map(self.__getitem__, self) if self._set else map(_record, self._rows)


class _Items(ItemsView[str, StoredRecord]):
    def __init__(self, of: PackedRecords) -> None:
        super().__init__(of)
        self._of = of

    def __iter__(self) -> Iterator[tuple[str, StoredRecord]]:
        return zip(self._of, self._of.records(), strict=True)


class _Values(ValuesView[StoredRecord]):
    def __init__(self, of: PackedRecords) -> None:
        super().__init__(of)
        self._of = of

    def __iter__(self) -> Iterator[StoredRecord]:
        return self._of.records()


def _record(row: tuple[Any, ...]) -> StoredRecord:
    record = object.__new__(StoredRecord)
    for number, put in enumerate(_setters, 1):
        put(record, row[number])
    return record


#: Records of which more may be set.
Records = dict[str, StoredRecord] | PackedRecords


def records_of(pairs: Iterable[tuple[str, StoredRecord]]) -> Records:
    """Records by name, of which the last counts: packed where they are many."""
    each = iter(pairs)
    first = [*islice(each, _MANY)]
    if len(first) < _MANY:
        return dict(first)
    packed = PackedRecords()
    for name, record in chain(first, each):
        packed.put(name, record)
    return packed


def pack(records: Mapping[str, StoredRecord]) -> Records:
    """The same records, to be changed: packed where they are many."""
    if isinstance(records, PackedRecords) and len(records) >= _MANY:
        return records
    return records_of(records.items())


def add_missing(records: Records, more: Mapping[str, StoredRecord]) -> Records:
    """The records, and those of ``more`` under other names; they may be the same object or a packed one."""
    if not records:
        return pack(more)
    for name, record in more.items():
        if name in records:
            continue
        if isinstance(records, PackedRecords):
            records.put(name, record)
        else:
            records[name] = record
    return pack(records) if len(records) >= _MANY else records
