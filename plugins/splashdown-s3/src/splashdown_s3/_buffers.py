"""Gathers the chunks of a body into the buffers that are sent; one copy each, as a chunk is valid only for a moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from splashdown.errors import TruncatedError
from splashdown.model import Buffer, Part

#: A file of unknown size gets larger parts as it goes on, so that 10,000 of them hold 5 TiB from 8 MiB on.
_GROW_EVERY = 1000


def fill(part: Part, chunks: Iterable[Buffer]) -> bytearray:
    """A copy of the bytes of a part, whose size is known or which ends by itself. Raises ``TruncatedError``."""
    if part.size is None:
        whole = bytearray()
        for chunk in chunks:
            whole += chunk
        return whole
    body, at = bytearray(part.size), 0
    with memoryview(body) as view:
        for chunk in chunks:
            end = at + len(chunk)
            if end > part.size:
                raise TruncatedError(f"part {part.number}: more than the {part.size} bytes that were promised came")
            view[at:end] = chunk
            at = end
    if at != part.size:
        raise TruncatedError(f"part {part.number}: {at} of {part.size} bytes came")
    return body


def borrow(part: Part, chunks: Iterable[Buffer]) -> Buffer:
    """As :func:`fill`, without a copy where the part comes as one chunk; valid until the next chunk is asked for."""
    rest = iter(chunks)
    first = next(rest, b"")
    return first if len(first) == part.size else fill(part, chain((first,), rest))


def size_of(number: int, first: int) -> int:
    """How large part ``number`` (from 1) of a file of unknown size is, in bytes."""
    return first << ((number - 1) // _GROW_EVERY)


def cut(chunks: Iterable[Buffer], first: int) -> Iterator[bytearray]:
    """Cut a body of unknown size into parts: full ones, and a last one, which may be empty."""
    number = 1
    body = bytearray()
    for chunk in chunks:
        rest = memoryview(chunk)
        while len(rest) > (room := size_of(number, first) - len(body)):
            body += rest[:room]
            rest = rest[room:]
            yield body
            number += 1
            body = bytearray()
        body += rest
    yield body
