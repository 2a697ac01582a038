"""The records of a journal: values, and the JSON lines they become. Pure; the file is the business of ``journal``.

``begin`` is an upload of several parts that a later run can go on with, ``part`` one of its parts that is stored,
``open`` an upload that only its own run can end, ``end`` says that an upload is no more, ``stored`` that a file is
about to get its name, ``unstored`` that it did not. Records hold no href and no credentials.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from splashdown.model import Part, StoredPart, StoredRecord, Upload

Record = dict[str, object]

_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


@dataclass(slots=True, kw_only=True)
class Entry:
    """An unfinished upload: which asset and version it is, how it was cut, and the parts that are stored."""

    identity: str
    upload: Upload
    size: int
    validator: str
    at: float
    cut: Sequence[Part]
    parts: list[StoredPart] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Replayed:
    """What journals tell: unfinished uploads by identity, and files that were stored by name."""

    entries: dict[str, Entry] = field(default_factory=dict)
    stored: dict[str, StoredRecord] = field(default_factory=dict)
    surplus: list[Upload] = field(default_factory=list)  #: uploads that nobody can go on with: to be aborted


def identity(source: str, item: str | None, key: str, name: str) -> str:
    """What an asset is called in a journal: the same in every run, however its href is signed."""
    return hashlib.sha256("\0".join((source, item or "", key, name)).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def line(record: Record) -> bytes:
    """One record as it is written."""
    return _encode(record).encode() + b"\n"


def begin(number: str, entry: Entry) -> Record:
    """The record of an upload; ``number`` is what its later records call it by."""
    return {
        "do": "begin",
        "id": number,
        "of": entry.identity,
        "name": entry.upload.key,
        "token": dict(entry.upload.token),
        "size": entry.size,
        "validator": entry.validator,
        "cut": [part.start for part in entry.cut] + [entry.size],
        "at": entry.at,
    }


def opened(number: str, upload: Upload) -> Record:
    """The record of an upload that a later run can only remove."""
    return {"do": "open", "id": number, "name": upload.key, "token": dict(upload.token)}


def part(number: str, stored: StoredPart) -> Record:
    """The record of a part that the sink has taken."""
    one = stored.part
    return {"do": "part", "id": number, "n": one.number, "start": one.start, "stop": one.stop, "tag": stored.tag}


def end(number: str) -> Record:
    """The record of an upload that was committed or aborted."""
    return {"do": "end", "id": number}


def stored(name: str, record: StoredRecord) -> Record:
    """The record of a file."""
    item, key = record.identity or (None, "")
    return {
        "do": "stored",
        "name": name,
        "size": record.size,
        "checksum": record.checksum,
        "validator": record.validator,
        "item": item,
        "key": key,
        "at": time.time() if record.written_at is None else record.written_at,
    }


def unstored(name: str) -> Record:
    """The record of a file that did not get its name after all."""
    return {"do": "unstored", "name": name}


def replay(lines: Iterable[bytes]) -> Replayed:
    """Read records; what is none, is torn by a crash, or belongs to no upload is left out."""
    found, by_number, loose = Replayed(), dict[str, Entry](), dict[str, Upload]()
    for text in lines:
        try:
            record = json.loads(text)
            match record["do"]:
                case "begin":
                    by_number[record["id"]] = entry = _entry(record)
                    if entry.identity in found.entries:
                        found.surplus.append(found.entries[entry.identity].upload)
                    found.entries[entry.identity] = entry
                case "part":
                    by_number[record["id"]].parts.append(_stored_part(record))
                case "open":
                    loose[record["id"]] = _upload(record)
                case "end" if loose.pop(record["id"], None) is None:
                    entry = by_number.pop(record["id"])
                    if found.entries.get(entry.identity) is entry:
                        del found.entries[entry.identity]
                case "stored":
                    found.stored[str(record["name"])] = _stored_record(record)
                case "unstored":
                    found.stored.pop(str(record["name"]), None)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    found.surplus.extend(loose.values())
    return found


def merge(replays: Iterable[Replayed]) -> Replayed:
    """What several journals tell together, the later ones winning."""
    all_of_them = Replayed()
    for one in replays:
        for of, entry in one.entries.items():
            if of in all_of_them.entries:
                all_of_them.surplus.append(all_of_them.entries[of].upload)
            all_of_them.entries[of] = entry
        all_of_them.stored.update(one.stored)
        all_of_them.surplus.extend(one.surplus)
    return all_of_them


def rewritten(rest: Replayed) -> Iterator[Record]:
    """The records of a journal that tells just this."""
    for number, entry in enumerate(rest.entries.values()):
        yield begin(f"r{number}", entry)
        for one in entry.parts:
            yield part(f"r{number}", one)
    for number, upload in enumerate(rest.surplus):
        yield opened(f"s{number}", upload)
    for name, record in rest.stored.items():
        yield stored(name, record)


def _entry(record: Mapping[str, Any]) -> Entry:
    bounds = [int(one) for one in record["cut"]]
    if not bounds or bounds != sorted(bounds) or bounds[-1] != int(record["size"]):
        raise ValueError("the parts are not those of one file")
    return Entry(
        identity=str(record["of"]),
        upload=_upload(record),
        size=int(record["size"]),
        validator=str(record["validator"]),
        at=float(record["at"]),
        cut=tuple(Part(number=number, start=a, stop=b) for number, (a, b) in enumerate(pairwise(bounds), start=1)),
    )


def _upload(record: Mapping[str, Any]) -> Upload:
    return Upload(key=str(record["name"]), token={str(n): str(v) for n, v in record["token"].items()})


def _stored_part(record: Mapping[str, Any]) -> StoredPart:
    one = Part(number=int(record["n"]), start=int(record["start"]), stop=int(record["stop"]))
    return StoredPart(part=one, tag=str(record["tag"]))


def _stored_record(record: Mapping[str, Any]) -> StoredRecord:
    return StoredRecord(
        size=int(record["size"]),
        checksum=record.get("checksum"),
        validator=record.get("validator"),
        identity=(record.get("item"), str(record["key"])),
        written_at=float(record["at"]),
    )
