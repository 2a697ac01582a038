"""Whatever a server does slowly ends: heads, chunk sizes, error and redirect bodies, documents. Steady bodies go on."""

import itertools
import time

import pytest
import urllib3
from raw_server import raw_server

import splashdown
from splashdown._documents.client import Client, http_options
from splashdown.connections import make_lean, send
from splashdown.errors import ResolveError, StalledError, TransferError
from splashdown.http import HttpOptions, HttpTransport
from splashdown.model import ReadRequest
from splashdown.session import OpenContext

TIMEOUT = 0.3
#: Far more than is allowed anywhere below, on a machine that has much to do.
LONG = 20.0
OPTIONS = HttpOptions(read_timeout=TIMEOUT)

SLOW_HEADS = {
    "informational answers": (b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    "a header line": (b"HTTP/1.1 200 OK\r\nX: ", b"a"),
    "header lines": (b"HTTP/1.1 200 OK\r\n", b"X: a\r\n"),
    "a status line": (b"HTTP/1.1 200 ", b"O"),
}
SLOW_FRAMES = {
    "a chunk size": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;", b"a"),
    "trailers": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: a\r\n"),
}


def read(url):
    transport = HttpTransport(OPTIONS)
    try:
        with transport.stream(ReadRequest(href=url)) as stream:
            return b"".join(bytes(chunk) for chunk in stream)
    finally:
        transport.close()


@pytest.mark.parametrize("name", SLOW_HEADS)
def test_a_slow_head_ends_at_the_read_timeout(name, slow):
    with slow(*SLOW_HEADS[name]) as server, pytest.raises(StalledError):
        read(server.url + "/a")


@pytest.mark.parametrize("name", SLOW_FRAMES)
def test_what_frames_a_body_has_no_more_time_than_the_body(name, slow):
    with slow(*SLOW_FRAMES[name]) as server, pytest.raises(StalledError):
        read(server.url + "/a")


@pytest.mark.parametrize(
    ("head", "error"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 16000\r\n\r\n", "404"),
        (b"HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n", "500"),
        (b"HTTP/1.1 302 Found\r\nLocation: ftp://h/x\r\nContent-Length: 16000\r\n\r\n", "redirects"),
        (b"HTTP/1.1 302 Found\r\nLocation: ftp://h/x\r\nContent-Length: 160000000\r\n\r\n", "redirects"),
    ],
)
def test_slow_bodies_of_errors_and_redirects_are_not_waited_for(head, error, slow):
    with slow(head, b"1") as server, pytest.raises(TransferError, match=error):
        read(server.url + "/a")


def test_the_rest_of_a_body_is_not_waited_for(slow):
    begun = time.monotonic()
    with slow(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\nabc", b"1") as server:
        pool = urllib3.connection_from_url(server.url)
        make_lean(pool)
        answer = send(pool, "/k", {"Host": "h"}, urllib3.Timeout(connect=LONG, read=LONG), method="PUT", body=b"x")
        answer.drain_conn()
        answer.release_conn()
        assert time.monotonic() - begun < LONG
        assert pool.pool.get().is_closed


def test_a_steady_body_may_take_longer_than_the_read_timeout():
    pieces = 40

    def answer(connection, _):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in itertools.repeat(None, pieces):
            connection.sendall(b"3\r\nabc\r\n")
            server.closing.wait(0.02)
        return b"0\r\n\r\n"

    begun = time.monotonic()
    with raw_server(answer) as server:
        assert read(server.url + "/a") == b"abc" * pieces
    assert time.monotonic() - begun > 2 * TIMEOUT


@pytest.mark.parametrize("each", [b" ", b" " * 1000])
@pytest.mark.parametrize("status", [b"200 OK", b"404 Not Found"])
@pytest.mark.parametrize("length", [b"Content-Length: 100000000", b"X: y", b"Connection: close"])
def test_a_document_has_a_time_as_a_whole(length, status, each, slow):
    client = Client(http=HttpOptions(read_timeout=TIMEOUT / 3))
    head = b"HTTP/1.1 " + status + b"\r\n" + length + b"\r\n\r\n"
    with slow(head, each) as server, pytest.raises(ResolveError, match=r"read timeout|not complete after 1 seconds"):
        client.get(server.url)
    client.close()


@pytest.mark.parametrize("name", SLOW_HEADS)
def test_a_document_whose_head_is_slow_is_given_up(name, slow):
    client = Client(http=HttpOptions(read_timeout=TIMEOUT / 3))
    with slow(*SLOW_HEADS[name]) as server, pytest.raises(ResolveError, match="read timeout"):
        client.get(server.url)
    client.close()


def test_documents_and_files_have_the_read_timeout_of_one_option():
    with splashdown.Session(discover=False, config=False, options={"http": {"read_timeout": 7.0}}) as session:
        assert http_options(OpenContext(session=session)).read_timeout == 7.0
    assert http_options(object()) is None
