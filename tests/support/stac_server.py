"""A real STAC API for the tests: ``stac-fastapi-static`` over a catalog of files, in an environment of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from own_environment import own_environment
from server_process import uvicorn

# The server's own requirements are open-ended, and it does not run on a later FastAPI.
REQUIREMENTS = ("stac-fastapi-static==1.0.1", "fastapi==0.115.*", "uvicorn>=0.30")


@contextmanager
def running_stac_api(catalog: Path) -> Iterator[str]:
    """Serve a static catalog; yields the URL of the landing page. Raises when it cannot be set up: tests never skip."""
    environment = own_environment("stac-fastapi-static-1.0.1", REQUIREMENTS)
    variables = {"catalog_href": catalog.absolute().as_uri()}
    log = catalog.parent / "stac-api.log"
    with uvicorn(environment, "stac_fastapi.static.app:app", variables=variables, log=log) as url:
        yield f"{url}/"
