"""Runs real servers as processes of their own, for the time that a test needs them."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

_START_LIMIT = 60.0  # seconds


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """As many ports of the loopback interface that nobody listens on; held together so that they differ."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


@contextmanager
def refusing_port() -> Iterator[int]:
    """A port of the loopback interface that refuses every connection, for the time of the block."""
    with socket.socket() as held:  # bound, so that nobody else gets it, and not listening
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@contextmanager
def background(
    command: Sequence[str | Path], *, folder: Path, name: str, variables: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in ``folder`` for the time of the block; what it says is in ``NAME.log`` there."""
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=variables)
    try:
        yield process
    finally:
        process.kill()  # what it would tidy up goes with the folder
        process.wait()


@contextmanager
def running(command: Sequence[str | Path], *, url: str, variables: Mapping[str, str], log: Path) -> Iterator[None]:
    """Run a server for the time of the block, which begins when ``url`` answers."""
    own = {name: value for name, value in variables.items() if name != "PYTHONPATH"}
    with log.open("wb") as out, subprocess.Popen(command, env=own, stdout=out, stderr=out) as process:
        try:
            _wait_until_up(url, process, log)
            yield
        finally:
            process.terminate()
            process.wait(20)


@contextmanager
def uvicorn(
    environment: Path, *app: str, variables: Mapping[str, str], log: Path, level: str = "warning"
) -> Iterator[str]:
    """Run an application of an environment of its own for the time of the block; yields its URL, without a slash."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [environment / "bin/python", "-m", "uvicorn", *app, "--port", str(port), "--log-level", level]
    with running(command, url=f"{url}/", variables=os.environ | variables, log=log):
        yield url


def _wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_LIMIT
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with direct.open(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"nothing answers at {url}:\n{log.read_text(errors='replace')[-4000:]}")
