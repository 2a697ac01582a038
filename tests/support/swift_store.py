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
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from s3_store import S3Store, issue_certificate
from server_process import background, free_ports

# An access key is account and user of Swift's tempauth.
_ACCESS_KEY = "test:tester"
_SECRET_KEY = "test-secret-key"

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


@contextmanager
def swift(folder: Path) -> Iterator[S3Store]:
    """Start a store with its data in ``folder``; it ends with the block. Raises ``RuntimeError`` without Swift."""
    certificate, key = issue_certificate(folder)
    ports = dict(zip((*_KINDS, "http", "https", "memcached"), free_ports(6), strict=True))
    (folder / "devices" / "one").mkdir(parents=True)
    (folder / "swift.conf").write_text(_SWIFT)
    for kind in _KINDS:
        (folder / f"{kind}.conf").write_text(_SERVER.format(kind=kind, port=ports[kind], folder=folder))
        _ring(folder, kind, ports[kind])
    common = {"folder": folder, "memcached": ports["memcached"], "secret": _SECRET_KEY, "page": _PAGE}
    tls = f"cert_file = {certificate}\nkey_file = {key}"
    (folder / "http.conf").write_text(_PROXY.format(port=ports["http"], tls="", **common))
    (folder / "https.conf").write_text(_PROXY.format(port=ports["https"], tls=tls, **common))
    commands = {"memcached": _memcached(ports["memcached"])}
    commands |= {kind: [_program(f"swift-{kind}-server"), f"{kind}.conf"] for kind in _KINDS}
    commands |= {scheme: [_program("swift-proxy-server"), f"{scheme}.conf"] for scheme in ("http", "https")}
    variables = {**os.environ, "PYTHONWARNINGS": "ignore"}
    with ExitStack() as stack:
        for name, command in commands.items():
            stack.enter_context(background(command, folder=folder, name=name, variables=variables))
        url = f"http://127.0.0.1:{ports['http']}"
        https_url = f"https://127.0.0.1:{ports['https']}"
        _wait(folder, iter(ports.values()))
        yield S3Store(
            url=url,
            https_url=https_url,
            ca_bundle=certificate,
            access_key=_ACCESS_KEY,
            secret_key=_SECRET_KEY,
            writer=(_ACCESS_KEY, _SECRET_KEY),
            page=_PAGE,
            tags=False,
            storage_classes=False,
            decides_races=False,
        )


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
