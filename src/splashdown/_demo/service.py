"""The demo back-end as a server on a free loopback port; its routes, and nothing of what they say."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from splashdown._demo import documents
from splashdown._demo.files import Answer, answer_file
from splashdown._demo.links import Links
from splashdown.redact import safely_shown

_BASE = "/openeo/1.2"
_ERRORS = {
    "NotFound": (404, "There is nothing here."),
    "JobNotFound": (404, "The batch job does not exist."),
    "CredentialsInvalid": (403, "The signature of this link is wrong."),
    "ResultLinkExpired": (410, "The link to the batch job result has expired. Please request the results again."),
}


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DemoService:
    """A running demo back-end."""

    url: str  #: the back-end's address, for ``.well-known`` discovery
    api: str  #: the API's base
    job_id: str
    job_url: str
    results_url: str


@contextmanager
def demo_service(*, lifetime: float = 3600.0) -> Iterator[DemoService]:
    """Run the demo back-end as long as the block lasts. Its asset links are good for ``lifetime`` seconds."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    url = f"http://127.0.0.1:{server.server_address[1]}"
    job_id = documents.job()["id"]
    job_url = f"{url}{_BASE}/jobs/{job_id}"
    # The handler's class is made by the standard library's server; what it needs hangs on the server.
    server.routes = _Routes(url=url, links=Links(lifetime=lifetime))  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield DemoService(url=url, api=url + _BASE, job_id=job_id, job_url=job_url, results_url=f"{job_url}/results")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Routes:
    url: str
    links: Links

    def answer(self, target: str, headers: Mapping[str, str]) -> Answer:
        parts = urlsplit(target)
        path = parts.path.rstrip("/")
        api, job_path = self.url + _BASE, f"{_BASE}/jobs/{documents.job()['id']}"
        plain: dict[str, Any] = {
            "/.well-known/openeo": lambda: documents.well_known(api),
            _BASE: lambda: documents.capabilities(api),
            f"{_BASE}/jobs": documents.jobs,
            job_path: documents.job_metadata,
            f"{job_path}/logs": documents.logs,
            f"{job_path}/results": lambda: documents.results(f"{self.url}{job_path}/results", self.links),
        }
        if path in plain:
            return _json(plain[path]())
        if path.startswith(f"{job_path}/results/"):
            expires = parse_qs(parts.query).get("expires", [""])[0]
            return self._signed(path.removeprefix(f"{job_path}/results/"), expires, headers)
        return _error("JobNotFound" if path.startswith(f"{_BASE}/jobs/") else "NotFound")

    def _signed(self, rest: str, expires: str, headers: Mapping[str, str]) -> Answer:
        kind, _, signed = rest.partition("/")
        signature, _, quoted = signed.partition("/")
        name, known = unquote(quoted), documents.job()
        verdict = self.links.verdict(name, signature, expires)
        if verdict:
            return _error(verdict)
        base = f"{self.url}{_BASE}/jobs/{known['id']}/results"
        if kind == "assets":
            return answer_file(documents.content(name), known["assets"][name]["type"], headers)
        if kind == "items":
            return _json(documents.item(base, name, self.links), "application/geo+json")
        return _json(documents.results(base, self.links))


def _json(document: Mapping[str, Any], media_type: str = "application/json", status: int = 200) -> Answer:
    return Answer(status=status, headers={"Content-Type": media_type}, body=json.dumps(document).encode())


def _error(code: str) -> Answer:
    status, message = _ERRORS[code]
    return _json({"id": "demo", "code": code, "message": message}, status=status)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "splashdown-demo"

    def do_GET(self) -> None:
        self._send(with_body=True)

    def do_HEAD(self) -> None:
        self._send(with_body=False)

    def _send(self, *, with_body: bool) -> None:
        routes: _Routes = self.server.routes  # type: ignore[attr-defined]
        answer = routes.answer(self.path, self.headers)  # type: ignore[arg-type]  # a Message reads like a Mapping
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if with_body:
            self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the screen belongs to the download."""
