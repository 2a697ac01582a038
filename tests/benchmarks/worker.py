"""Runs one Python contender in a process of its own, without the time that its imports take.

Called by ``peers``: the name of a function below as the argument, the job as JSON on standard input; the answer, on
standard output, is ``{"seconds": ..., "cpu": ..., "rss": ...}``. Runs in the environment of the project and in that of the peers,
so it imports nothing of either before it is needed.
"""

from __future__ import annotations

import importlib
import json
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

MIB = 1024 * 1024


def splashdown(job: dict[str, Any]) -> Callable[[], object]:
    """The whole way: open the job, download, verify, write the receipt."""
    import splashdown

    settings = splashdown.Settings(**job["settings"])
    # Its modules are loaded when they are first used. One run of its own makes that happen before the clock starts.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.bin").write_bytes(b"a")
        item = {"type": "Feature", "stac_version": "1.0.0", "id": "i", "geometry": None, "links": []}
        item |= {"properties": {"datetime": "2023-06-01T00:00:00Z"}, "assets": {"a": {"href": f"{folder}/a.bin"}}}
        Path(folder, "item.json").write_text(json.dumps(item))
        splashdown.open(f"{folder}/item.json").download_files(f"{folder}/target")
    names = ["splashdown.builtins.openeo.resolve", "splashdown.builtins.http.exchange"]
    if any(place.startswith("s3://") for place in (job["target"], *job["urls"])):
        names += ["splashdown_s3._sink", "splashdown_s3._transport"]
    for name in names:
        importlib.import_module(name)
    url, target = job["job_url"], job["target"]
    return lambda: splashdown.open(url).download_files(target, settings=settings)


def openeo(job: dict[str, Any]) -> Callable[[], object]:
    """The openEO client: one file after the other."""
    import openeo

    base, _, name = job["job_url"].rpartition("/jobs/")

    def run() -> object:
        return openeo.connect(base).job(name).get_results().download_files(job["target"])

    return run


def stac_asset(job: dict[str, Any]) -> Callable[[], object]:
    """stac-asset as its own defaults have it, from the item's URL."""
    import pystac
    import stac_asset
    import stac_asset.blocking

    config = stac_asset.Config(warn=False)

    def run() -> object:
        item = pystac.Item.from_file(job["job_url"] + "/results")
        return stac_asset.blocking.download_item(item, job["target"], config=config)

    return run


def bare_adapter(job: dict[str, Any]) -> Callable[[], object]:
    """The pool of ``requests``' own adapter, called directly: no names, no retries, no checksums, no receipt."""
    from requests import Request
    from requests.adapters import HTTPAdapter

    adapter = HTTPAdapter(pool_maxsize=64)
    pool = adapter.get_connection_with_tls_context(Request("GET", job["urls"][0]).prepare(), verify=True)

    def fetch(url: str) -> None:
        response = pool.urlopen("GET", urlsplit(url).path, preload_content=False, decode_content=False, retries=False)
        if response.status != 200:
            raise SystemExit(f"{url}: {response.status}")
        file = os.open(_place(job, url), os.O_WRONLY | os.O_CREAT, 0o666)
        while chunk := response.read(MIB, decode_content=False):
            os.write(file, chunk)
        os.close(file)
        response.release_conn()

    return lambda: _threads(job["jobs"], job["urls"], fetch)


def boto3_upload(job: dict[str, Any]) -> Callable[[], object]:
    """Plain boto3: the answer of requests as a file object for ``upload_fileobj``."""
    import requests

    make = _boto3()

    def run() -> None:
        client, config = make()
        session = requests.Session()
        session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=64))

        def store(url: str) -> None:
            with session.get(url, stream=True) as response:
                response.raise_for_status()
                client.upload_fileobj(response.raw, "bench", url.rpartition("/")[2], Config=config)

        _threads(job["jobs"], job["urls"], store)

    return run


def boto3_download(job: dict[str, Any]) -> Callable[[], object]:
    """Plain boto3: ``download_file``."""
    make = _boto3()

    def run() -> None:
        client, config = make()

        def fetch(url: str) -> None:
            client.download_file("bench", url.rpartition("/")[2], _place(job, url), Config=config)

        _threads(job["jobs"], job["urls"], fetch)

    return run


def _boto3() -> Callable[[], tuple[Any, Any]]:
    """Makes a client when it is called: everybody else's run pays for that, too."""
    import boto3
    from boto3.s3.transfer import TransferConfig
    from botocore.config import Config

    def make() -> tuple[Any, Any]:
        client = boto3.client("s3", config=Config(max_pool_connections=64, s3={"addressing_style": "path"}))
        return client, TransferConfig(preferred_transfer_client="classic")

    return make


def splice(job: dict[str, Any]) -> Callable[[], object]:
    """Socket to pipe to file inside the kernel: the limit for plain HTTP. Not a tool that anybody could use."""
    local = threading.local()

    def fetch(url: str) -> None:
        where = urlsplit(url)
        if not hasattr(local, "socket"):
            local.socket = socket.create_connection((where.hostname, where.port))
            local.pipe = os.pipe()
            _widen(local.pipe[0])
        local.socket.sendall(f"GET {where.path} HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n".encode())
        left = _body_length(local.socket)
        file = os.open(_place(job, url), os.O_WRONLY | os.O_CREAT, 0o666)
        while left:
            got = os.splice(local.socket.fileno(), local.pipe[1], min(left, MIB))
            if not got:
                raise SystemExit(f"{url}: ended early")
            left -= got
            while got:
                got -= os.splice(local.pipe[0], file, got)
        os.close(file)

    return lambda: _threads(job["jobs"], job["urls"], fetch)


def _widen(pipe: int) -> None:
    import fcntl

    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, MIB)


def _body_length(connection: socket.socket) -> int:
    """Read an answer's head and no byte more; the length of its body."""
    head = b""
    while b"\r\n\r\n" not in head:
        head = connection.recv(4096, socket.MSG_PEEK)
    end = head.index(b"\r\n\r\n") + 4
    head = connection.recv(end)
    lines = head.lower().split(b"\r\n")
    if b" 200 " not in lines[0]:
        raise SystemExit(lines[0].decode())
    return next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))


def _place(job: dict[str, Any], url: str) -> str:
    return job["target"] + "/" + url.rpartition("/")[2]


def _threads(count: int, urls: Iterable[str], fetch: Callable[[str], None]) -> None:
    todo, lock = iter(urls), threading.Lock()

    def work() -> None:
        while True:
            with lock:
                url = next(todo, None)
            if url is None:
                return
            fetch(url)

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


CONTENDERS = (splashdown, openeo, stac_asset, bare_adapter, boto3_upload, boto3_download, splice)


def main() -> None:
    job = json.load(sys.stdin)
    run = next(one for one in CONTENDERS if one.__name__ == sys.argv[1])(job)
    if "://" not in job["target"]:
        Path(job["target"]).mkdir(parents=True, exist_ok=True)
    del job  # very many URLs are not to be counted for who does not need them
    cpu, begun = time.process_time(), time.perf_counter()
    run()
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    # ``getrusage`` would tell the parent's peak where that is higher.
    status = Path("/proc/self/status").read_text()
    rss = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    sys.stdout.write("\n" + json.dumps({"seconds": seconds, "cpu": cpu, "rss": int(rss) * 1024}) + "\n")


if __name__ == "__main__":
    main()
