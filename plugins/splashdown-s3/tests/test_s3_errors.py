"""What users are told when something is wrong, and who repeats what: on a real store, and on one that says what it is told."""

from __future__ import annotations

import datetime as dt
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import botocore.auth
import pytest
from fault_server import FaultServer
from faults import Status
from seaweedfs import SeaweedFS
from splashdown_s3 import S3Options
from splashdown_s3._sink import S3Sink
from splashdown_s3._transport import S3Transport

from splashdown import Session
from splashdown._cli.main import main
from splashdown.errors import HttpStatusError, OptionError, StoreError
from splashdown.model import Content, Part, ReadRequest


def put(sink, key="k", data=b"data"):
    upload = sink.begin(key, Content(size=len(data)))
    return sink.commit(upload, [sink.put_part(upload, Part(number=1, start=0, stop=len(data)), [data])])


def read(transport, href):
    with transport.stream(ReadRequest(href=href)) as stream:
        return b"".join(bytes(chunk) for chunk in stream)


def refusals(options, bucket):
    """What writing and reading say; each in one line that holds no credential."""
    sink, transport = S3Sink(f"s3://{bucket}/", options), S3Transport(options)
    with pytest.raises(StoreError) as written:
        put(sink)
    with pytest.raises(HttpStatusError) as got:
        read(transport, f"s3://{bucket}/k")
    sink.close()
    transport.close()
    return str(written.value), str(got.value)


def test_an_access_key_that_the_store_does_not_know(options, bucket, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "unknown:unknown")
    for text in refusals(options, bucket):
        assert re.search("InvalidAccessKeyId|SignatureDoesNotMatch|AccessDenied", text)
        assert "(from: env)" in text
        assert "\n" not in text
        assert "unknown:unknown" not in text


def test_a_secret_key_that_is_wrong(options, bucket, store, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret-key")
    for text in refusals(options, bucket):
        assert "SignatureDoesNotMatch: the secret key is not the one of this access key (from: env)" in text
        assert "wrong-secret-key" not in text
        assert store.access_key not in text


@pytest.mark.parametrize("ask", [S3Sink.list, S3Sink.unfinished])
def test_where_wrong_credentials_came_from_is_said_by_lists_too(options, bucket, monkeypatch, ask):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret-key")
    sink = S3Sink(f"s3://{bucket}/", options)
    with pytest.raises(StoreError, match=r"SignatureDoesNotMatch: .* \(from: env\)"):
        list(ask(sink))
    sink.close()


def test_a_store_that_closes_the_connection_without_a_word(bucket, store, credentials):
    wrong = store.https_url.replace("https:", "http:")
    sink = S3Sink(f"s3://{bucket}/", S3Options(endpoint_url=wrong, path_style=True))
    with pytest.raises(StoreError, match=r"^cannot list s3://") as error:
        list(sink.list())
    assert wrong in str(error.value)
    sink.close()


def test_a_clock_that_is_wrong(options, bucket, monkeypatch):
    late = dt.datetime.now(dt.UTC).replace(tzinfo=None) - dt.timedelta(hours=2)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: late)
    for text in refusals(options, bucket):
        assert re.search(r"RequestTimeTooSkewed: this machine's clock and the store's differ", text)
        assert "set this machine's clock" in text


@pytest.fixture
def writer(store, credentials, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", store.writer[0])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", store.writer[1])


def test_a_bucket_that_is_not_there(options, writer, store):
    written, got = refusals(options, "no-such-bucket")
    absent = "404 NoSuchBucket: there is no bucket 'no-such-bucket' at http"
    assert absent in got
    assert absent in written or (isinstance(store, SeaweedFS) and "s3://no-such-bucket/k: 403 AccessDenied" in written)


@pytest.mark.usefixtures("reached", "writer")
def test_the_command_line_says_so_in_one_line(tmp_path, capsys):
    (tmp_path / "a.txt").write_text("a")
    document = tmp_path / "item.json"
    document.write_text(
        '{"type": "Feature", "stac_version": "1.0.0", "id": "i", "geometry": null, "properties": {}, "links": [],'
        ' "assets": {"a.txt": {"href": "./a.txt"}}}'
    )
    assert main(["download", str(document), "s3://no-such-bucket/x/"]) == 1
    said = capsys.readouterr().err
    (line,) = [line for line in said.splitlines() if "StoreError" in line]
    assert re.search("StoreError: cannot .* s3://no-such-bucket/x/a.txt: 40[34] (NoSuchBucket|AccessDenied): ", line)


def test_no_credentials_at_all(store, bucket, own_configuration):
    options = S3Options(endpoint_url=store.url, path_style=True, region="us-east-1")
    with pytest.raises(StoreError, match="no complete AWS credentials were found; set AWS_ACCESS_KEY_ID"):
        put(S3Sink(f"s3://{bucket}/", options))


def test_a_profile_that_is_not_there(own_configuration):
    with pytest.raises(StoreError, match=r"ProfileNotFound.*nobody"):
        S3Sink("s3://bucket/", S3Options(profile="nobody"))


@pytest.fixture
def fake_credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "some-secret-key")


@pytest.fixture
def scripted(fake_credentials):
    """A server that answers what it is told to: for what no store here says."""
    with FaultServer() as server:
        server.add("/bucket/k", b"data", etag='"one"')
        server.options = S3Options(endpoint_url=server.url, path_style=True, region="us-east-1")
        yield server


