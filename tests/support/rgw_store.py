"""A second S3 implementation for tests: Ceph RGW (Debian), the one that most openEO back-ends use, over http and https.

A cluster of one monitor and one OSD, which keeps everything in memory, and the gateway on top of it. All of them have
their configuration, keys and sockets in one folder; nothing of the machine's own ``/etc/ceph`` is read or written.
"""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import ssl
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from s3_store import S3Store, issue_certificate
from server_process import background, free_ports

_ACCESS_KEY = "test-access-key"
_SECRET_KEY = "test-secret-key"
_WRITER = ("writer-access-key", "writer-secret-key")
#: Names of the keys that the gateway's own store of keys has, for encryption by the store.
KMS_KEYS = ("results-key", "other-key")

_START_SECONDS = 90.0

# One placement group a pool, no replicas, and a monitor that decides at once instead of once a second: all of it makes
# the start a matter of seconds. What objects leave behind is removed after seconds instead of hours, as it is memory.
_CONF = """
[global]
fsid = {cluster}
mon_host = v2:127.0.0.1:{monitor}
ms_bind_msgr1 = false
public_addr = 127.0.0.1
keyring = {folder}/keyring
run_dir = {folder}
crash_dir = {folder}
admin_socket =
log_file = {folder}/$name.ceph.log
osd_pool_default_size = 1
osd_pool_default_pg_num = 1
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_data_avail_crit = 0
paxos_propose_interval = 0.05
paxos_min_wait = 0.01
[mon]
public_addr = v2:127.0.0.1:{monitor}
mon_data = {folder}/mon
mon_cluster_log_to_file = false
[osd]
osd_data = {folder}/osd
osd_objectstore = memstore
memstore_device_bytes = 16G
[client]
rgw_data = {folder}/rgw
rgw_frontends = beast endpoint=127.0.0.1:{http} ssl_endpoint=127.0.0.1:{https} ssl_certificate={cert} ssl_private_key={key}
rgw_gc_obj_min_wait = 10
rgw_gc_processor_period = 10
rgw_crypt_require_ssl = false
rgw_crypt_s3_kms_backend = testing
rgw_crypt_s3_kms_encryption_keys = {kms}
"""
_KEYRING = (
    ("mon.", ("--cap", "mon", "allow *")),
    ("client.admin", ("--cap", "mon", "allow *", "--cap", "osd", "allow *")),
    ("osd.0", ("--cap", "mon", "allow profile osd", "--cap", "osd", "allow *")),
)
_COLD = ("--placement-id=default-placement", "--storage-class=STANDARD_IA")


@contextmanager
def rgw(folder: Path) -> Iterator[S3Store]:
    """Start a store with its data in memory; it ends with the block. Raises ``RuntimeError`` without Ceph."""
    certificate, key = issue_certificate(folder)
    ports = dict(zip(("monitor", "http", "https"), free_ports(3), strict=True))
    cluster = str(uuid.uuid4())
    for name in ("mon", "osd", "rgw"):
        (folder / name).mkdir()
    kms = " ".join(f"{name}={base64.b64encode(secrets.token_bytes(32)).decode()}" for name in KMS_KEYS)
    conf = folder / "ceph.conf"
    conf.write_text(_CONF.format(cluster=cluster, folder=folder, cert=certificate, key=key, kms=kms, **ports))
    variables = {**os.environ, "CEPH_CONF": str(conf), "CEPH_ARGS": ""}

    def run(name: str, *arguments: str) -> None:
        _run(folder, variables, [_program(name), *arguments])

    def server(name: str, *arguments: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
        return background([_program(name), *arguments, "-f"], folder=folder, name=name, variables=variables)

    for number, (who, caps) in enumerate(_KEYRING):
        run("ceph-authtool", "keyring", *(["--create-keyring"] if number == 0 else []), "--gen-key", "-n", who, *caps)
    run("monmaptool", "--create", "--fsid", cluster, "--addv", "a", f"[v2:127.0.0.1:{ports['monitor']}]", "monmap")
    run("ceph-mon", "-i", "a", "--mkfs", "--monmap", "monmap", "--keyring", "keyring")
    with server("ceph-mon", "-i", "a"):
        disk = str(uuid.uuid4())
        run("ceph", "osd", "new", disk)
        run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", disk)
        with server("ceph-osd", "-i", "0"):
            for access, secret in ((_ACCESS_KEY, _SECRET_KEY), _WRITER):
                who = (f"--uid={access}", f"--display-name={access}")
                run("radosgw-admin", "user", "create", *who, f"--access-key={access}", f"--secret-key={secret}")
            run("radosgw-admin", "zonegroup", "placement", "add", "--rgw-zonegroup=default", *_COLD)
            run("radosgw-admin", "zone", "placement", "add", "--rgw-zone=default", "--data-pool=cold", *_COLD)
            with server("radosgw", "-n", "client.admin"):
                store = S3Store(
                    url=f"http://127.0.0.1:{ports['http']}",
                    https_url=f"https://127.0.0.1:{ports['https']}",
                    ca_bundle=certificate,
                    access_key=_ACCESS_KEY,
                    secret_key=_SECRET_KEY,
                    writer=_WRITER,
                )
                _wait(folder, store)
                yield store


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise RuntimeError(
            f"the program {name} is missing; apt-get install radosgw ceph-mon ceph-osd (docs/how-to/test.md)"
        )
    return found


def _run(folder: Path, variables: dict[str, str], command: list[str]) -> None:
    try:
        subprocess.run(command, cwd=folder, env=variables, capture_output=True, timeout=_START_SECONDS, check=True)
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        said = (error.stderr or b"").decode(errors="replace")[-2000:]
        raise RuntimeError(f"Ceph did not start: {error}: {said}") from None


def _wait(folder: Path, store: S3Store) -> None:
    context = ssl.create_default_context(cafile=str(store.ca_bundle))
    end = time.monotonic() + _START_SECONDS
    for url in (store.url, store.https_url):
        while True:
            try:
                urllib.request.urlopen(url, timeout=5, context=context if url.startswith("https") else None).close()
                break
            except OSError:
                if time.monotonic() > end:
                    log = (folder / "client.admin.ceph.log").read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"Ceph RGW did not start:\n{log}") from None
                time.sleep(0.05)  # a server that starts tells nobody when it is done
