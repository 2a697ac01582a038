"""The http transport against a server that breaks on purpose."""

from __future__ import annotations

import base64
import gzip
import hashlib
import socket
import ssl
import threading
import time
import traceback
from contextlib import ExitStack

import pytest
import trustme
from fault_server import LAST_MODIFIED, FaultServer
from faults import (
    Chunked,
    Cut,
    Drip,
    Garbage,
    Gzip,
    HangUp,
    IgnoreRange,
    NewVersion,
    Redirect,
    Stall,
    Status,
    UntilClose,
    With,
    Without,
    WrongLength,
    WrongRange,
    WrongTotal,
)
from raw_server import raw_server

from splashdown.errors import (
    ChangedError,
    HttpStatusError,
    LinkExpiredError,
    NetworkError,
    NotModifiedError,
    RangeNotServedError,
    StalledError,
    TransferError,
    TruncatedError,
)
from splashdown.http import HttpOptions, HttpTransport
from splashdown.model import ReadRequest, RemoteInfo, SmallBody

CONTENT = bytes(range(256)) * 800
SECRET = "hunter2"


@pytest.fixture
def server():
    with FaultServer() as running:
        running.add("/a.bin", CONTENT)
        yield running


@pytest.fixture
def transport():
    made = HttpTransport()
    yield made
    made.close()


def read(transport, href, **fields):
    with transport.stream(ReadRequest(href=href, **fields)) as stream:
        return stream, b"".join(bytes(chunk) for chunk in stream)


def failure(transport, href, kind=TransferError, **fields):
    with pytest.raises(kind) as caught:
        read(transport, href, **fields)
    assert type(caught.value) is kind
    shown = "".join(traceback.format_exception(caught.value))
    assert SECRET not in shown
    return caught.value


def test_the_first_request_is_probe_and_body_at_once(server, transport):
    stream, content = read(transport, server.url + "/a.bin")
    assert content == CONTENT
    assert (stream.start, stream.length) == (0, len(CONTENT))
    info = stream.info
    assert info.size == len(CONTENT)
    assert info.ranges
    assert info.etag == server.files["/a.bin"].etag
    assert info.last_modified == LAST_MODIFIED
    assert info.media_type == "application/octet-stream"
    (seen,) = server.seen
    assert (seen.method, seen.range, seen.status) == ("GET", "bytes=0-", 206)
    assert seen.headers["accept-encoding"] == "identity"
    assert seen.headers["user-agent"].startswith("splashdown/")


def test_a_range_is_read_exactly_and_its_version_is_pinned(server, transport):
    href = server.url + "/a.bin"
    first, _ = read(transport, href)
    stream, content = read(transport, href, start=1000, stop=2000, pinned=first.info)
    assert content == CONTENT[1000:2000]
    assert (stream.start, stream.length, stream.info.size) == (1000, 1000, len(CONTENT))
    headers = server.seen[-1].headers
    assert headers["range"] == "bytes=1000-1999"
    assert headers["if-match"] == headers["if-range"] == first.info.etag


def test_without_a_strong_etag_the_date_is_pinned(server, transport):
    server.add("/weak.bin", CONTENT, etag='W/"1"')
    first, _ = read(transport, server.url + "/weak.bin")
    read(transport, server.url + "/weak.bin", start=10, pinned=first.info)
    headers = server.seen[-1].headers
    assert headers["if-unmodified-since"] == LAST_MODIFIED
    assert "if-match" not in headers


def test_connections_are_used_again(server, transport):
    peers = set()
    accept = server._server.get_request

    def counted():
        request, address = accept()
        peers.add(address)
        return request, address

    server._server.get_request = counted
    for start in (0, 5, 10):
        read(transport, server.url + "/a.bin", start=start)
    failure(transport, server.url + "/missing", HttpStatusError)
    read(transport, server.url + "/a.bin")
    assert len(peers) == 1


def test_a_server_without_ranges_starts_at_zero(server, transport):
    server.add("/plain.bin", CONTENT, ranges=False)
    stream, content = read(transport, server.url + "/plain.bin", start=100)
    assert content == CONTENT
    assert (stream.start, stream.length) == (0, len(CONTENT))
    assert not stream.info.ranges


def test_ranges_that_are_advertised_and_then_ignored_start_at_zero(server, transport):
    server.script("/a.bin", IgnoreRange())
    stream, content = read(transport, server.url + "/a.bin", start=100)
    assert content == CONTENT
    assert stream.start == 0


