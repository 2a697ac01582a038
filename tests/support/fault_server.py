"""An HTTP server on a real socket that breaks on purpose, one scripted way for each request.

    with FaultServer() as server:
        server.add("/a.bin", content)
        server.script("/a.bin", Cut(after=1000), Status(500), None)  # None: as it should be; so are all later ones
        download(server.url + "/a.bin")
        assert server.ranges("/a.bin") == ["bytes=0-", "bytes=1000-", "bytes=1000-"]

Without a script a file is served as RFC 9110 wants it: ranges, conditions, 416 and 412, keep-alive. HEAD is answered
with 403, as signed URLs of object stores do. A second server (or ``server.alias``, the same one by another name) is
another origin.
"""

from __future__ import annotations

import email.utils
import hashlib
import re
import socket
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

from faults import Answer, Fault

LAST_MODIFIED = "Wed, 01 Jan 2025 00:00:00 GMT"


@dataclass
class File:
    """What is served under a path. ``etag=""`` or ``last_modified=""`` leaves that header out."""

    content: bytes
    etag: str | None = None
    last_modified: str = LAST_MODIFIED
    media_type: str = "application/octet-stream"
    ranges: bool = True
    head: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    signed: bool = False  #: only links made by ``FaultServer.sign`` are served
    needs: Mapping[str, str] = field(default_factory=dict)  #: request headers without which the answer is 401

    def __post_init__(self) -> None:
        if self.etag is None:
            self.etag = f'"{hashlib.sha256(self.content).hexdigest()[:16]}"'


