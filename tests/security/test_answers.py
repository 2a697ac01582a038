"""One answer is never taken for another's, whatever a server says besides: over plain sockets and TLS."""

import http.client
import socket
import ssl
import time

import pytest
import trustme
import urllib3
from hypothesis import given
from hypothesis import strategies as st
from raw_server import raw_server

from splashdown._connections.answers import LONGEST_HEAD, read_head
from splashdown._documents.client import Client
from splashdown.connections import make_lean, send
from splashdown.errors import RangeNotServedError, ResolveError, TransferError
from splashdown.http import HttpOptions, HttpTransport
from splashdown.model import ReadRequest

INFORMATIONAL = [
    b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n",
    b"HTTP/1.1 102 Processing\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 199\r\n\r\n",
    b"HTTP/1.1  103  Early Hints\nLink: <x>\n\n",
    b"HTTP/1.0 103 Early Hints\r\nContent-Length: 5\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\n\r\n" * 20,
]


def body(n):
    return b"answer %d " % n * 20


def plain(n, more=b""):
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body(n)), more, body(n))


def chunked(n):
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body(n)), body(n))


def document(n):
    return b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"n": %3d}' % n


def read(transport, url):
    with transport.stream(ReadRequest(href=url)) as stream:
        return b"".join(bytes(chunk) for chunk in stream)


@pytest.fixture
def transport():
    with_timeouts = HttpTransport(HttpOptions(read_timeout=5.0))
    yield with_timeouts
    with_timeouts.close()


@pytest.mark.parametrize("final", [plain, chunked])
@pytest.mark.parametrize("informational", INFORMATIONAL)
def test_informational_answers_are_not_the_answer(informational, final, transport):
    with raw_server(lambda _, n: informational + final(n)) as server:
        assert [read(transport, f"{server.url}/{n}") for n in range(4)] == [body(n) for n in range(4)]
        assert len(server.connections) == 1


def test_an_informational_answer_may_come_in_pieces_of_its_own(transport):
    def one_by_one(connection, n):
        for byte in INFORMATIONAL[0] + plain(n)[:60]:
            connection.sendall(bytes([byte]))
        return plain(n)[60:]

    with raw_server(one_by_one) as server:
        assert [read(transport, server.url + "/a") for _ in range(2)] == [body(0), body(1)]
        assert len(server.connections) == 1


@pytest.mark.parametrize("method", ["PUT", "POST", "HEAD", "DELETE"])
@pytest.mark.parametrize("informational", INFORMATIONAL)
def test_requests_with_bodies_skip_informational_answers_too(informational, method):
    def answer(_, n):
        return informational + plain(n, b'ETag: "%d"\r\n' % n)[: None if method != "HEAD" else -len(body(n))]

    with raw_server(answer) as server, urllib3.connection_from_url(server.url) as pool:
        make_lean(pool)
        for n in range(3):
            sent = b"x" * 100 if method in {"PUT", "POST"} else None
            answered = send(pool, "/k", {"Host": "h"}, urllib3.Timeout(connect=5, read=5), method=method, body=sent)
            answered.drain_conn()
            answered.release_conn()
            assert (answered.status, answered.headers["etag"]) == (200, f'"{n}"')
        assert len(server.connections) == 1


@pytest.mark.parametrize("informational", INFORMATIONAL)
def test_documents_and_searches_skip_informational_answers_too(informational):
    client = Client()
    with raw_server(lambda _, n: informational + document(n)) as server:
        found = [client.get(server.url), client.post(server.url, {}), client.get(server.url)]
        assert [one.body for one in found] == [{"n": 0}, {"n": 1}, {"n": 2}]
        assert len(server.connections) == 1
    client.close()


@pytest.mark.parametrize(
    "flood",
    [
        INFORMATIONAL[0] * 40,
        b"HTTP/1.1 103 Early Hints\r\nX: " + b"a" * LONGEST_HEAD + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * LONGEST_HEAD * 2,
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    ],
)
def test_floods_of_informational_answers_and_other_protocols_are_errors(flood, transport):
    with raw_server(lambda _, n: flood + plain(n)) as server:
        with pytest.raises(TransferError, match=r"informational|larger|101"):
            read(transport, server.url + "/a")
        with pytest.raises(ResolveError, match=r"informational|larger|101"):
            Client().get(server.url)


