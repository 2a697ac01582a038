"""A small file in one exchange: a prepared request, and an answer that is read into a buffer of its thread.

Only what is plain in every way is answered here: a connection that is open and silent, 200 or 206 with the whole file,
a length of at most some bytes, no coding of the body, all of it come within a moment; or a 304, which has no body. Any
other answer goes the usual way from its first byte; nothing is asked twice.
"""

from __future__ import annotations

import select
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from urllib3.exceptions import ReadTimeoutError

from splashdown._connections.recent import Idle
from splashdown.redact import safely_shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from urllib3 import HTTPConnectionPool

#: Status, headers with names in lower case, and length.
Head: TypeAlias = "tuple[int, Mapping[str, str], int]"

#: Room for the head of an answer before its body.
HEAD = 16 * 1024
#: How long the rest of a body may take once its head is there; a slower one is a stream, with the limits of streams.
_MOMENT = 0.2


@safely_shown
class Whole(NamedTuple):
    """A whole file, or a 304 without one. ``data`` is valid until the next exchange of the same thread."""

    status: int
    headers: Mapping[str, str]  #: names in lower case
    data: memoryview


class Watch:
    """Whether a connection has something to read, without a call of ours for each look."""

    __slots__ = ("ready", "socket")

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        poll = select.poll()
        poll.register(socket, select.POLLIN | select.POLLERR | select.POLLHUP)
        self.ready = poll.poll


class _Buffers(threading.local):
    """A buffer for each thread, as large as the largest that was asked for."""

    view = memoryview(b"")


_buffers = _Buffers()


def buffer(most: int) -> memoryview:
    """The buffer of this thread, with room for a head and a body of ``most`` bytes."""
    view = _buffers.view
    if len(view) < most + HEAD:
        view = _buffers.view = memoryview(bytearray(most + HEAD))
    return view


def lost(pool: HTTPConnectionPool, connection: Any, error: BaseException) -> BaseException:
    """Close a connection whose state is not known, and give its place back; the error to raise for ``error``."""
    connection.close()
    pool._put_conn(connection)  # noqa: SLF001 - the pool's own way
    return ReadTimeoutError(pool, "", "timed out") if isinstance(error, TimeoutError) else error


def silent_connection(pool: HTTPConnectionPool) -> Any:
    """An idle connection that is open, and on which nothing has come since its last answer; ``None`` without one."""
    idle: Any = pool.pool
    if type(idle) is not Idle or not idle.connections or not hasattr(select, "poll"):
        return None
    try:
        connection = idle.connections.pop()
    except IndexError:  # another thread took it
        return None
    if connection is None or (socket := connection.sock) is None:
        with suppress(Exception):
            idle.put(connection)
        return None
    watch = connection.watch
    if watch is None or watch.socket is not socket:
        watch = connection.watch = Watch(socket)
    held = getattr(socket, "pending", None)  # TLS may have read more than was asked of it
    if watch.ready(0) or (held is not None and held()):
        connection.close()
        idle.connections.append(connection)  # to be connected again
        return None
    return connection


def receive(connection: Any, most: int, plain: Any) -> Whole | bytes:
    """The whole small file that is answered on a connection, or the bytes of the answer that have come.

    ``plain`` takes a head apart: status, headers, length; it gives ``None`` for an unusual one.
    """
    view = buffer(most)
    take = connection.sock.recv_into
    come = take(view)
    end, found = small_head(view, come, most, plain)
    if found is None:
        return bytes(view[:come])
    status, headers, length = found
    stop = end + length
    if come > stop:
        return bytes(view[:come])
    if come < stop:
        until = time.monotonic() + _MOMENT
        while True:
            try:
                got = take(view[come:stop])
            except OSError:  # the bytes so far are good, and the next read raises
                return bytes(view[:come])
            come += got
            if come == stop:
                break
            if not got or time.monotonic() > until:
                return bytes(view[:come])
    return Whole(status, headers, view[end:stop])


def small_head(view: memoryview, come: int, most: int, plain: Any) -> tuple[int, Head | None]:
    """Where the head of an answer ends, below 4 where it has not come, and what it says of a whole small file."""
    end = view.obj.find(b"\r\n\r\n", 0, min(come, HEAD)) + 4  # type: ignore[attr-defined]  # a bytearray
    found = plain(bytes(view[: end - 4])) if end >= 4 else None
    if found is None:
        return end, None
    status, headers, length = found
    whole = status in (200, 304) or headers.get("content-range") == f"bytes 0-{length - 1}/{length}"
    return end, found if whole and length <= most and "content-encoding" not in headers else None