def test_an_empty_file_is_read_although_no_range_of_it_exists(server, transport):
    server.add("/empty")
    stream, content = read(transport, server.url + "/empty")
    assert content == b""
    assert stream.info.size == stream.length == 0
    assert [one.status for one in server.seen] == [416, 200]
    # The connection is still good.
    assert read(transport, server.url + "/a.bin")[1] == CONTENT


@pytest.mark.parametrize("fault", [WrongRange(), Without("Content-Range"), With(Content_Range="bytes 0-0/*")])
def test_a_206_with_something_else_than_was_asked_is_refused(server, transport, fault):
    server.script("/a.bin", fault)
    assert failure(transport, server.url + "/a.bin", RangeNotServedError, start=50, stop=90).retryable


def test_a_206_whose_two_lengths_differ_is_refused(server, transport):
    server.script("/a.bin", WrongLength(-7))
    failure(transport, server.url + "/a.bin", RangeNotServedError)


def test_another_total_than_before_is_a_change(server, transport):
    first, _ = read(transport, server.url + "/a.bin")
    server.script("/a.bin", WrongTotal(len(CONTENT) + 1))
    failure(transport, server.url + "/a.bin", ChangedError, start=5, pinned=first.info)


def test_a_new_version_between_two_ranges_is_a_change(server, transport):
    first, _ = read(transport, server.url + "/a.bin")
    server.script("/a.bin", NewVersion(b"x" * len(CONTENT)))
    assert "412" in str(failure(transport, server.url + "/a.bin", ChangedError, start=5, pinned=first.info))


def test_another_etag_in_a_206_is_a_change_even_when_the_server_ignores_conditions(server, transport):
    first, _ = read(transport, server.url + "/a.bin")
    server.script("/a.bin", With(ETag='"other"'))
    failure(transport, server.url + "/a.bin", ChangedError, start=5, pinned=first.info)


def test_a_file_that_became_shorter_is_a_change(server, transport):
    server.add("/short.bin", CONTENT[:10], etag="", last_modified="")
    pinned = RemoteInfo(size=len(CONTENT))
    failure(transport, server.url + "/short.bin", ChangedError, start=500, pinned=pinned)


def test_a_range_behind_the_end_is_a_416(server, transport):
    assert failure(transport, server.url + "/a.bin", HttpStatusError, start=10**9).status == 416


def test_unless_asks_for_changes_only(server, transport):
    etag = server.files["/a.bin"].etag
    failure(transport, server.url + "/a.bin", NotModifiedError, unless=etag)
    failure(transport, server.url + "/a.bin", NotModifiedError, unless=LAST_MODIFIED)
    assert read(transport, server.url + "/a.bin", unless='"older"')[1] == CONTENT


@pytest.mark.parametrize("fault", [Cut(1000), Chunked(cut=1000)])
def test_a_body_that_ends_early_is_truncated(server, transport, fault):
    server.script("/a.bin", fault)
    assert failure(transport, server.url + "/a.bin", TruncatedError).retryable


def test_what_came_before_a_cut_has_been_yielded(server, transport):
    server.add("/big.bin", CONTENT * 20)
    server.script("/big.bin", Cut(2_000_000))
    come = []
    with transport.stream(ReadRequest(href=server.url + "/big.bin")) as stream, pytest.raises(TruncatedError):
        come.extend(len(chunk) for chunk in stream)
    assert sum(come) == 2_000_000


def test_a_reset_in_the_body_can_be_retried(server, transport):
    server.script("/a.bin", Cut(1000, reset=True))
    with pytest.raises(TransferError) as caught:
        read(transport, server.url + "/a.bin")
    assert caught.value.retryable


def test_a_content_length_beyond_the_body_is_truncated(server, transport):
    server.add("/plain.bin", CONTENT, ranges=False)
    server.script("/plain.bin", WrongLength(+5))
    failure(transport, server.url + "/plain.bin", TruncatedError)


def test_a_body_beyond_its_content_length_does_not_reach_the_next_request(server, transport):
    server.add("/plain.bin", CONTENT, ranges=False)
    server.script("/plain.bin", WrongLength(-5))
    assert read(transport, server.url + "/plain.bin")[1] == CONTENT[:-5]
    assert read(transport, server.url + "/a.bin")[1] == CONTENT


@pytest.mark.parametrize("fault", [Chunked(), UntilClose()])
def test_a_body_without_length_is_read_to_its_end(server, transport, fault):
    server.script("/a.bin", fault)
    stream, content = read(transport, server.url + "/a.bin")
    assert content == CONTENT
    assert stream.length is stream.info.size is None


def test_a_compressed_body_is_given_as_it_comes_with_its_encoding(server, transport):
    server.script("/a.bin", Gzip())
    stream, content = read(transport, server.url + "/a.bin")
    assert stream.info.encoding == "gzip"
    assert gzip.decompress(content) == CONTENT


