"""The fragment of one run: a line for each file that it stores; how lines are made, read and united.

Pure. Where fragments are is for :mod:`splashdown._receipts.notes`, and who may remove them for ``memory``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import IO

from splashdown._folders.fields import Fields
from splashdown.model import StoredRecord
from splashdown.redact import safely_shown

#: The extension of what fragments are in.
EXTENSION = ".records"
#: Five texts of 8,192 letters, each of which may need twelve bytes.
_LONGEST_LINE = 2**20

_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_quoted = json.encoder.encode_basestring_ascii

#: Candidates for what is under each name. Most names have one.
Candidates = Mapping[str, Sequence[StoredRecord]]


def storing_line(name: str, record: StoredRecord, at: float) -> bytes:
    """The line that is written just before a file gets its name, at a time by the target's clock (epoch seconds)."""
    item, key = record.identity or (None, "")
    # Not through an encoder, which takes three calls for each file of a run.
    return (
        f'{{"do":"stored","name":{_quoted(name)},"size":{record.size}'
        f',"checksum":{"null" if record.checksum is None else _quoted(record.checksum)}'
        f',"validator":{"null" if record.validator is None else _quoted(record.validator)}'
        f',"item":{"null" if item is None else _quoted(item)},"key":{_quoted(key)},"at":{at!r}}}\n'
    ).encode("ascii")


def unstored_line(name: str) -> bytes:
    """The line for a file that did not get its name after all."""
    return _line({"do": "unstored", "name": name})


def alive_line(at: float) -> bytes:
    """The line that says when the run was last known to be active, where the store does not."""
    return _line({"do": "alive", "at": at})


def free_line() -> bytes:
    """The line that says that the run has ended, and left its fragment to the last one."""
    return _line({"do": "free"})


def _line(record: Mapping[str, object]) -> bytes:
    return _encode(record).encode(errors="backslashreplace") + b"\n"


@safely_shown
@dataclass(slots=True, kw_only=True, repr=False)
class Fragment:
    """What one run says. ``alive`` is when it was last active; zero where no line says so, or one that it ended."""

    stored: dict[str, list[StoredRecord]] = field(default_factory=dict)
    alive: float = 0.0

    def add(self, lines: Iterable[bytes]) -> None:
        """Read further lines; what is none of ours, or was torn by a crash, is left out."""
        for line in lines:
            try:
                record = Fields(line)
                match record.text("do"):
                    case "stored":
                        self.stored.setdefault(record.name("name"), []).append(_stored_record(record))
                    case "unstored":
                        self._take_back(record.name("name"))
                    case "alive":
                        self.alive = record.time("at")
                    case "free":
                        self.alive = 0.0
            except (ValueError, KeyError):
                continue

    def _take_back(self, name: str) -> None:
        if records := self.stored.get(name):
            records.pop()
            if not records:
                del self.stored[name]


def _stored_record(record: Fields) -> StoredRecord:
    return StoredRecord(
        size=record.number("size"),
        checksum=record.checksum("checksum"),
        validator=record.validator("validator"),
        identity=(record.optional("item"), record.text("key")),
        written_at=record.time("at"),
    )


def lines_of(file: IO[bytes]) -> Iterator[bytes]:
    """The whole lines of a file; of one that is longer than any that is made here, pieces, which say nothing."""
    while line := file.readline(_LONGEST_LINE):
        if len(line) < _LONGEST_LINE and not line.endswith(b"\n"):
            return  # torn by a crash, or being written
        yield line


def unite(*sources: Candidates | Mapping[str, StoredRecord]) -> dict[str, tuple[StoredRecord, ...]]:
    """All candidates for each name. Neither the order of the sources nor how often one is given makes a difference."""
    found: dict[str, dict[StoredRecord, StoredRecord]] = {}
    for source in sources:
        for name, records in source.items():
            mine = found.setdefault(name, {})
            for record in [records] if isinstance(records, StoredRecord) else records:
                # Of records of the same bytes one stays with its own time and marks: those of two are not combined.
                said = replace(record, written_at=None, version=None, source_mark=None)
                mine[said] = max(mine.get(said, record), record, key=_age)
    return {name: tuple(sorted(mine.values(), key=_age, reverse=True)) for name, mine in found.items()}


def _age(record: StoredRecord) -> tuple[float, str]:
    return (record.written_at or 0.0, repr(record))
