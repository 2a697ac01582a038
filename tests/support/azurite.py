"""A real Azure Blob service for tests: Azurite, which only npm has, as a process of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server_process import background, free_port

#: Account and key that Azurite documents for everybody ("Use the Azurite emulator", Well-known storage account).
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

#: Where ``nox -s azure`` installs it.
_INSTALLED = Path(__file__).parents[2] / ".cache/npm/node_modules/.bin/azurite-blob"
_START_SECONDS = 60.0


@contextmanager
def azurite(folder: Path) -> Iterator[str]:
    """Start the service with its data in ``folder``; its endpoint. It ends with the block."""
    program = str(_INSTALLED) if _INSTALLED.exists() else shutil.which("azurite-blob")
    if program is None:
        raise RuntimeError("azurite is missing; install it: npm install --prefix .cache/npm azurite")
    port = free_port()
    options = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--silent", "--skipApiVersionCheck"]
    command = [program, *options, "--inMemoryPersistence"]
    # It would end by itself only once every client has closed its connections.
    with background(command, folder=folder, name="azurite", variables=os.environ) as process:
        _wait(process, port, folder)
        yield f"http://127.0.0.1:{port}/{ACCOUNT}"


def _wait(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)  # a server that starts tells nobody when it is done
        else:
            return
    raise RuntimeError(f"Azurite did not start:\n{(folder / 'azurite.log').read_text(errors='replace')[-2000:]}")
