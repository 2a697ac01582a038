"""``https://openeo.example`` for programs of this machine: a proxy that answers for it with the demo back-end.

Programs reach it as they reach any host behind a proxy, by ``HTTPS_PROXY`` and ``REQUESTS_CA_BUNDLE``, so nothing of
them has to be replaced. All other hosts are refused.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import trustme

from splashdown._demo import DemoService, demo_service

HOST = "openeo.example"
JOB_IDS = ("JOB", "OTHER")
TOKEN = "TOKEN"  # as it is in the examples: what follows "Bearer "
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_SIGNED_IN = {f"Bearer {TOKEN}", f"Bearer basic//{TOKEN}"}


@contextmanager
def example_host(folder: Path) -> Iterator[Mapping[str, str]]:
    """Run it; what is yielded are the environment variables that lead there. ``folder`` gets the certificate."""
    authority, bundle = trustme.CA(), folder / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(tls)
    with demo_service() as demo, ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        server.tls, server.demo = tls, demo  # type: ignore[attr-defined]  # the standard library makes the handlers
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        proxy = f"http://127.0.0.1:{server.server_address[1]}"
        yield {
            "HTTPS_PROXY": proxy,
            "HTTP_PROXY": proxy,
            "NO_PROXY": "127.0.0.1,localhost",
            "REQUESTS_CA_BUNDLE": str(bundle),
        }
        server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_CONNECT(self) -> None:
        if self.path != f"{HOST}:443":
            self.send_error(403, f"examples reach {HOST} alone")
            return
        self.send_response(200)
        self.end_headers()
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb", self.rbufsize), self.connection.makefile("wb", 0)
        self.close_connection = False

    def do_GET(self) -> None:
        if not self.path.startswith("/"):  # plain HTTP through a proxy
            self.send_error(403, f"examples reach https://{HOST} alone")
            return
        if self.path.endswith("/credentials/basic"):
            self._answer(200, {"Content-Type": "application/json"}, json.dumps({"access_token": TOKEN}).encode())
            return
        secured = "/jobs" in self.path and "expires=" not in self.path
        if secured and self.headers.get("Authorization") not in _SIGNED_IN:
            refusal = {"id": "example", "code": "AuthenticationRequired", "message": f"Sign in with {TOKEN}."}
            self._answer(401, {"Content-Type": "application/json"}, json.dumps(refusal).encode())
            return
        self._forward()

    def do_HEAD(self) -> None:
        self.do_GET()

    def _forward(self) -> None:
        demo: DemoService = self.server.demo
        asked = next((name for name in JOB_IDS if f"/jobs/{name}" in self.path), JOB_IDS[0])
        path = re.sub(rf"/{asked}(?=[/?]|$)", f"/{demo.job_id}", self.path)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in {"host", "connection"}}
        request = urllib.request.Request(demo.url + path, headers=headers, method=self.command)
        try:
            answer = _DIRECT.open(request, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            body = answer.read()
        if "json" in answer.headers.get("Content-Type", ""):
            body = body.replace(demo.url.encode(), f"https://{HOST}".encode()).replace(
                demo.job_id.encode(), asked.encode()
            )
        self._answer(answer.status, dict(answer.headers), body)

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() != "content-length":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
