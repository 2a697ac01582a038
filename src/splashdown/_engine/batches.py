"""Small files that share one note, where a note costs a request: they are read in a row, noted together, then stored.

So none gets its name before it is noted, as in :mod:`~splashdown._engine.small`, and a store is asked once for many
files. An unusual file goes the general way, after those that were read before it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from splashdown._engine.context import Context
from splashdown._engine.small import Fetched, Handover, Raised, Step, StraightLine, given
from splashdown.model import Outcome, SmallBody, Transfer

#: So many files share a note at most. A kill between the note and the last of them leaves names without a file.
MOST_TOGETHER = 16
#: A batch is noted after so many seconds, however few files it has: none should wait long for others.
_MOMENT = 0.1


def read_together(
    context: Context, straight: StraightLine, numbers: Iterator[tuple[int, Transfer]]
) -> Iterator[tuple[int, Transfer, Step]]:
    """Read files until they are enough, note them together, and give each with the step that is left of it."""
    begun, held, size = time.perf_counter(), list[tuple[int, Fetched]](), 0
    last: tuple[int, Transfer, Step] | None = None
    for number, transfer in numbers:
        # Two runs that wait for each other, while both hold files, would wait for good.
        if held and context.journal.is_awaited(transfer.name):
            last = number, transfer, straight.move
            break
        found = _fetched(straight, transfer, wait=not held)
        if not isinstance(found, Fetched):
            last = number, transfer, found if isinstance(found, Raised) else given(found)
            break
        # The bytes are valid until the next file is read.
        data = bytes(found.answer.data)
        held.append((number, found._replace(answer=SmallBody(info=found.answer.info, data=data))))
        size += len(data)
        room = size + len(data) <= straight.memory
        if len(held) == MOST_TOGETHER or not room or time.perf_counter() - begun > _MOMENT:
            break
    raised = _noted(context, [file for _, file in held])
    for number, file in held:
        yield number, file.transfer, raised or _put(context, straight, file)
    if last is not None:
        yield last


def _fetched(straight: StraightLine, transfer: Transfer, *, wait: bool) -> Fetched | Outcome | Handover | Raised | None:
    try:
        return straight.fetch(transfer, wait=wait)
    except BaseException as error:  # those that were read before it are stored all the same
        return Raised(error)


def _noted(context: Context, files: list[Fetched]) -> Raised | None:
    try:
        if files:
            context.memory.storing({file.verdict.name: file.record for file in files})
    except BaseException as error:
        for file in files:
            context.journal.retract(file.number)
        return Raised(error)
    return None


def _put(context: Context, straight: StraightLine, file: Fetched) -> Step:
    def step(_: Transfer) -> Outcome | Handover | None:
        return straight.withdraw(file) if context.stop.is_set() else straight.put(file, noted=True)

    return step