@dataclass(frozen=True)
class Seen:
    """One request as it came, and what was answered. ``sent`` counts bytes of the body that went to the socket."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]  #: names in lower case
    status: int = 0
    sent: int = 0

    @property
    def range(self) -> str | None:
        return self.headers.get("range")


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    owner: FaultServer
    file: File
    seen: Seen

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:  # the client went away, which some tests want
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.seen = Seen(self.command, parts.path, parts.query, headers)
        self.number = self.owner.note(self.seen)
        fault = self.owner.next_fault(parts.path)
        known = parts.path in self.owner.files
        answer = self.right() if known else Answer(404, {"Content-Type": "text/plain"}, b"nothing here")
        (fault or Handler.send)(self, answer)

    do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for

    def right(self) -> Answer:
        """The answer that the request deserves."""
        file, headers = self.owner.files[self.seen.path], self.seen.headers
        if self.command == "HEAD" and not file.head:
            return Answer(403, {})
        if any(headers.get(name.lower()) != value for name, value in file.needs.items()):
            return Answer(401, {"WWW-Authenticate": "Bearer"}, b"")
        if file.signed and not self.owner.is_signed(self.seen):
            return Answer(403, {"Content-Type": "application/xml"}, b"<Error><Code>AccessDenied</Code></Error>")
        if self.precondition_failed(file):
            return Answer(412, {})
        if self.not_modified(file):
            return Answer(304, {"ETag": file.etag or ""})
        return self.partial() or self.whole()

    def whole(self) -> Answer:
        file = self.file = self.owner.files[self.seen.path]
        answer = Answer(200, {"Content-Type": file.media_type, **file.headers}, file.content)
        for name, value in (("ETag", file.etag), ("Last-Modified", file.last_modified)):
            if value:
                answer.headers[name] = value
        if file.ranges:
            answer.headers["Accept-Ranges"] = "bytes"
        return answer

    def partial(self) -> Answer | None:
        """206 or 416; ``None`` when the whole file is due."""
        answer, size = self.whole(), len(self.file.content)
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.seen.range or "")
        condition = self.seen.headers.get("if-range")
        if not found or not self.file.ranges or condition not in {None, self.file.etag, self.file.last_modified}:
            return None
        start, stop = int(found[1]), min(int(found[2] or size), size - 1) + 1
        if start >= size:
            return Answer(416, {"Content-Range": f"bytes */{size}"})
        answer.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
        return Answer(206, answer.headers, self.file.content[start:stop])

    def precondition_failed(self, file: File) -> bool:
        match = self.seen.headers.get("if-match")
        if match is not None:
            return match != file.etag
        since = self.seen.headers.get("if-unmodified-since")
        return since is not None and bool(file.last_modified) and _moment(file.last_modified) > _moment(since)

    def not_modified(self, file: File) -> bool:
        match = self.seen.headers.get("if-none-match")
        if match is not None:
            return match == file.etag
        since = self.seen.headers.get("if-modified-since")
        return since is not None and bool(file.last_modified) and _moment(file.last_modified) <= _moment(since)

    def send(
        self,
        answer: Answer,
        *,
        limit: int | None = None,
        piece: int = 64 * 1024,
        pause: Callable[[], object] | None = None,
    ) -> None:
        """Send an answer; ``limit`` stops within the body, after the headers promised all of it."""
        headers = dict(answer.headers)
        headers.update({"Transfer-Encoding": "chunked"} if answer.chunked else {})
        if not answer.chunked and answer.status != 304:
            headers.setdefault("Content-Length", str(len(answer.body)))
        self.owner.note_status(self.number, answer.status)
        self.send_response(answer.status)
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        body = b"" if self.command == "HEAD" else answer.body[:limit]
        for at in range(0, len(body), piece):
            chunk = body[at : at + piece]
            self.raw(b"%x\r\n%b\r\n" % (len(chunk), chunk) if answer.chunked else chunk, body=True)
            if pause:
                pause()
        if answer.chunked and limit is None:
            self.raw(b"0\r\n\r\n")

    def raw(self, data: bytes, *, body: bool = False) -> None:
        if not body:
            self.wfile.write(data)
            return
        # Counted first: who has the last byte may ask at once how many there were.
        self.owner.note_sent(self.number, len(data))
        try:
            self.wfile.write(data)
        except BaseException:
            self.owner.note_sent(self.number, -len(data))
            raise

    def hang_up(self, *, reset: bool = False) -> None:
        self.close_connection = True
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()


class FaultServer:
    """The server. All methods may be called while it runs."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.files: dict[str, File] = {}
        self.closing = threading.Event()
        self._scripts: dict[str, deque[Fault | None]] = {}
        self._always: dict[str, Fault] = {}
        self._seen: list[Seen] = []
        self._changed = threading.Condition()
        self._secret = 0
        handler = type("BoundHandler", (Handler,), {"owner": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        scheme, port = ("https" if tls else "http"), self._server.server_address[1]
        self.url = f"{scheme}://127.0.0.1:{port}"
        self.alias = f"{scheme}://localhost:{port}"  #: the same server; to a client another origin

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def add(self, path: str, content: bytes = b"", **fields: object) -> str:
        """Serve a file (fields of :class:`File`); its URL."""
        self.files[path] = File(content, **fields)  # type: ignore[arg-type]
        return self.url + path

    def script(self, path: str, *faults: Fault | None) -> None:
        """What happens to the next requests of a path, one after the other."""
        with self._changed:
            self._scripts.setdefault(path, deque()).extend(faults)

    def forget(self, path: str) -> None:
        """Nothing more happens to requests of a path."""
        with self._changed:
            self._scripts.pop(path, None)

    def always(self, path: str, fault: Fault) -> None:
        """What happens to each request of a path for which no script is left."""
        self._always[path] = fault

    def sign(self, path: str, seconds: float = 3600) -> str:
        """A link that works until then, or until ``expire_links``; for files with ``signed=True``."""
        return f"{self.url}{path}?expires={int(time.time() + seconds)}&signature=s3cret{self._secret}"

    def expire_links(self) -> None:
        """No link that was signed before works from now on."""
        self._secret += 1

    @property
    def seen(self) -> list[Seen]:
        """All requests so far, in the order in which they came."""
        with self._changed:
            return list(self._seen)

    def ranges(self, path: str) -> list[str | None]:
        """The ``Range`` of each request of a path."""
        return [one.range for one in self.seen if one.path == path]

    def sent(self, path: str | None = None) -> int:
        """Bytes of bodies that were given to the socket."""
        return sum(one.sent for one in self.seen if path in {None, one.path})

    def wait_for(
        self, condition: Callable[[list[Seen]], bool], timeout: float = 60.0, tick: float | None = None
    ) -> None:
        """Block until the requests so far meet a condition; with ``tick`` it is looked at between requests too."""
        end = time.monotonic() + timeout
        with self._changed:
            while not condition(self._seen):
                if not self._changed.wait(tick or end - time.monotonic()) and time.monotonic() > end:
                    raise TimeoutError(
                        f"not met after {timeout} s; {len(self._seen)} requests, the last of them: {self._seen[-20:]}"
                    )

    def is_signed(self, seen: Seen) -> bool:
        query = {name: values[0] for name, values in parse_qs(seen.query).items()}
        fresh = query.get("expires", "").isdigit() and int(query["expires"]) > time.time()
        return fresh and query.get("signature") == f"s3cret{self._secret}"

    def next_fault(self, path: str) -> Fault | None:
        with self._changed:
            script = self._scripts.get(path)
            return script.popleft() if script else self._always.get(path)

    def note(self, seen: Seen) -> int:
        with self._changed:
            self._seen.append(seen)
            self._changed.notify_all()
            return len(self._seen) - 1

    def note_status(self, number: int, status: int) -> None:
        with self._changed:
            self._seen[number] = replace(self._seen[number], status=status)
            self._changed.notify_all()

    def note_sent(self, number: int, count: int) -> None:
        with self._changed:
            self._seen[number] = replace(self._seen[number], sent=self._seen[number].sent + count)
            self._changed.notify_all()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    disable_nagle_algorithm = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # handshakes that clients refuse, connections that tests break


def _moment(value: str) -> float:
    return email.utils.parsedate_to_datetime(value).timestamp()