def test_the_encoding_that_stores_repeat_from_an_upload_is_none(server, transport):
    server.script("/a.bin", With(Content_Encoding="aws-chunked"))
    assert read(transport, server.url + "/a.bin")[1] == CONTENT


@pytest.mark.parametrize("fault", [HangUp(), HangUp(reset=True), Garbage()])
def test_no_answer_at_all_can_be_retried(server, transport, fault):
    server.script("/a.bin", fault)
    assert failure(transport, f"{server.url}/a.bin?sig={SECRET}", NetworkError).retryable


def test_a_refused_connection_names_the_cause(transport):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        href = f"http://127.0.0.1:{bound.getsockname()[1]}/a?sig={SECRET}"
        assert "refused" in str(failure(transport, href, NetworkError)).lower()


def test_a_host_without_address_is_final(transport):
    assert not failure(transport, "http://nowhere.invalid/a", NetworkError).retryable


def test_silence_in_the_body_is_a_stall_and_dripping_is_not(server):
    transport = HttpTransport(HttpOptions(read_timeout=1.5))
    server.script("/a.bin", Drip(len(CONTENT) // 20, 0.1), Stall(after=500))
    assert read(transport, server.url + "/a.bin")[1] == CONTENT
    assert failure(transport, server.url + "/a.bin", StalledError).retryable
    transport.close()


def test_silence_instead_of_an_answer_is_a_stall():
    with socket.create_server(("127.0.0.1", 0)) as mute:
        transport = HttpTransport(HttpOptions(read_timeout=0.2))
        failure(transport, f"http://127.0.0.1:{mute.getsockname()[1]}/a?{SECRET}", StalledError)
        transport.close()


@pytest.mark.parametrize(("status", "retryable"), [(401, False), (403, False), (404, False), (408, True), (500, True)])
def test_a_status_is_told_with_what_the_server_says_of_it(server, transport, status, retryable):
    body = b'{"code": "Internal", "message": "see https://x/y?token=hunter2 for more"}'
    server.script("/a.bin", *[Status(status, body)] * 2)  # the second one answers a request without a range
    error = failure(transport, f"{server.url}/a.bin?signature={SECRET}", HttpStatusError)
    assert (error.status, error.retryable) == (status, retryable)
    assert "Internal: see https://x/y?..." in str(error)
    assert "a.bin?..." in str(error)


@pytest.mark.parametrize(
    ("headers", "low", "high"),
    [
        ({"Retry_After": "7"}, 7, 7),
        ({"Retry_After": "1.5"}, 1.5, 1.5),
        ({"RateLimit": '"default";r=0;t=9'}, 9, 9),
        ({"RateLimit": "limit=100, remaining=0, reset=12"}, 12, 12),
        ({"RateLimit_Remaining": "0", "RateLimit_Reset": "5"}, 5, 5),
        ({"Retry_After": "2", "RateLimit": '"default";r=0;t=9'}, 2, 2),
        ({"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": str(int(time.time()) + 86_400)}, 3600, 86_400),
    ],
)
def test_a_server_says_when_to_come_back(server, transport, headers, low, high):
    server.script("/a.bin", Status(429, **headers))
    error = failure(transport, server.url + "/a.bin", HttpStatusError)
    assert error.retryable
    assert low <= error.retry_after <= high


def test_a_date_says_when_to_come_back(server, transport):
    server.script("/a.bin", Status(503, Retry_After="Fri, 31 Dec 2100 23:59:59 GMT"))
    assert failure(transport, server.url + "/a.bin", HttpStatusError).retry_after > 10**6


def test_a_quota_that_is_not_used_up_asks_for_no_wait(server, transport):
    server.script("/a.bin", *[Status(500, RateLimit='"default";r=3;t=9')] * 2)
    assert failure(transport, server.url + "/a.bin", HttpStatusError).retry_after is None


def test_a_link_that_is_past_its_time_is_told_apart(server, transport):
    server.add("/signed.bin", CONTENT, signed=True)
    assert read(transport, server.sign("/signed.bin"))[1] == CONTENT
    failure(transport, server.sign("/signed.bin", seconds=-10), LinkExpiredError)
    # Refused before its time: that may have many reasons.
    good = server.sign("/signed.bin")
    server.expire_links()
    assert failure(transport, good, HttpStatusError).status == 403


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (410, b'{"code": "ResultLinkExpired", "message": "gone"}'),
        (403, b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"),
        (400, b"<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>"),
    ],
)
def test_the_answers_of_backends_and_stores_for_expired_links_are_known(server, transport, status, body):
    server.script("/a.bin", Status(status, body))
    failure(transport, server.url + "/a.bin", LinkExpiredError)


def test_digests_of_the_whole_file_are_taken_from_the_headers(server, transport):
    sha = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
    md5 = base64.b64encode(hashlib.md5(CONTENT).digest()).decode()
    server.script("/a.bin", With(Repr_Digest=f"sha-256=:{sha}:"), With(Content_MD5=md5), With(Digest=f"SHA-256={sha}"))
    href = server.url + "/a.bin"
    assert read(transport, href)[0].info.digests == {"sha-256": "1220" + hashlib.sha256(CONTENT).hexdigest()}
    assert read(transport, href)[0].info.digests == {"md5": "d50110" + hashlib.md5(CONTENT).hexdigest()}
    assert "sha-256" in read(transport, href)[0].info.digests


def test_the_digest_of_a_part_or_a_broken_one_is_not_taken(server, transport):
    md5 = base64.b64encode(hashlib.md5(CONTENT).digest()).decode()
    server.always("/a.bin", With(Content_MD5=md5, Repr_Digest="sha-256=:AAAA:, sha-1024=:AAAA:, md5"))
    assert read(transport, server.url + "/a.bin", start=5)[0].info.digests == {}


# Redirects -----------------------------------------------------------------------------------------------------


CREDENTIALS = {"Authorization": "Bearer hunter2", "X-Api-Key": SECRET, "Cookie": "s=hunter2"}


def test_credentials_stay_with_their_origin(server, transport):
    server.script("/start", Redirect("/a.bin"))
    assert read(transport, server.url + "/start", headers=CREDENTIALS)[1] == CONTENT
    assert server.seen[-1].headers["x-api-key"] == SECRET


@pytest.mark.parametrize("other", ["host", "port"])
def test_no_credential_goes_to_another_origin_nor_back_from_it(server, transport, other):
    with FaultServer() as second:
        away = server.alias if other == "host" else second.url
        server.script("/start", Redirect(away + "/b"))
        (server if other == "host" else second).script("/b", Redirect(server.url + "/a.bin"))
        assert read(transport, server.url + "/start", headers=CREDENTIALS)[1] == CONTENT
        later = [*server.seen[1:], *second.seen]
        assert len(later) == 2
        for seen in later:
            assert not {"authorization", "x-api-key", "cookie"} & set(seen.headers)
            assert seen.range == "bytes=0-"


def test_no_cookie_is_kept(server, transport):
    server.script("/a.bin", With(Set_Cookie="s=1"))
    read(transport, server.url + "/a.bin")
    read(transport, server.url + "/a.bin")
    assert "cookie" not in server.seen[-1].headers


def test_a_circle_of_redirects_is_named(server, transport):
    server.always("/x", Redirect("/y?sig=hunter2"))
    server.always("/y", Redirect("/x"))
    assert "circle" in str(failure(transport, server.url + "/x"))
    assert len(server.seen) == 2


def test_redirects_without_end_stop(server):
    transport = HttpTransport(HttpOptions(max_redirects=5))
    for number in range(20):
        server.always(f"/{number}", Redirect(f"/{number + 1}"))
    assert "more than 5 redirects" in str(failure(transport, server.url + "/0"))
    assert len(server.seen) == 6
    transport.close()


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://x/y", "http://[::1", "http://u:hunter2@x/", "\\\\x\\y"]
)
def test_a_redirect_to_something_else_than_http_is_refused(server, transport, location):
    server.script("/a.bin", Redirect(location))
    failure(transport, server.url + "/a.bin")
    assert len(server.seen) == 1