def test_an_endpoint_that_does_not_answer(fake_credentials, refusing_url):
    options = S3Options(endpoint_url=refusing_url, path_style=True, region="us-east-1", connect_timeout=2)
    with pytest.raises(StoreError, match=f"{refusing_url} does not answer; check endpoint_url"):
        put(S3Sink("s3://bucket/", options))
    with pytest.raises(Exception, match=r"cannot read s3://bucket/k: .*check endpoint_url"):
        read(S3Transport(options), "s3://bucket/k")


MOVED = b"<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>"


def test_another_region_is_found_once_and_signed_for(scripted):
    wrong = Status(301, MOVED, x_amz_bucket_region="eu-central-1")
    scripted.script("/bucket/k", wrong, wrong, None, None)
    transport = S3Transport(scripted.options)
    assert read(transport, "s3://bucket/k") == b"data"
    asked = len(scripted.seen)
    assert read(transport, "s3://bucket/k") == b"data"
    assert len(scripted.seen) == asked + 1
    assert "/eu-central-1/s3/aws4_request" in scripted.seen[-1].headers["authorization"]


def test_a_region_that_stays_wrong_is_named(scripted):
    scripted.always("/bucket/k", Status(301, MOVED, x_amz_bucket_region="eu-central-1"))
    with pytest.raises(HttpStatusError, match=r"301 PermanentRedirect: .*; set region to 'eu-central-1'"):
        read(S3Transport(scripted.options), "s3://bucket/k")


def test_a_redirect_that_names_no_region_ends_in_one_line(scripted):
    for path in ("/bucket", "/bucket/"):
        scripted.always(path, Status(301, MOVED))
    with pytest.raises(StoreError, match="301 PermanentRedirect: the bucket is in another region or at another"):
        list(S3Sink("s3://bucket/", scripted.options).list())
    assert len(scripted.seen) < 8


@pytest.mark.parametrize("status", [500, 503])
def test_nothing_below_the_engine_repeats_a_request(scripted, status):
    scripted.always("/bucket/k", Status(status, Retry_After="7"))
    with pytest.raises(HttpStatusError, match=f"cannot read s3://bucket/k: {status}") as error:
        read(S3Transport(scripted.options), "s3://bucket/k")
    assert error.value.retry_after == 7
    assert error.value.retryable
    assert len(scripted.seen) == 1
    assert S3Transport(scripted.options)._store._access.client().meta.config.retries["total_max_attempts"] == 1


def test_requester_pays_is_said_with_each_request(scripted):
    from dataclasses import replace

    assert read(S3Transport(replace(scripted.options, requester_pays=True)), "s3://bucket/k") == b"data"
    assert scripted.seen[-1].headers["x-amz-request-payer"] == "requester"
    assert "x-amz-request-payer" in scripted.seen[-1].headers["authorization"]


def test_credentials_never_stand_in_a_message(scripted):
    leak = b"<Error><Code>Odd</Code><Message>key AKIAIOSFODNN7EXAMPLE some-secret-key X-Amz-Signature=abc</Message></Error>"
    scripted.always("/bucket/k", Status(403, leak))
    with pytest.raises(HttpStatusError) as error:
        read(S3Transport(scripted.options), "s3://bucket/k")
    for secret in ("AKIAIOSFODNN7EXAMPLE", "some-secret-key", "=abc"):
        assert secret not in str(error.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"part_size": 1},
        {"checksum": "md4"},
        {"endpoint_url": "store.example"},
        {"connections": 0},
        {"tags": {"{a": "b"}},
    ],
)
def test_options_that_make_no_sense_are_refused(wrong):
    with pytest.raises(OptionError, match=next(iter(wrong))):
        S3Options(**wrong)


class _MayNotAbort(BaseHTTPRequestHandler):
    """A store that encrypts, for somebody who may write and not abort."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        opened = b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
        status, body = {"POST": (200, opened), "DELETE": (403, b"")}.get(self.command, (200, b""))
        self.send_response(status)
        self.send_header("x-amz-server-side-encryption", "AES256")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.server.seen.append(self.command)

    do_POST = do_DELETE = do_PUT = answer  # noqa: N815 - the names that http.server looks for

    def log_message(self, *_: object) -> None: ...


def test_who_may_not_abort_may_store_encrypted(fake_credentials):
    with ThreadingHTTPServer(("127.0.0.1", 0), _MayNotAbort) as server:
        server.seen = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        sink = S3Sink("s3://bucket/", S3Options(endpoint_url=url, path_style=True, region="us-east-1", sse="AES256"))
        assert put(sink) == "s3://bucket/k"
        sink.close()
        server.shutdown()
        assert server.seen == ["POST", "DELETE", "PUT"]


def test_a_profile_of_the_host_holds_for_its_store(scripted, tmp_path):
    host = scripted.url.partition("://")[2]
    options = {"endpoint_url": scripted.url, "path_style": True, "region": "us-east-1"}
    hosts = {host: {"user_agent": "wheat/1.0", "read_timeout": 7.5, "ca": "/own.pem"}}
    with Session(config=False, hosts=hosts, options={"s3": {**options, "ca_bundle": "/mine.pem"}}) as session:
        assert read(session.transport("s3://bucket/k"), "s3://bucket/k") == b"data"
        assert scripted.seen[-1].headers["user-agent"] == "wheat/1.0"
        used = session.sink("s3://bucket/")._store.options
        assert (used.read_timeout, used.connect_timeout, used.ca_bundle) == (7.5, 20.0, "/mine.pem")
    unheld = Session(config=False, hosts={host: {"ca": "system"}}, options={"s3": options})
    with unheld, pytest.raises(OptionError, match=r"name a file with s3\.ca_bundle"):
        unheld.transport("s3://bucket/k")
