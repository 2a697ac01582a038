"""Requests with bodies over lean connections: what the server gets, and what is made of its answer."""

import socket
import threading
import time
from contextlib import contextmanager

import pytest
import urllib3

from splashdown.connections import Answer, make_lean, send

OK = b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: "v"\r\n\r\n'
BIG = bytes(range(256)) * 4096 * 9  # more than the buffers of a socket hold
ROOM = 256 * 1024  #: of a socket's buffer: what waits there counts as sent, and takes its time on a slow line


@contextmanager
def server(*answers, take=lambda connection, left: connection.recv(min(left, 1 << 16))):
    """Reads a request whole, unless its answer is a tuple, and answers; one connection after the other."""
    requests = []

    def serve(listening):
        rest = iter(answers)
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                while data := connection.recv(1 << 16):
                    answer = next(rest)
                    head, _, body = data.partition(b"\r\n\r\n")
                    if isinstance(answer, tuple):
                        connection.sendall(answer[0])
                        break
                    length = int(dict(line.split(b": ") for line in head.split(b"\r\n")[1:]).get(b"Content-Length", 0))
                    while len(body) < length and (more := take(connection, length - len(body))):
                        body += more
                    if len(body) < length:
                        break  # the client has gone
                    requests.append((head.split(b"\r\n")[0].decode(), body))
                    connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
        threading.Thread(target=serve, args=(listening,), daemon=True).start()
        port = listening.getsockname()[1]
        small = [(socket.SOL_SOCKET, socket.SO_SNDBUF, ROOM)]
        with urllib3.HTTPConnectionPool("127.0.0.1", port, socket_options=small) as pool:
            make_lean(pool)
            yield pool, requests


def sent(pool, method, body=None, timeout=5.0):
    answer = send(pool, "/b/k", {"Host": "h"}, urllib3.Timeout(connect=timeout, read=timeout), method=method, body=body)
    answer.drain_conn()
    answer.release_conn()
    return answer


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bodies_of_every_size_arrive_whole_over_one_connection(kind):
    bodies = [b"", b"x", BIG[:300_000], BIG]
    with server(*[OK] * 4) as (pool, requests):
        answers = [sent(pool, "PUT", kind(body)) for body in bodies]
        assert requests == [("PUT /b/k HTTP/1.1", body) for body in bodies]
        assert {answer.headers["etag"] for answer in answers} == {'"v"'}
        assert pool.num_connections == 1
        assert all(isinstance(answer, Answer) for answer in answers)


def test_the_length_in_the_answer_to_a_head_is_not_that_of_a_body():
    with server(OK.replace(b"h: 0", b"h: 5"), OK, b"HTTP/1.1 404 No\r\nContent-Length: 5\r\n\r\n", OK) as (pool, _):
        found, _, missing, _ = (sent(pool, "HEAD") for _ in range(4))
        assert (found.status, found.headers["content-length"]) == (200, "5")
        assert missing.status == 404
        assert pool.num_connections == 1


def test_a_refusal_before_the_body_was_read_is_heard():
    refusal = b"HTTP/1.1 403 No\r\nContent-Length: 4\r\nConnection: close\r\n\r\nwhy?"
    with server((refusal,)) as (pool, _):
        answer = send(pool, "/b/k", {"Host": "h"}, urllib3.Timeout(connect=5, read=5), method="PUT", body=b"x" * 1000)
        assert (answer.status, answer.read()) == (403, b"why?")


def test_a_slow_line_may_take_longer_for_a_body_than_a_server_may_be_silent():
    def slowly(connection, left):
        time.sleep(0.07)
        return connection.recv(min(left, 1 << 18))

    with server(OK, take=slowly) as (pool, requests):
        begun = time.monotonic()
        sent(pool, "PUT", BIG, timeout=2.0)
        assert time.monotonic() - begun > 2.0
        assert requests == [("PUT /b/k HTTP/1.1", BIG)]


def test_a_server_that_takes_nothing_is_given_up():
    never = threading.Event()

    def not_at_all(connection, left):
        never.wait(20)
        return b""

    with server(OK, take=not_at_all) as (pool, _), pytest.raises(urllib3.exceptions.ReadTimeoutError):
        sent(pool, "PUT", BIG, timeout=0.3)
    never.set()
