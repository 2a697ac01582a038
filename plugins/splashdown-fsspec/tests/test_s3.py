"""Stores through a filesystem like s3fs: such as refuse listings, and such as are somewhere else.

s3fs pins an older botocore than splashdown-s3 has, so it cannot be in one environment with it. The filesystem here asks
a server what s3fs asks, and raises what s3fs raises.
"""

import errno
import http.client
import importlib
import io
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import fsspec
import pytest

import splashdown
from splashdown.errors import StoreError


class Store(BaseHTTPRequestHandler):
    """Objects of a bucket; what is about the bucket itself is answered with a status alone."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.owner.asked += 1
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        objects, key = self.owner.objects, self.path.removeprefix("/bucket/")
        if "?" in self.path or self.path == "/bucket" or self.owner.status == 301:
            return self.answer(self.owner.status)
        if self.command == "PUT":
            objects[key] = objects[self.headers["Copy-Source"]] if "Copy-Source" in self.headers else body
        elif self.command == "DELETE":
            return self.answer(200 if objects.pop(key, None) is not None else 404)
        return self.answer(200 if key in objects else 404, objects.get(key, b""))

    do_HEAD = do_PUT = do_DELETE = do_GET  # noqa: N815 - names of the base class

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if self.command in {"GET", "HEAD"} else 0))
        self.end_headers()
        self.wfile.write(body if self.command == "GET" else b"")

    def log_message(self, *_):
        pass


class LikeS3fs(fsspec.AbstractFileSystem):
    """Asks as s3fs does: for the object, then for a listing of what is below its name."""

    protocol = ("s3", "s3a")
    cachable = False

    def __init__(self, endpoint_url):
        super().__init__()
        self.server = endpoint_url.removeprefix("http://")

    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection(self.server, timeout=5)
        connection.request(method, f"/{path}", body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answer.status == 301:
            return self.call_s3("head_bucket", Bucket="bucket")
        if answer.status != 200:
            numbers = {404: errno.ENOENT, 403: errno.EACCES, 501: errno.ENOSYS}
            raise OSError(numbers[answer.status], "refused", path)
        return {"ContentLength": int(answer.headers["Content-Length"]), "body": content}

    def split_path(self, path):
        return (*path.strip("/").partition("/")[::2], None)

    def call_s3(self, method, *, Bucket, Key=""):  # noqa: N803 - as botocore has them
        assert method == ("head_object" if Key else "head_bucket")
        return self.ask("HEAD", f"{Bucket}/{Key}".rstrip("/"))

    def info(self, path, **_):
        try:
            return {"name": path, "type": "file", "size": self.ask("HEAD", path)["ContentLength"]}
        except FileNotFoundError:
            return {"name": path, "type": "directory", "size": self.ls(path)}

    def ls(self, path, **_):
        return self.ask("GET", f"bucket?list-type=2&prefix={path}")

    def _open(self, path, mode="rb", **_):
        if mode == "rb":
            return io.BytesIO(self.ask("GET", path)["body"])
        file = io.BytesIO()
        file.close = lambda: self.ask("PUT", path, file.getvalue())
        return file

    def cp_file(self, path1, path2, **_):
        self.ask("PUT", path2, **{"Copy-Source": path1.removeprefix("bucket/")})

    def rm_file(self, path):
        self.ask("DELETE", path)


@pytest.fixture
def store(monkeypatch):
    monkeypatch.setitem(importlib.import_module("fsspec.registry")._registry, "s3", LikeS3fs)
    handler = type("Bound", (Store,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        handler.owner = server
        server.objects, server.asked, server.status = {}, 0, 403
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def session(store):
    options = {"endpoint_url": f"http://127.0.0.1:{store.server_address[1]}"}
    with splashdown.Session(options={"fsspec": {"storage_options": options}}) as made:
        yield made


@pytest.fixture
def source(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"landed")
    item = {"type": "Feature", "stac_version": "1.1.0", "id": "run", "geometry": None, "links": []}
    item |= {"properties": {"datetime": "2024-01-01T00:00:00Z"}, "assets": {"a.bin": {"href": "./a.bin"}}}
    (tmp_path / "item.json").write_text(json.dumps(item))
    return str(tmp_path / "item.json")


@pytest.mark.parametrize("status", [403, 501])
def test_a_store_that_refuses_listings_is_asked_for_each_object(store, session, source, status):
    store.status = status
    places = session.open(source).download_files("fsspec://s3/bucket/out/")
    assert [place.rpartition("/")[2] for place in places] == ["a.bin", "item.json"]
    assert store.objects["out/a.bin"] == b"landed"
    outcomes = session.open(source).transfer(session.open(source).plan("fsspec://s3/bucket/out/")).outcomes
    assert [one.status for one in outcomes] == ["skipped"]


def test_a_store_that_names_no_region_ends_in_one_line_before_the_first_file(store, session, source):
    store.status = 301
    with pytest.raises(
        StoreError, match=r"cannot connect to fsspec://s3/bucket/out: RecursionError: .*set AWS_"
    ) as error:
        session.open(source).download_files("fsspec://s3/bucket/out/")
    assert not error.value.retryable
    assert "\n" not in str(error.value)
    assert store.objects == {}
