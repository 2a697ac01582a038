"""Cuts a file into parts. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

from splashdown._engine.settings import MIB
from splashdown.errors import StoreError
from splashdown.model import Part, PartPolicy

#: Parts get smaller towards the end of a file, so that connections finish together; down to this size.
_TAPER = 8 * MIB
#: Parts that a sink needs whole are held in memory, so they are no larger than they have to be.
_BUFFERED = 8 * MIB
#: Where the end is unknown, parts double after so many, to stay within a sink's number of parts.
_GROW_EVERY = 1_000


class Cut(Sequence[Part]):
    """The parts of a file: a number of equal ones, then the given ones.

    Each is made when it is asked for: a server may claim a size whose parts do not fit into memory.
    """

    def __init__(self, step: int, count: int, rest: Sequence[Part]) -> None:
        self._step, self._count, self._rest = step, count, rest

    def __len__(self) -> int:
        return self._count + len(self._rest)

    @overload
    def __getitem__(self, index: int) -> Part: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Part]: ...

    def __getitem__(self, index: int | slice) -> Part | Sequence[Part]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        at = index if index >= 0 else index + len(self)
        if 0 <= at < self._count:
            return Part(number=at + 1, start=at * self._step, stop=(at + 1) * self._step)
        if not 0 <= at < len(self):
            raise IndexError(index)
        return self._rest[at - self._count]


def cut(size: int, policy: PartPolicy, wanted: int, connections: int = 1) -> Sequence[Part]:
    """The parts of a file of known size: at least one, without gaps, as the sink's policy wants them.

    ``wanted`` is the largest part where the policy leaves a choice; over several ``connections`` the last parts are
    smaller, and none is larger than the first. Raises ``StoreError`` for a file that the sink cannot take.
    """
    step = _step(policy, wanted)
    if policy.max_parts is not None:
        step = max(step, _aligned(-(-size // policy.max_parts), policy.align))
    if policy.max_size is not None and step > policy.max_size:
        raise StoreError(
            f"a file of {size} bytes is too large for this sink: it takes {policy.max_parts} parts of at most"
            f" {policy.max_size} bytes"
        )
    # Smaller parts cost a store one more request each, and use up its number of parts; a disk does not mind.
    can_taper = not policy.buffered and policy.max_parts is None
    least = max(policy.min_size, min(_TAPER, step)) if can_taper and connections > 1 else step
    # All parts are equal while two of them are left for each connection.
    equal = max(0, size // step - (2 * connections if least < step else 0) - 1)
    rest: list[Part] = []
    at = equal * step
    while not rest or at < size:
        stride = step
        if least < step:
            stride = min(step, max(least, _aligned((size - at) // (2 * connections), MIB)))
            stride = min(step, _aligned(stride, policy.align))
        stop = min(size, at + stride)
        rest.append(Part(number=equal + len(rest) + 1, start=at, stop=stop))
        at = stop
    return Cut(step, equal, rest)


def cut_unknown_size(policy: PartPolicy, wanted: int) -> Iterator[Part]:
    """The parts of a file whose end is unknown, without end; its last one will be shorter than it says."""
    step, at, number = _step(policy, wanted), 0, 0
    while policy.max_parts is None or number < policy.max_parts:
        number += 1
        yield Part(number=number, start=at, stop=at + step)
        at += step
        if policy.max_parts is not None and number % _GROW_EVERY == 0:
            step = step * 2 if policy.max_size is None else min(step * 2, policy.max_size)
    raise StoreError(
        f"the file, whose size the server does not say, does not fit into the {policy.max_parts} parts of this sink"
    )


def _step(policy: PartPolicy, wanted: int) -> int:
    step = max(policy.min_size, min(wanted, _BUFFERED) if policy.buffered else wanted)
    if policy.max_size is not None:
        step = min(step, policy.max_size)
    aligned = _aligned(step, policy.align)
    # Rounding up may pass the largest size; the policy's own sizes are multiples of its alignment or not worth having.
    return aligned if policy.max_size is None or aligned <= policy.max_size else aligned - policy.align


def _aligned(size: int, align: int) -> int:
    return max(align, -(-size // align) * align)