def test_a_head_that_breaks_off_is_not_a_short_one(transport):
    def cut(connection, _):
        connection.sendall(b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Le")

    with raw_server(cut) as server, pytest.raises(TransferError):
        read(transport, server.url + "/a")


#: Answers that hold more than they say, or leave open where they end; the file is right all the same.
UNCLEAR = {
    "a second answer": lambda n: plain(n) + plain(99),
    "junk after the body": lambda n: plain(n) + b"JUNK",
    "junk after the chunks": lambda n: chunked(n) + b"JUNK",
    "length and chunks": lambda n: chunked(n).replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n", 1),
    "chunks of HTTP/1.0": lambda n: chunked(n).replace(b"1.1", b"1.0", 1),
    "the coding identity": lambda n: plain(n, b"Transfer-Encoding: identity\r\n"),
    "a broken header line": lambda n: plain(n, b"what is this\r\n"),
}


@pytest.mark.parametrize("name", UNCLEAR)
def test_a_connection_in_an_unclear_state_is_not_used_again(name, transport):
    with raw_server(lambda _, n: UNCLEAR[name](n)) as server:
        assert [read(transport, server.url + "/a") for _ in range(3)] == [body(n) for n in range(3)]
        assert len(server.connections) == 3


@pytest.mark.parametrize(
    "odd",
    [
        b"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nHTTP",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nHTTP",
        b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nwhyHTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 302 Found\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 100000\r\n\r\nbecause",
    ],
)
def test_answers_without_a_file_leave_no_doubtful_connection(odd):
    transport = HttpTransport(HttpOptions(read_timeout=0.5))  # for an error body that does not come
    with raw_server(lambda _, n: plain(n) if n else odd) as server:
        with pytest.raises(TransferError):
            read(transport, server.url + "/a")
        assert read(transport, server.url + "/b") == body(1)
        assert len(server.connections) == 2
    transport.close()


def test_a_length_below_that_of_the_range_is_an_error_of_its_own(transport):
    head = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-9/10\r\nContent-Length: 3\r\n\r\n"
    with raw_server(lambda *_: head + b"0123456789") as server, pytest.raises(RangeNotServedError):
        read(transport, server.url + "/a")


def test_a_refusal_without_a_doubt_keeps_its_connection(transport):
    refusals = [b"HTTP/1.1 404 No\r\nContent-Length: 3\r\n\r\nwhy", b"HTTP/1.1 304 Not Modified\r\n\r\n"]
    with raw_server(lambda _, n: (*refusals, plain(n))[n]) as server:
        for _ in refusals:
            with pytest.raises(TransferError):
                read(transport, server.url + "/a")
        assert read(transport, server.url + "/b") == body(2)
        assert len(server.connections) == 1


@pytest.mark.parametrize("final", [plain, chunked])
def test_what_comes_without_being_asked_is_not_the_next_answer(final, transport):
    with raw_server(lambda _, n: final(n)) as server:
        assert read(transport, server.url + "/a") == body(0)
        server.connections[0].sendall(plain(99))
        assert read(transport, server.url + "/a") == body(1)
        assert len(server.connections) == 2


def test_what_tls_has_decrypted_already_is_not_the_next_answer(tmp_path, monkeypatch):
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    transport = HttpTransport(HttpOptions(read_timeout=5.0, verify=str(tmp_path / "ca.pem")))
    half = len(body(0)) // 2

    def both_in_one_record(connection, n):
        connection.sendall(plain(n)[:-half])
        return plain(n)[-half:] + plain(99)  # the client has its head, and asks for the rest of the body alone

    with raw_server(both_in_one_record, tls=context) as server:
        assert [read(transport, server.url + "/a") for _ in range(3)] == [body(n) for n in range(3)]
        assert len(server.connections) == 3
    transport.close()


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 5, 6\r\n",
        b"Content-Length: -5\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 5.0\r\n",
        b"Content-Length: 0x5\r\n",
        b"Content-Length: \xb2\r\n",
        b"Content-Length:\r\n",
        b"Content-Length: " + b"9" * 5000 + b"\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        b"broken line\r\nContent-Length: 5\r\n",
    ],
)
def test_an_answer_whose_end_is_not_clear_is_refused(head, transport):
    def answer(connection, _):
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n12345")

    with raw_server(answer) as server, pytest.raises(TransferError, match=r"makes no sense|not known|no length"):
        read(transport, server.url + "/a")


def test_one_length_that_is_said_twice_is_one(transport):
    twice = b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\nContent-Length: 5\r\n\r\n12345"
    with raw_server(lambda _, n: twice) as server:
        assert [read(transport, server.url + "/a") for _ in range(2)] == [b"12345"] * 2


def test_every_kind_of_connection_learns_it():
    class OfAProxy(urllib3.connection.HTTPConnection):
        pass

    class Pool(urllib3.HTTPConnectionPool):
        ConnectionCls = OfAProxy

    with raw_server(lambda _, n: INFORMATIONAL[0] + plain(n)) as server:
        pool = Pool("127.0.0.1", int(server.url.rpartition(":")[2]))
        make_lean(pool)
        answered = send(pool, "/k", {"Host": "h"}, urllib3.Timeout(connect=5, read=5))
        assert issubclass(pool.ConnectionCls, OfAProxy)
        assert (answered.status, bytes(answered.read())) == (200, body(0))
        pool.close()


PIECE = st.sampled_from(
    [b"HTTP/1.1 ", b"103", b"100 x", b"200 OK", b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"Content-Length: 3", b" ", b"\0"]
) | st.binary(max_size=20)


@given(st.lists(PIECE, max_size=20).map(b"".join), st.integers(0, 30))
def test_any_bytes_are_a_head_or_an_error(data, cut):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(data[cut:])
        theirs.shutdown(socket.SHUT_WR)
        try:
            head, rest = read_head(data[:cut], ours, time.monotonic() + 5)
        except (OSError, http.client.HTTPException):
            return
        assert head + rest in data
        assert head.endswith(b"\n")
        assert not head.startswith(b"HTTP/1.1 103")
