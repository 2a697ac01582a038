"""What the benchmarks read from: data of their own, nginx that serves it, and a line with latency.

    with scratch() as folder, nginx(folder / "data", rate="25m") as url, slow_line(url, rtt=0.05) as slow: ...

Everything listens on loopback and ends with its block. nginx is the real one (Debian: ``apt-get install nginx``).
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

MIB = 1024 * 1024
_START_LIMIT = 10.0  # seconds

_NGINX = """
daemon off;
master_process off;
pid {state}/nginx.pid;
error_log {state}/error.log warn;
worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{
  log_format plain "$bytes_sent";
  access_log {log};
  client_body_temp_path {state}/body;
  proxy_temp_path {state}/proxy;
  fastcgi_temp_path {state}/fastcgi;
  uwsgi_temp_path {state}/uwsgi;
  scgi_temp_path {state}/scgi;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 10000000;
  default_type application/octet-stream;
  server {{
    listen 127.0.0.1:{port} {listen} backlog=1024;
    {certificate}
    root {root};
    autoindex on;
    limit_rate {rate};
    location /openeo/ {{ default_type application/json; try_files $uri.json $uri/index.json =404; }}
    # One body under as many names as a benchmark wants: /same/BODY/ANYTHING is the file /BODY.
    location ~ ^/same/(?<body>[^/]+)/ {{ try_files /$body =404; }}
  }}
}}
"""


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder in memory (``/dev/shm``) where there is one: a disk would be what is measured."""
    memory = Path("/dev/shm")
    where = os.environ.get("BENCHMARK_SCRATCH") or (memory if os.access(memory, os.W_OK) else None)
    with tempfile.TemporaryDirectory(prefix="splashdown-benchmark-", dir=where) as folder:
        yield Path(folder)


def make_files(folder: Path, count: int, size: int, ending: str = ".bin") -> list[str]:
    """Write ``count`` files of ``size`` random bytes and return their names."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"file-{number:06}{ending}" for number in range(count)]
    for name in names:
        with (folder / name).open("wb") as file:
            for at in range(0, size, 16 * MIB):
                file.write(os.urandom(min(16 * MIB, size - at)))
    return names


def publish(root: Path, url: str, job: str, hrefs: Sequence[str], size: int) -> str:
    """Write what an openEO back-end says about a finished job with these assets; returns the job's URL.

    The results are a STAC Item, so that ``{job URL}/results`` serves a STAC client as well. Asset keys are the last
    parts of the hrefs.
    """
    api = root / "openeo" / "1.2"
    (api / "jobs").mkdir(parents=True, exist_ok=True)
    base = f"{url}/openeo/1.2"
    endpoints = [{"path": "/jobs/{job_id}", "methods": ["GET"]}, {"path": "/jobs/{job_id}/results", "methods": ["GET"]}]
    about: dict[str, object] = {
        "api_version": "1.2.0",
        "backend_version": "1",
        "stac_version": "1.0.0",
        "id": "benchmark",
    }
    about |= {"title": "Benchmark", "description": "Static", "endpoints": endpoints, "links": []}
    _write(api / "index.json", about)
    versions = {"versions": [{"url": f"{base}/", "api_version": "1.2.0"}]}
    (root / ".well-known").mkdir(exist_ok=True)
    _write(root / ".well-known" / "openeo", versions)
    _write(api / "jobs" / f"{job}.json", {"id": job, "status": "finished", "created": "2023-06-01T00:00:00Z"})
    asset = {"type": "application/octet-stream", "roles": ["data"], "file:size": size}
    results = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "stac_extensions": ["https://stac-extensions.github.io/file/v2.1.0/schema.json"],
        "id": job,
        "geometry": None,
        "properties": {"datetime": "2023-06-01T00:00:00Z"},
        "links": [],
        "assets": {href.rpartition("/")[2]: {"href": href, **asset} for href in hrefs},
    }
    _write(api / "jobs" / job / "results.json", results)
    return f"{base}/jobs/{job}"


@contextmanager
def nginx(root: Path, *, rate: str = "0", log: Path | None = None, certificates: Path | None = None) -> Iterator[str]:
    """Serve a folder with one process and ``sendfile``; ``rate`` caps each connection (``25m`` is 25 MiB/s).

    ``log`` gets a line for each request: how many bytes were sent for it. With a folder of ``certificates`` it serves
    https; clients trust ``authority.pem`` in it.
    """
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise SystemExit("nginx is not installed; on Debian: apt-get install nginx aria2")
    port = free_port()
    https = {"listen": "", "certificate": ""}
    if certificates is not None:
        https = {
            "listen": "ssl",
            "certificate": f"ssl_certificate {certificates}/server.pem; ssl_certificate_key {certificates}/server.key;",
        }
    with tempfile.TemporaryDirectory(prefix="benchmark-nginx-") as state:
        conf = Path(state, "nginx.conf")
        written = f"{log} plain" if log else "off"
        conf.write_text(_NGINX.format(state=state, port=port, root=root, rate=rate, log=written, **https))
        with running([program, "-c", str(conf), "-e", f"{state}/error.log", "-p", state], port):
            yield f"http{'s' if certificates else ''}://127.0.0.1:{port}"


def issue_certificates(folder: Path) -> Path:
    """Write a certificate for this machine, its key, and the authority that signed it; returns the authority's file.

    That file has the usual authorities too, as a client of other servers reads them with each context that it makes.
    """
    import certifi
    import trustme

    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    issued.private_key_pem.write_to_path(str(folder / "server.key"))
    issued.cert_chain_pems[0].write_to_path(str(folder / "server.pem"))
    bundle = folder / "authority.pem"
    bundle.write_bytes(Path(certifi.where()).read_bytes() + authority.cert_pem.bytes())
    return bundle


@contextmanager
def slow_line(url: str, *, rtt: float) -> Iterator[str]:
    """The same server behind a line that adds ``rtt`` seconds to every round trip, the one to connect included."""
    port = free_port()
    upstream = urlsplit(url).port
    with running([sys.executable, __file__, str(port), str(upstream), str(rtt)], port):
        yield f"{urlsplit(url).scheme}://127.0.0.1:{port}"


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: Sequence[str], port: int) -> Iterator[None]:
    """A server as a process of its own, from when it listens to the end of the block."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + _START_LIMIT
            while True:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{command[0]} did not start on port {port}")
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.02)
            yield
        finally:
            process.terminate()