def test_a_redirect_without_location_is_an_error(server, transport):
    server.script("/a.bin", Status(302))
    assert failure(transport, server.url + "/a.bin", HttpStatusError).status == 302


def test_a_304_that_nobody_asked_for_is_an_error(server, transport):
    server.script("/a.bin", Status(304))
    assert failure(transport, server.url + "/a.bin", HttpStatusError).status == 304


# TLS, proxies, the environment ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def secure(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    with FaultServer(tls=context) as running:
        running.add("/a.bin", CONTENT)
        yield running


def test_a_certificate_that_nobody_vouches_for_is_refused_for_good(secure, transport):
    error = failure(transport, f"{secure.url}/a.bin?{SECRET}", NetworkError)
    assert "certificate" in str(error)
    assert not error.retryable


def test_the_authorities_are_read_once_for_all_connections(secure, authority, tmp_path, monkeypatch):
    bundle, read_from = tmp_path / "ca.pem", []
    authority.cert_pem.write_to_path(str(bundle))
    load = ssl.SSLContext.load_verify_locations

    def counted(self, cafile=None, capath=None, cadata=None):
        read_from.append(cafile)
        return load(self, cafile, capath, cadata)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", counted)
    transport = HttpTransport(HttpOptions(verify=str(bundle)))
    with ExitStack() as stack:
        for _ in range(3):  # at the same time, so on three connections
            stream = stack.enter_context(transport.stream(ReadRequest(href=secure.url + "/a.bin")))
            next(iter(stream))
    transport.close()
    assert read_from == [str(bundle)]


