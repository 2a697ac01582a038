"""The lean reading of answers agrees with ``http.client``, and leaves to it whatever is not plain."""

import http.client
import io
import re
import socket
import threading
from contextlib import contextmanager

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from splashdown.builtins.http import HttpOptions, HttpTransport, address
from splashdown.connections import CHUNK, _plain
from splashdown.errors import StalledError, TransferError, TruncatedError
from splashdown.model import ReadRequest

NAMES = [
    "Content-Length",
    "content-length",
    "ETag",
    "Via",
    "Set-Cookie",
    "Transfer-Encoding",
    "Connection",
    "X_y",
    "A b",
    "",
]
VALUES = [
    "5",
    "05",
    "+5",
    "5, 5",
    "chunked",
    "close",
    "keep-alive",
    '"v"',
    "",
    " a  b ",
    "\t5",
    "ü",
    "x\rX: y",
    "x\nX: y",
]
LINE = st.one_of(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)).map(":".join),
    st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)).map(": ".join),
    st.sampled_from([" folded", "\tfolded", "no colon", "Content-Length : 5"]),
)
STATUS = st.sampled_from(
    [
        "HTTP/1.1 200 OK",
        "HTTP/1.1 206 Partial Content",
        "HTTP/1.1 200",
        "HTTP/1.0 200 OK",
        "HTTP/1.1 404 No",
        "HTTP/1.1  200",
        "x",
    ]
)


class Replay:
    def __init__(self, data):
        self.data = data

    def makefile(self, mode):
        return io.BytesIO(self.data)


@given(status=STATUS, lines=st.lists(LINE, max_size=6))
def test_what_is_read_leanly_http_client_reads_the_same(status, lines):
    head = "\r\n".join([status, *lines])
    plain = _plain(head.encode("latin-1"))
    if plain is None:
        return
    answer = http.client.HTTPResponse(Replay(head.encode("latin-1") + b"\r\n\r\n"), method="GET")
    answer.begin()
    code, fields, length = plain
    assert (code, length) == (answer.status, answer.length)
    assert not answer.will_close
    assert not answer.chunked
    assert set(fields) == {name.lower() for name in answer.msg}
    for name, value in fields.items():
        assert [one.strip(" \t") for one in answer.msg.get_all(name)] == value.split(", ") or value == ", ".join(
            one.strip(" \t") for one in answer.msg.get_all(name)
        )


def test_a_usual_answer_is_read_leanly():
    head = (
        b'HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\nETag: "v"\r\nVia: a\r\nVia: b\r\nConnection: Keep-Alive'
    )
    fields = {"content-length": "5", "etag": '"v"', "via": "a, b", "connection": "Keep-Alive"}
    assert _plain(head) == (206, fields, 5)


@pytest.mark.parametrize(
    "line",
    [
        "Transfer-Encoding: chunked",
        "Connection: close",
        "Content-Length: 6",
        "Content-Length : 5",
        " folded",
        'ETag: "w"',
    ],
)
def test_a_peculiar_answer_is_left_to_http_client(line):
    assert _plain(f'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: "v"\r\n{line}'.encode()) is None


@contextmanager
def answering(*answers):
    """A server that gives each connection's requests these pieces; an empty answer ends the connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        heads, connections = [], []

        def serve():
            rest = iter(answers)
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                connections.append(connection)
                while request := connection.recv(65536):
                    heads.append(request.decode())
                    answer = next(rest, b"")
                    for piece in (answer,) if isinstance(answer, bytes) else answer:
                        connection.sendall(piece)
                    if not answer:
                        connection.close()
                        break

        threading.Thread(target=serve, daemon=True).start()
        transport = HttpTransport(HttpOptions(read_timeout=0.5))
        yield transport, f"http://127.0.0.1:{server.getsockname()[1]}/a", heads, connections
        transport.close()


def head(length, more=""):
    return f'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-{length - 1}/{length}\r\nContent-Length: {length}\r\nETag: "v"\r\n{more}\r\n'.encode()


def read(transport, href):
    with transport.stream(ReadRequest(href=href)) as stream:
        return b"".join(bytes(chunk) for chunk in stream)


def test_one_connection_serves_answers_that_come_whole_and_in_pieces():
    big = bytes(range(256)) * 8192 * 2
    pieces = [bytes([byte]) for byte in head(5) + b"abcde"]
    with answering(head(5) + b"12345", pieces, [head(len(big)), big], head(1) + b"x") as (
        transport,
        href,
        heads,
        connections,
    ):
        assert len(big) > CHUNK
        assert [read(transport, href) for _ in range(4)] == [b"12345", b"abcde", big, b"x"]
        assert len(connections) == 1
        assert all(one.startswith("GET /a HTTP/1.1\r\nHost: 127.0.0.1:") and one.endswith("\r\n\r\n") for one in heads)


def test_an_answer_left_to_http_client_keeps_the_bytes_that_came_with_its_head():
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    with answering(chunked) as (transport, href, _, _):
        assert read(transport, href) == b"abc"


def test_bytes_beyond_the_promised_length_are_not_the_next_answer():
    with answering(head(3) + b"abcHTTP/1.1 206 forged", head(2) + b"ok") as (transport, href, _, connections):
        assert read(transport, href) == b"abc"
        assert read(transport, href) == b"ok"
        assert len(connections) == 2


def test_an_early_end_and_a_silence_are_told_apart():
    with answering(head(5) + b"ab", head(5) + b"ab") as (transport, href, _, connections):
        with pytest.raises(StalledError):
            read(transport, href)
        threading.Timer(0.1, lambda: connections[-1].shutdown(socket.SHUT_RDWR)).start()
        with pytest.raises(TruncatedError):
            read(transport, href)


def test_a_line_break_in_a_header_is_not_sent():
    with answering() as (transport, href, heads, _), pytest.raises(TransferError):
        transport.stream(ReadRequest(href=href, headers={"Authorization": "Bearer x\r\nX-Other: y"}))
    assert not heads


@given(st.from_regex(r"https?://[a-z0-9.-]{1,9}(:[0-9]{1,5})?/[!-~]{0,8}", fullmatch=True))
@example("http://h/?")
@example("http://h/a?#b?")
def test_an_usual_href_is_taken_apart_as_any_other(href):
    def parsed():
        try:
            return address.parse(href)
        except TransferError as error:
            return type(error)

    quick = parsed()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(address, "USUAL", re.compile("(?!)"))
        assert quick == parsed()
