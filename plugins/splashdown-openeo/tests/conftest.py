"""A small openEO back-end with faults, and a harness that makes one call on the client's classes and on ours."""

from __future__ import annotations

import json
import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import openeo
import openeo.rest.job
import pytest
import splashdown_openeo

TOKEN = "basic//secret-token"


@dataclass
class File:
    """What the server does with one path. ``script`` is used up, an entry a GET; then all is well."""

    body: bytes = b""
    media_type: str = "application/octet-stream"
    ranges: bool = True
    etag: str | None = '"v1"'
    head_status: int = 200
    ignores_ranges: bool = False  #: promises ranges and then sends the whole file
    wrong_range: bool = False  #: sends another range than it was asked for
    script: list[int | tuple[str, int]] = field(default_factory=list)  #: a status, or ("cut", bytes to send)


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]


class Backend:
    """An openEO API at ``url``, with a job ``j1``."""

    def __init__(self) -> None:
        self.files: dict[str, File] = {}
        self.requests: list[Request] = []
        self._lock = threading.Lock()
        backend = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16  # head and body in one packet: two wait for each other's acknowledgement

            def do_GET(self) -> None:
                backend.answer(self)

            do_HEAD = do_GET  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.json("/", {"api_version": "1.2.0", "backend_version": "1", "endpoints": []})

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def json(self, path: str, document: object) -> None:
        self.files[path] = File(json.dumps(document).encode(), "application/json", ranges=False)

    def add(self, path: str, body: bytes = b"", **how: Any) -> str:
        self.files[path] = File(body, **how)
        return self.url + path

    def results(self, assets: dict[str, Any], *, type: str = "Feature", links: list[Any] | None = None) -> None:
        """Results of the job ``j1``. Assets are hrefs, or asset objects."""
        full = {key: {"href": asset} if isinstance(asset, str) else asset for key, asset in assets.items()}
        document = {"type": type, "stac_version": "1.0.0", "id": "j1", "assets": full, "links": links or []}
        self.json("/jobs/j1/results", document)

    def connection(self, **options: Any) -> openeo.Connection:
        options.setdefault("retry", False)
        connection = openeo.connect(self.url, **options)
        connection.authenticate_bearer_token(TOKEN)
        self.requests.clear()
        return connection

    def asked(self, method: str, path: str) -> list[Request]:
        return [one for one in self.requests if (one.method, one.path) == (method, path)]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path.partition("?")[0]
        with self._lock:
            self.requests.append(Request(handler.command, path, dict(handler.headers)))
            file = self.files.get(path)
            step = file.script.pop(0) if file and handler.command == "GET" and file.script else None
        if file is None:
            self._error(handler, 404, "NotFound")
        elif handler.command == "HEAD":
            self._send(handler, file, file.head_status, {"Accept-Ranges": "bytes"} if file.ranges else {}, file.body)
        elif isinstance(step, int):
            self._error(handler, step, "Scripted")
        elif file.etag and handler.headers.get("If-None-Match") == file.etag:
            self._send(handler, file, 304, {}, b"")
        else:
            status, headers, body = self._content(file, handler.headers.get("Range"))
            self._send(handler, file, status, headers, body, cut=step[1] if step else None)

    def _content(self, file: File, asked: str | None) -> tuple[int, dict[str, str], bytes]:
        if not asked or not file.ranges or file.ignores_ranges:
            return 200, {}, file.body
        first, _, last = asked.removeprefix("bytes=").partition("-")
        start, stop = int(first), min(int(last) + 1 if last else len(file.body), len(file.body))
        if start >= len(file.body):
            return 416, {"Content-Range": f"bytes */{len(file.body)}"}, b""
        if file.wrong_range:
            start = 0 if start else min(7, stop - 1)
        return 206, {"Content-Range": f"bytes {start}-{stop - 1}/{len(file.body)}"}, file.body[start:stop]

    def _send(
        self,
        handler: BaseHTTPRequestHandler,
        file: File,
        status: int,
        headers: dict[str, str],
        body: bytes,
        cut: int | None = None,
    ) -> None:
        handler.send_response(status)
        for name, value in {"Content-Type": file.media_type, **headers}.items():
            handler.send_header(name, value)
        if file.etag:
            handler.send_header("ETag", file.etag)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if handler.command == "GET":
            handler.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            handler.close_connection = True

    def _error(self, handler: BaseHTTPRequestHandler, status: int, code: str) -> None:
        file = File(media_type="application/json", etag=None)
        self._send(handler, file, status, {}, json.dumps({"code": code, "message": f"{code} happened"}).encode())


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries wait as always, only not that long."""
    monkeypatch.setenv("SPLASHDOWN_CONFIG", "")
    monkeypatch.setenv("SPLASHDOWN_RETRY_BASE", "0.01")
    monkeypatch.setenv("SPLASHDOWN_RETRY_MAX_DELAY", "0.05")


@pytest.fixture
def backend() -> Iterator[Backend]:
    server = Backend()
    yield server
    server.close()


@pytest.fixture
def elsewhere() -> Iterator[Backend]:
    """Another host, as far as origins go."""
    server = Backend()
    yield server
    server.close()


@dataclass(frozen=True)
class Classes:
    """One implementation of the result classes."""

    JobResults: Any
    ResultAsset: Any


CLIENT = Classes(openeo.rest.job.JobResults, openeo.rest.job.ResultAsset)
OURS = Classes(splashdown_openeo.JobResults, splashdown_openeo.ResultAsset)


@dataclass
class Seen:
    """All that a caller can notice of one call. Paths and URLs are made comparable."""

    value: object = None
    error: tuple[str, str] | None = None
    warnings: list[tuple[str, str]] = field(default_factory=list)
    logged: list[tuple[str, str, str]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)


@dataclass
class Case:
    """What a call under comparison is given."""

    classes: Classes
    backend: Backend
    job: openeo.BatchJob
    folder: Path

    @property
    def results(self) -> Any:
        return self.classes.JobResults(self.job)

    def asset(self, key: str, href: str, **metadata: Any) -> Any:
        return self.classes.ResultAsset(self.job, key=key, href=href, metadata=metadata)


Setup = Callable[[Backend], None]
Call = Callable[[Case], object]


class Records(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.seen: list[tuple[str, str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append((record.name, record.levelname, record.getMessage()))


def observe(classes: Classes, folder: Path, setup: Setup, call: Call) -> Seen:
    """Make one call against a fresh back-end and an own folder."""
    backend, records, seen = Backend(), Records(), Seen()
    folder.mkdir()
    try:
        setup(backend)
        case = Case(classes, backend, backend.connection().job("j1"), folder)
        logging.getLogger().addHandler(records)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                seen.value = _comparable(call(case), case)
            except Exception as error:
                seen.error = (type(error).__name__, _comparable(str(error), case))
        seen.warnings = [(one.category.__name__, str(one.message)) for one in caught]
        seen.logged = [(*where, _comparable(text, case)) for *where, text in records.seen]
        # How a file is asked for is an implementation's own affair; that it is, and with which credentials, is not.
        sent = {(one.path, one.headers.get("Authorization")) for one in backend.requests}
        seen.requests = sorted(sent, key=str)
        found = [path for path in folder.rglob("*") if path.is_file()]
        seen.files = {path.relative_to(folder).as_posix(): _plain(path.read_bytes(), backend) for path in found}
    finally:
        logging.getLogger().removeHandler(records)
        backend.close()
    return seen


def _comparable(value: Any, case: Case) -> Any:
    if isinstance(value, str):
        return value.replace(case.backend.url, "ROOT").replace(str(case.folder), "FOLDER")
    if isinstance(value, Path):
        return ("path", _comparable(str(value), case))
    if isinstance(value, list):
        return [_comparable(one, case) for one in value]
    if isinstance(value, dict):
        return {_comparable(key, case): _comparable(one, case) for key, one in value.items()}
    if isinstance(value, openeo.rest.job.ResultAsset):
        return {name: _comparable(getattr(value, name), case) for name in ("key", "href", "media_type", "metadata")}
    return value


def _plain(data: bytes, backend: Backend) -> bytes:
    return data.replace(backend.url.encode(), b"ROOT")


@pytest.fixture
def both(tmp_path: Path) -> Callable[[Setup, Call], tuple[Seen, Seen]]:
    """Make one call on the client's own classes and on ours: ``client, ours = both(setup, call)``."""

    def run(setup: Setup, call: Call) -> tuple[Seen, Seen]:
        return observe(CLIENT, tmp_path / "client", setup, call), observe(OURS, tmp_path / "ours", setup, call)

    return run
