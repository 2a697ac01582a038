"""Helpers of the contract of sinks: cut data by the policy of a sink, store it, feed it in awkward ways."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence

import pytest

from splashdown.model import Buffer, Content, Part, PartPolicy, Upload
from splashdown.protocols import Sink


def data_of(size: int, seed: str = "") -> bytes:
    """Bytes that compress badly and differ everywhere, the same for each call."""
    found = bytearray()
    number = 0
    while len(found) < size:
        found += hashlib.sha512(f"{seed}-{number}".encode()).digest() * 16
        number += 1
    return bytes(found[:size])


def part_size(policy: PartPolicy) -> int:
    """A small size that the policy allows for a part which is not the last."""
    size = max(policy.min_size, 1000)
    return -(-size // policy.align) * policy.align


def parts_of(size: int, policy: PartPolicy) -> list[Part]:
    """The parts of ``size`` bytes, small ones; one empty part for an empty object."""
    step = part_size(policy)
    starts = range(0, size, step) or range(1)
    return [Part(number=n, start=s, stop=min(s + step, size)) for n, s in enumerate(starts, 1)]


def in_parts(sink: Sink) -> tuple[bytes, list[Part]]:
    """Data of three parts, the last one short, by the policy of this sink."""
    policy = sink.parts
    if policy.max_parts is not None and policy.max_parts < 3:
        pytest.skip("this sink takes an object in one part")
    data = data_of(2 * part_size(policy) + 321)
    return data, parts_of(len(data), policy)


def reusing(data: bytes) -> Iterator[Buffer]:
    """Chunks in one buffer that is overwritten for each: a sink that keeps a chunk instead of its bytes fails."""
    chunk = max(700, len(data) // 99)  # many chunks, and not thousands: each of them may be a request
    buffer = bytearray(chunk)
    for at in range(0, len(data), chunk):
        piece = data[at : at + chunk]
        buffer[: len(piece)] = piece
        yield memoryview(buffer)[: len(piece)]
    buffer[:] = b"\xff" * chunk


def put(sink: Sink, upload: Upload, part: Part, data: bytes) -> str:
    """Put one part of ``data``."""
    return sink.put_part(upload, part, reusing(data[part.start : part.stop]))


def store(sink: Sink, key: str, data: bytes, parts: Sequence[Part] | None = None, *, replace: bool = True) -> str:
    """Store one object from begin to commit, in one part where none are given; return its location."""
    upload = sink.begin(key, Content(size=len(data), media_type="application/octet-stream", replace=replace))
    whole = [Part(number=1, start=0, stop=len(data))]
    return sink.commit(upload, [put(sink, upload, part, data) for part in parts or whole])


def revived(upload: Upload) -> Upload:
    """The upload as a journal gives it back to a later process."""
    return Upload(key=upload.key, token=json.loads(json.dumps(dict(upload.token))))
