"""A server that says on its sockets exactly what a test wants, good manners or not."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class RawServer:
    """``connections`` and ``requests`` (heads with their bodies) as they came."""

    url: str
    connections: list[socket.socket] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)


@contextmanager
def raw_server(
    answer: Callable[[socket.socket, int], object], *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> Iterator[RawServer]:
    """Calls ``answer(connection, n)`` for the n-th request; what it returns is sent. ``None`` ends the connection."""
    with socket.create_server((host, 0), backlog=64) as listening:
        server = RawServer(f"{'https' if tls else 'http'}://{host}:{listening.getsockname()[1]}")
        threading.Thread(target=_accept, args=(listening, server, answer, tls), daemon=True).start()
        try:
            yield server
        finally:
            server.closing.set()
            for connection in server.connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


def _accept(listening, server, answer, tls):
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        server.connections.append(connection)
        threading.Thread(target=_serve, args=(connection, server, answer, tls), daemon=True).start()


def _serve(connection, server, answer, tls):
    with suppress(OSError):
        if tls is not None:
            connection = tls.wrap_socket(connection, server_side=True)
        with connection:
            while (request := _request(connection)) is not None:
                server.requests.append(request)
                said = answer(connection, len(server.requests) - 1)
                if said is None:
                    return
                connection.sendall(said)


def _request(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while len(body) < int(lengths[0] if lengths else 0):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def drip(connection, head: bytes, each: bytes, closing: threading.Event, pause: float = 0.02):
    """Send a head, and then a few bytes again and again until the client has had enough."""
    connection.sendall(head)
    with suppress(OSError):
        while not closing.wait(pause):
            connection.sendall(each)