@pytest.mark.parametrize("kind", ["missing", "garbage", "folder"])
def test_authorities_that_cannot_be_used_are_named(secure, authority, tmp_path, kind):
    path = tmp_path / "ca"
    if kind == "garbage":
        path.write_text("not a certificate")
    elif kind == "folder":
        path.mkdir()
    transport = HttpTransport(HttpOptions(verify=str(path)))
    error = failure(transport, secure.url + "/a.bin", NetworkError)
    assert not error.retryable
    assert ("not trusted" if kind == "folder" else f"the certificate authorities in {path} cannot be") in str(error)
    transport.close()


def test_the_bundle_comes_from_the_options_or_the_environment(secure, authority, tmp_path, monkeypatch):
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    for options in (HttpOptions(verify=str(bundle)), HttpOptions()):
        transport = HttpTransport(options)
        assert read(transport, secure.url + "/a.bin")[1] == CONTENT
        transport.close()
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    assert not failure(HttpTransport(), secure.url + "/a.bin", NetworkError).retryable


def test_a_redirect_from_https_to_http_is_refused(secure, server, authority, tmp_path):
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    transport = HttpTransport(HttpOptions(verify=str(bundle)))
    secure.script("/a.bin", Redirect(server.url + "/a.bin"))
    assert "https to http" in str(failure(transport, secure.url + "/a.bin"))
    assert server.seen == []
    transport.close()


def test_a_proxy_of_the_environment_is_used_and_netrc_never_is(server, tmp_path, monkeypatch):
    (tmp_path / ".netrc").write_text(f"machine data.example login me password {SECRET}\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("http_proxy", server.url)
    # A proxy of plain HTTP is asked with the whole URL.
    server.add("/a.bin", CONTENT)
    transport = HttpTransport()
    assert read(transport, "http://data.example/a.bin")[1] == CONTENT
    assert server.seen[-1].headers["host"] == "data.example"
    assert "authorization" not in server.seen[-1].headers
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert read(HttpTransport(), server.url + "/a.bin")[1] == CONTENT
    transport.close()


@pytest.mark.parametrize(
    "href",
    [
        "ftp://x/y",
        "http://u:hunter2@127.0.0.1/a",
        "http://127.0.0.1\\@x/",
        "http://x/\r\nHost: y",
        "http://x/a\tb",
        "http:///a",
        "http://x:99999/",
        "http://[::1/a",
        "http://a b/",
        "http://127.0.0.1%2f@x/",
    ],
)
def test_hrefs_about_which_parsers_differ_are_refused_without_a_request(transport, href):
    failure(transport, href)


def test_one_transport_serves_many_threads(server, transport):
    results = []

    def work(start):
        results.append(read(transport, server.url + "/a.bin", start=start)[1] == CONTENT[start:])

    threads = [threading.Thread(target=work, args=(n * 1000,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == [True] * 16


def test_a_stream_that_is_left_early_costs_no_later_request(server, transport):
    server.add("/big.bin", CONTENT * 20)
    with transport.stream(ReadRequest(href=server.url + "/big.bin")) as stream:
        next(iter(stream))
    assert read(transport, server.url + "/big.bin")[1] == CONTENT * 20


def test_a_header_of_a_request_takes_the_place_of_the_transports_own(transport):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nAccept-Ranges: bytes\r\n\r\nx"
    with raw_server(lambda connection, n: head) as server:
        host = server.url.removeprefix("http://")
        request = ReadRequest(href=f"{server.url}/a.bin", headers={"Host": host, "user-agent": "signed"})
        with transport.read_small(request, 1000) as stream:  # in the general way, which makes the connection
            list(stream)
        assert isinstance(transport.read_small(request, 1000), SmallBody)
        for sent in server.requests:
            names = [line.partition(b":")[0].lower() for line in sent.splitlines()[1:-1]]
            assert sorted(names) == [b"accept", b"accept-encoding", b"host", b"range", b"user-agent"]
            assert b"user-agent: signed\r\n" in sent
        assert len(server.requests) == 2
