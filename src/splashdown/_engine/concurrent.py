"""Applies a function to many values in a few threads, and yields results as they come."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def map_ordered(function: Callable[[T], R], values: Sequence[T], threads: int) -> list[R]:
    """The results in the order of the values. A signal is not kept waiting by calls that have not begun."""
    found = dict(map_unordered(function, values, threads))
    return [found[index] for index in range(len(values))]


def map_unordered(function: Callable[[T], R], values: Sequence[T], threads: int) -> Iterator[tuple[int, R]]:
    """Yield ``(index, function(values[index]))`` in the order in which they are done.

    The first exception ends it. At most ``threads`` results wait to be taken, so that memory stays bounded when the
    caller is slower. Calls under way when the caller stops early are finished and thrown away.
    """
    threads = min(threads, len(values))
    if threads <= 1:
        yield from ((index, function(value)) for index, value in enumerate(values))
        return
    done: queue.SimpleQueue[tuple[int, R | None, BaseException | None]] = queue.SimpleQueue()
    todo = iter(enumerate(values))
    # Twice: one result of each thread may wait while the thread works on the next.
    lock, room, stop = threading.Lock(), threading.Semaphore(2 * threads), threading.Event()

    def work() -> None:
        while True:
            room.acquire()
            with lock:
                entry = next(todo, None)
            if entry is None or stop.is_set():
                return
            index, value = entry
            try:
                done.put((index, function(value), None))
            except BaseException as error:
                done.put((index, None, error))
                return

    for number in range(threads):
        threading.Thread(target=work, name=f"splashdown-range-{number}", daemon=True).start()
    try:
        for _ in values:
            index, result, error = done.get()
            if error is not None:
                raise error
            yield index, result  # type: ignore[misc]
            room.release()
    finally:  # also when the caller does not take all of it
        stop.set()
        room.release(threads)