def _write(path: Path, document: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))


# -- the slow line, a process of its own ---------------------------------------------------------------------------

#: What one direction of a connection holds back; more than rate times delay, or it would be a rate cap of its own.
_WINDOW = 8 * MIB


class _End(asyncio.Protocol):
    """One end of a connection; what comes in here leaves at the other end ``delay`` seconds later."""

    def __init__(self, delay: float) -> None:
        self._delay, self._first = delay, 0.0
        self._held = 0
        self._line: deque[bytes] = deque()
        self._early: list[bytes] = []
        self._stuck = False
        self.transport: asyncio.Transport | None = None
        self.other: _End | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(high=2 * MIB)

    def data_received(self, data: bytes) -> None:
        self._held += len(data)
        self._line.append(data)
        self._judge()
        asyncio.get_running_loop().call_later(self._delay + self._first, self._deliver)

    def _deliver(self) -> None:
        data = self._line.popleft()  # not from the timer: timers of the same moment come in any order
        self._held -= len(data)
        if self.other is None or self.other.transport is None:
            self._early.append(data)
        elif not self.other.transport.is_closing():
            self.other.transport.write(data)
        self._judge()

    def joined(self, other: _End) -> None:
        """The other end is connected."""
        self.other = other
        for data in self._early:
            assert other.transport is not None
            other.transport.write(data)
        self._early.clear()

    def eof_received(self) -> bool:
        asyncio.get_running_loop().call_later(self._delay + self._first, self._end)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        if self.other is not None and self.other.transport is not None and exc is not None:
            self.other.transport.abort()
        else:
            asyncio.get_running_loop().call_later(self._delay + self._first, self._end)

    def _end(self) -> None:
        if self.other is not None and self.other.transport is not None and not self.other.transport.is_closing():
            self.other.transport.close()

    # Back-pressure: what the receiving side does not take is left with the sender.

    def pause_writing(self) -> None:
        if self.other is not None:
            self.other._stuck = True
            self.other._judge()

    def resume_writing(self) -> None:
        if self.other is not None:
            self.other._stuck = False
            self.other._judge()

    def _judge(self) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        if self._stuck or self._held > _WINDOW:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()


class _Client(_End):
    """The end that a client connects to. A handshake takes a round trip, which the first bytes wait for."""

    def __init__(self, upstream: int, delay: float) -> None:
        super().__init__(delay)
        self._upstream = upstream

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._first = 2 * self._delay
        loop = asyncio.get_running_loop()
        loop.call_later(2 * self._delay, setattr, self, "_first", 0.0)
        self._joining = loop.create_task(self._join())

    async def _join(self) -> None:
        loop = asyncio.get_running_loop()
        _, server = await loop.create_connection(lambda: _End(self._delay), "127.0.0.1", self._upstream)
        server.joined(self)
        self.joined(server)


async def _serve(port: int, upstream: int, rtt: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Client(upstream, rtt / 2), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
