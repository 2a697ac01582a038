"""A real STAC API that takes items: ``stac-fastapi`` with its transaction extension and a storage in memory."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from own_environment import own_environment
from server_process import free_port, running

TOKEN = "token-of-the-api-4711"
_HERE = Path(__file__).parent
_MEMORY = ("stac-fastapi-api==7.0.0", "stac-fastapi-extensions==7.0.0", "uvicorn>=0.30")


@contextmanager
def running_memory_api(folder: Path) -> Iterator[str]:
    """Serve an API that takes items with :data:`TOKEN`; yields its URL."""
    environment = own_environment("stac-fastapi-7.0.0", _MEMORY)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [environment / "bin/python", "-m", "uvicorn", "--app-dir", str(_HERE), "stac_memory_app:app"]
    command += ["--port", str(port), "--log-level", "warning"]
    with running(command, url=url, variables=os.environ | {"STAC_TOKEN": TOKEN}, log=folder / "stac-api.log"):
        yield url


def requests_of(api: str) -> list[tuple[str, str]]:
    """What the API was asked since the last call: method and path."""
    with urllib.request.urlopen(f"{api}/requests") as answer:
        return [(method, path) for method, path in json.load(answer)]
