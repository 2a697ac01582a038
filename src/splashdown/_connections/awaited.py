"""The answer to a prepared request, read as it comes: so that one thread can wait for many answers at once.

Like :mod:`~splashdown._connections.whole` it reads only what is plain in every way. Nothing here waits, but for
``rest``, which is for a thread that has nothing else to do.
"""

from __future__ import annotations

import math
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

from splashdown._connections.whole import HEAD, Head, Whole, buffer, lost, small_head

if TYPE_CHECKING:
    from urllib3 import HTTPConnectionPool

#: What a socket that never waits raises where nothing has come.
_NOTHING_YET = (BlockingIOError, ssl.SSLWantReadError)


class Awaited:
    """An answer on one connection. Begun in the buffer of the thread; what comes in pieces gets one of its own."""

    __slots__ = ("_come", "_connection", "_found", "_most", "_plain", "_pool", "_seconds", "_stop", "_view", "unusual")

    def __init__(self, pool: HTTPConnectionPool, connection: Any, most: int, seconds: float | None, plain: Any) -> None:
        """``plain`` takes a head apart: status, headers, length; it gives ``None`` for an unusual one."""
        self._pool, self._connection, self._most, self._seconds = pool, connection, most, seconds
        self._plain = plain
        self._view: memoryview | None = None  #: what has come of an answer that is not all there
        self._come = self._stop = 0
        self._found: Head | None = None
        self.unusual = False  #: whether ``take`` will never give it

    def fileno(self) -> int:
        """What can be read when more has come."""
        return self._connection.sock.fileno()  # type: ignore[no-any-return]

    def take(self) -> Whole | None:
        """The whole file, valid until the next exchange of the same thread; ``None`` where not all of it has come.

        ``None`` too for an answer that is ``unusual``: nothing of it is lost, ``rest`` reads it in the usual way.
        Raises ``OSError`` where the connection has failed, which it closes.
        """
        view, come, found = self._view or buffer(self._most), self._come, self._found
        source = self._connection.sock
        try:
            while True:
                got = source.recv_into(view[come:] if come else view)
                come += got
                if found is None and got:
                    end, found = small_head(view, come, self._most, self._plain)
                    if found is not None:
                        self._stop, self._found = end + found[2], found
                    self.unusual = found is None and (end >= 4 or come >= HEAD)
                stop = self._stop
                if not got or self.unusual or (found is not None and come > stop):
                    self.unusual = True
                    break
                if found is not None and come == stop:
                    self._pool.pool.connections.append(self._connection)  # type: ignore[union-attr]  # where it came from
                    return Whole(found[0], found[1], view[stop - found[2] : stop])
                if type(source) is socket.socket:  # what TLS has decrypted does not show at the socket
                    break
        except _NOTHING_YET:
            pass
        except BaseException as error:
            raise lost(self._pool, self._connection, error) from None
        if self._view is None and come:
            self._view = memoryview(bytearray(max(come, self._stop or len(view))))
            self._view[:come] = view[:come]
        self._come = come
        return None

    def rest(self) -> Any:
        """The answer in the usual way, beginning with what has come; waits for its head."""
        connection, seconds = self._connection, self._seconds
        try:
            connection.sock.settimeout(seconds)
            if self._view is None:
                found = connection.getresponse()
            else:
                deadline = math.inf if seconds is None else time.monotonic() + seconds
                found = connection.answer(bytes(self._view[: self._come]), deadline)
        except BaseException as error:
            raise lost(self._pool, connection, error) from None
        found._connection, found._pool = connection, self._pool  # noqa: SLF001 - as the pool does it
        return found

    def close(self) -> None:
        """End the connection: the answer is not wanted any more."""
        self._connection.close()
        self._pool._put_conn(self._connection)  # noqa: SLF001 - the pool's own way
