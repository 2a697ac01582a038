"""A second S3 implementation for tests: OpenStack Swift (``swift`` from PyPI) with its S3 API, over http and https.

One proxy for each scheme, an account, a container and an object server, each a process on one device, and memcached
(Debian), without which each request takes three more of them to their servers and twice the time.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from seaweedfs import issue_certificate

#: An access key is account and user of Swift's tempauth.
ACCESS_KEY = "test:tester"
SECRET_KEY = "test-secret-key"

_START_SECONDS = 60.0
# A tenth of what is usual: a request costs this store some 25 ms of processor time.
_PAGE = 100
_KINDS = ("account", "container", "object")

_SWIFT = """
[swift-hash]
swift_hash_path_suffix = tests
[storage-policy:0]
name = one
default = yes
"""
# fallocate_reserve: a nearly full disk of the machine is not the business of tests. The time limits are those of a busy
# machine: what a container server does not take in a second, an updater would bring to it later, and none runs here.
_SERVER = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
fallocate_reserve = 0
disable_fallocate = true
container_update_timeout = 60
conn_timeout = 20
node_timeout = 60
log_level = ERROR
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
replication_server = false
conn_timeout = 20
node_timeout = 60
"""
_PROXY = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
swift_dir = {folder}
log_level = ERROR
{tls}
[pipeline:main]
pipeline = catch_errors cache listing_formats bulk s3api tempauth copy slo dlo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
conn_timeout = 20
node_timeout = 60
recoverable_node_timeout = 60
error_suppression_limit = 1000000
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{memcached}
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
allow_multipart_uploads = true
max_bucket_listing = {page}
check_bucket_owner = false
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = {secret} .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
[filter:symlink]
use = egg:swift#symlink
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swift:
    """A running store."""

    url: str  #: http
    https_url: str
    ca_bundle: Path  #: the certificate that the https side shows
    access_key: str = ACCESS_KEY
    secret_key: str = SECRET_KEY
    page: int = _PAGE  #: keys in one answer to a listing
    writer: tuple[str, str] = (ACCESS_KEY, SECRET_KEY)

    @property
    def environment(self) -> dict[str, str]:
        """Endpoint and credentials as environment variables."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_REGION": "us-east-1",
        }


@contextmanager
def swift(folder: Path) -> Iterator[Swift]:
    """Start a store with its data in ``folder``; it ends with the block. Raises ``RuntimeError`` without Swift."""
    certificate, key = issue_certificate(folder)
    ports = dict(zip((*_KINDS, "http", "https", "memcached"), _free_ports(6), strict=True))
    (folder / "devices" / "one").mkdir(parents=True)
    (folder / "swift.conf").write_text(_SWIFT)
    for kind in _KINDS:
        (folder / f"{kind}.conf").write_text(_SERVER.format(kind=kind, port=ports[kind], folder=folder))
        _ring(folder, kind, ports[kind])
    common = {"folder": folder, "memcached": ports["memcached"], "secret": SECRET_KEY, "page": _PAGE}
    tls = f"cert_file = {certificate}\nkey_file = {key}"
    (folder / "http.conf").write_text(_PROXY.format(port=ports["http"], tls="", **common))
    (folder / "https.conf").write_text(_PROXY.format(port=ports["https"], tls=tls, **common))
    with ExitStack() as stack:
        stack.enter_context(_running(folder, "memcached", _memcached(ports["memcached"])))
        for kind in _KINDS:
            stack.enter_context(_running(folder, kind, [_program(f"swift-{kind}-server"), f"{kind}.conf"]))
        for scheme in ("http", "https"):
            stack.enter_context(_running(folder, scheme, [_program("swift-proxy-server"), f"{scheme}.conf"]))
        url = f"http://127.0.0.1:{ports['http']}"
        https_url = f"https://127.0.0.1:{ports['https']}"
        _wait(folder, iter(ports.values()))
        yield Swift(url=url, https_url=https_url, ca_bundle=certificate)


def _program(name: str) -> str:
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        how = "apt-get install memcached" if name == "memcached" else "pip install swift"
        raise RuntimeError(f"the program {name} is missing; {how} (docs/how-to/test.md)")
    return found


def _ring(folder: Path, kind: str, port: int) -> None:
    builder = str(folder / f"{kind}.builder")
    tool = [sys.executable, _program("swift-ring-builder"), builder]
    for step in (("create", "4", "1", "0"), ("add", f"r1z1-127.0.0.1:{port}/one", "1"), ("rebalance",)):
        subprocess.run([*tool, *step], check=True, capture_output=True)


def _memcached(port: int) -> Sequence[str]:
    # -u names whom root becomes; for anybody else it means nothing.
    return [_program("memcached"), "-l", "127.0.0.1", "-p", str(port), "-U", "0", "-m", "32", "-u", "root"]


@contextmanager
def _running(folder: Path, name: str, command: Sequence[str]) -> Iterator[None]:
    environment: Mapping[str, str] = {**os.environ, "PYTHONWARNINGS": "ignore"}
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=environment)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _wait(folder: Path, ports: Iterator[int]) -> None:
    end = time.monotonic() + _START_SECONDS
    for port in ports:
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if time.monotonic() > end:
                logs = {path.name: path.read_text(errors="replace")[-500:] for path in folder.glob("*.log")}
                raise RuntimeError(f"Swift did not start: {logs}")
            time.sleep(0.05)  # a server that starts tells nobody when it is done


def _free_ports(count: int) -> list[int]:
    """Ports that are free now; held together so that they differ."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
