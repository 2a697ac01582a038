"""The records of a journal: values, and the JSON lines they become. Pure; ``journal`` owns the file.

``begin`` is an upload of several parts that a later run can go on with, ``part`` one of its parts that is stored,
``open`` an upload that only its own run can end, ``whole`` a small file under way, ``end`` says that one of them has
ended. Records hold no href and no credentials. Stored files are noted in the target itself, see
``splashdown._receipts.fragments``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import IO

from splashdown._folders.fields import Fields
from splashdown.model import Part, StoredPart, Upload
from splashdown.redact import safely_shown

Record = dict[str, object]

#: What :func:`ended` makes its line of.
ENDED = b'{"do":"end","id":"%s"}\n'

_LONGEST_LINE = 2**20

_quoted = json.encoder.encode_basestring_ascii
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


@safely_shown
@dataclass(slots=True, kw_only=True, repr=False)
class Entry:
    """An unfinished upload: which asset and version it is, how it was cut, and the parts that are stored."""

    identity: str
    upload: Upload
    size: int
    validator: str
    at: float
    cut: Sequence[Part]
    parts: list[StoredPart] = field(default_factory=list)


@safely_shown
@dataclass(slots=True, kw_only=True, repr=False)
class Replayed:
    """What journals say: unfinished uploads by identity."""

    entries: dict[str, Entry] = field(default_factory=dict)
    surplus: list[Upload] = field(default_factory=list)  #: uploads that no run can continue: to be aborted


def identity(source: str, item: str | None, key: str, name: str) -> str:
    """The name of an asset in a journal: the same in every run, however its href is signed."""
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


def ended(number: str) -> bytes:
    """The line of an upload that was committed or aborted."""
    return ENDED % number.encode("ascii")


def whole(number: str, name: str) -> bytes:
    """The line of a file that is stored in one call; a later run has nothing to do about it."""
    # Not through an encoder, which takes three calls for each file of a run.
    return f'{{"do":"whole","id":"{number}","name":{_quoted(name)}}}\n'.encode("ascii")


def lines_of(file: IO[bytes]) -> Iterator[bytes]:
    """The lines of a journal; one that is longer than any that is made here comes in pieces, which say nothing."""
    while text := file.readline(_LONGEST_LINE):
        yield text


def replay(lines: Iterable[bytes]) -> Replayed:
    """Read records; what is none, is torn by a crash, or belongs to no upload is left out."""
    found, by_number, loose = Replayed(), dict[str, Entry](), dict[str, Upload]()
    for text in lines:
        try:
            record = Fields(text)
            match record.text("do"):
                case "begin":
                    by_number[record.text("id")] = entry = _entry(record)
                    if entry.identity in found.entries:
                        found.surplus.append(found.entries[entry.identity].upload)
                    found.entries[entry.identity] = entry
                case "part":
                    by_number[record.text("id")].parts.append(_stored_part(record))
                case "open":
                    loose[record.text("id")] = _upload(record)
                case "end" if loose.pop(record.text("id"), None) is None:
                    entry = by_number.pop(record.text("id"))
                    if found.entries.get(entry.identity) is entry:
                        del found.entries[entry.identity]
        except (ValueError, KeyError):
            continue
    found.surplus.extend(loose.values())
    return found


def merge(replays: Iterable[Replayed]) -> Replayed:
    """The records of several journals together; the later ones win."""
    all_of_them = Replayed()
    for one in replays:
        for of, entry in one.entries.items():
            if of in all_of_them.entries:
                all_of_them.surplus.append(all_of_them.entries[of].upload)
            all_of_them.entries[of] = entry
        all_of_them.surplus.extend(one.surplus)
    return all_of_them


def rewritten(rest: Replayed) -> Iterator[Record]:
    """The records of a journal with just this content."""
    for number, entry in enumerate(rest.entries.values()):
        yield begin(f"r{number}", entry)
        for one in entry.parts:
            yield part(f"r{number}", one)
    for number, upload in enumerate(rest.surplus):
        yield opened(f"s{number}", upload)


def _entry(record: Fields) -> Entry:
    bounds, size = record.numbers("cut"), record.number("size")
    if not bounds or bounds != sorted(bounds) or bounds[0] != 0 or bounds[-1] != size:
        raise ValueError("the parts are not those of one file")
    return Entry(
        identity=record.text("of"),
        upload=_upload(record),
        size=size,
        validator=record.validator("validator") or "",
        at=record.time("at"),
        cut=tuple(Part(number=number, start=a, stop=b) for number, (a, b) in enumerate(pairwise(bounds), start=1)),
    )


def _upload(record: Fields) -> Upload:
    return Upload(key=record.name("name"), token=record.texts("token"))


def _stored_part(record: Fields) -> StoredPart:
    one = Part(number=record.number("n"), start=record.number("start"), stop=record.number("stop"))
    return StoredPart(part=one, tag=record.text("tag"))
