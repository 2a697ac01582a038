"""Stores of the first API, or of none to list with: what they hold is found all the same, page by page or one by one."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest
from splashdown_s3 import S3Options
from splashdown_s3._sink import S3Sink

from splashdown.errors import StoreError
from splashdown.model import Content, Part


def put(sink, key="k", data=b"data"):
    upload = sink.begin(key, Content(size=len(data)))
    return sink.commit(upload, [sink.put_part(upload, Part(number=1, start=0, stop=len(data)), [data])])


class OldStore(BaseHTTPRequestHandler):
    """A store of the first API: no ListObjectsV2, which it refuses or overlooks, and pages of two objects."""

    protocol_version = "HTTP/1.1"
    refusal = ""  #: the status and code of the answer to ``list-type=2``
    lists = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        if parts.path.rstrip("/") == "/bucket":
            self._list(query)
        elif parts.path in self.server.objects:
            self._answer(200, self.server.objects[parts.path])
        else:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

    do_HEAD = do_GET  # noqa: N815 - the name that the standard library wants

    def do_PUT(self):
        self.server.objects[urlsplit(self.path).path] = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self._answer(200, b"")

    def _list(self, query):
        status, _, code = self.refusal.partition(" ")
        if (self.refusal and "list-type" in query) or not self.lists:
            self._answer(int(status), f"<Error><Code>{code}</Code></Error>".encode())
            return
        names = sorted(path.removeprefix("/bucket/") for path in self.server.objects)
        after = [n for n in names if n > query.get("marker", "") and n.startswith(query.get("prefix", ""))]
        found = "".join(f"<Contents><Key>{n}</Key><Size>1</Size><ETag>x</ETag></Contents>" for n in after[:2])
        cut = str(len(after) > 2).lower()
        self._answer(200, f"<ListBucketResult><IsTruncated>{cut}</IsTruncated>{found}</ListBucketResult>".encode())

    def _answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"x"')
        self.send_header("Last-Modified", "Thu, 01 Jun 2023 00:00:00 GMT")
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)


@pytest.fixture
def old_store(monkeypatch):
    """Runs an ``OldStore``; gives the sink of a bucket in it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-key")
    running = []

    def run(refusal, *, lists=True):
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (OldStore,), {"refusal": refusal, "lists": lists}))
        server.objects = {}
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        url = f"http://127.0.0.1:{server.server_port}"
        return S3Sink("s3://bucket/", S3Options(endpoint_url=url, path_style=True, region="us-east-1"))

    yield run
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("refusal", ["", "501 NotImplemented", "400 InvalidArgument", "405 MethodNotAllowed"])
def test_a_store_without_the_second_version_of_listings_is_listed_whole(old_store, refusal):
    sink = old_store(refusal)
    for number in range(5):
        put(sink, key=f"k{number}")
    assert [name for name, _ in sink.list()] == [f"k{number}" for number in range(5)]


@pytest.mark.parametrize(
    "refusal", ["501 NotImplemented", "404 NoSuchKey", "400 InvalidRequest", "405 MethodNotAllowed"]
)
def test_a_store_without_listings_is_asked_for_each_object(old_store, refusal):
    sink = old_store(refusal, lists=False)
    assert sink.stat("k") is None
    put(sink)
    assert sink.stat("k").size == 4
    with pytest.raises(StoreError, match=refusal):
        list(sink.list())


def test_a_store_that_lacks_the_bucket_is_not_taken_for_one_that_does_not_list(old_store):
    with pytest.raises(StoreError, match="404 NoSuchBucket: there is no bucket 'bucket'"):
        old_store("404 NoSuchBucket", lists=False).stat("k")
