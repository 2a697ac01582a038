"""A loopback HTTP server that answers as a test scripts it, and remembers what it was asked."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    """One answer; a ``dict`` or ``list`` as body is sent as JSON."""

    body: Any = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None  #: a Content-Length that is not the body's

    def bytes(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


Script = dict[str, "Answer | list[Answer] | Callable[[Asked], Answer]"]


class ScriptedApi:
    """``api.script[path]`` is an answer, a list of them (the last one stays), or a function of the request."""

    def __init__(self, server: ThreadingHTTPServer, scheme: str = "http") -> None:
        self.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
        self.other_name = f"{scheme}://localhost:{server.server_address[1]}"  # the same server, another origin
        self.script: Script = {}
        self.asked: list[Asked] = []
        self._lock = threading.Lock()

    def answer(self, asked: Asked) -> Answer:
        with self._lock:
            self.asked.append(asked)
            scripted = self.script.get(asked.path)
            if scripted is None:
                scripted = self.script.get(asked.path.partition("?")[0])
            if isinstance(scripted, list):
                scripted = scripted.pop(0) if len(scripted) > 1 else scripted[0]
        if scripted is None:
            return Answer({"code": "NotFound", "message": "no such resource", "id": "r-404"}, 404)
        return scripted if isinstance(scripted, Answer) else scripted(asked)

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]

    def sent(self, path: str, header: str) -> list[str | None]:
        """The values of a header in the requests for a path."""
        return [asked.headers.get(header) for asked in self.asked if asked.path.partition("?")[0] == path]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that is refused, or hangs up, is what a test is about."""


@contextmanager
def scripted_api(tls: ssl.SSLContext | None = None) -> Iterator[ScriptedApi]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            asked = Asked(self.command, self.path, self.headers, self.rfile.read(length))
            answer = api.answer(asked)
            body = answer.bytes()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if "Content-Type" not in answer.headers:
                self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body) if answer.length is None else answer.length))
            self.end_headers()
            self.wfile.write(body)
            if answer.length is not None:
                self.close_connection = True

        do_GET = do_POST = do_HEAD = _handle  # noqa: N815 - the names that http.server looks for

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    api = ScriptedApi(server, "http" if tls is None else "https")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
