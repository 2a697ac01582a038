"""A real STAC API that takes items: ``stac-fastapi`` with its transaction extension and a storage in memory."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from own_environment import own_environment
from server_process import uvicorn

TOKEN = "token-of-the-api-4711"
_HERE = Path(__file__).parent
_MEMORY = ("stac-fastapi-api==7.0.0", "stac-fastapi-extensions==7.0.0", "uvicorn>=0.30")


@contextmanager
def running_memory_api(folder: Path) -> Iterator[str]:
    """Serve an API that takes items with :data:`TOKEN`; yields its URL."""
    environment = own_environment("stac-fastapi-7.0.0", _MEMORY)
    app = ("--app-dir", str(_HERE), "stac_memory_app:app")
    with uvicorn(environment, *app, variables={"STAC_TOKEN": TOKEN}, log=folder / "stac-api.log") as url:
        yield url


def requests_of(api: str) -> list[tuple[str, str]]:
    """What the API was asked since the last call: method and path."""
    with urllib.request.urlopen(f"{api}/requests") as answer:
        return [(method, path) for method, path in json.load(answer)]
