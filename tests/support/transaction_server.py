"""Real STAC APIs that take items: ``stac-fastapi`` in memory, and its back-end pgstac on PostgreSQL with PostGIS."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from own_environment import own_environment
from server_process import free_port, running

TOKEN = "token-of-the-api-4711"
_HERE = Path(__file__).parent
_MEMORY = ("stac-fastapi-api==7.0.0", "stac-fastapi-extensions==7.0.0", "uvicorn>=0.30")
_PGSTAC = ("stac-fastapi-pgstac==7.2.0", "pypgstac[psycopg]==0.10.0", "uvicorn>=0.30")
_POSTGRES = ("postgresql", "postgresql-15-postgis-3")


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


@contextmanager
def running_pgstac() -> Iterator[str]:
    """Serve pgstac over a fresh database; yields its URL. Installs PostgreSQL where the machine has none."""
    environment = own_environment("stac-fastapi-pgstac-7.2.0", _PGSTAC)
    programs = _postgres()
    user = ["runuser", "-u", "nobody", "--"] if os.geteuid() == 0 else []  # PostgreSQL refuses to run as root
    folder = Path(tempfile.mkdtemp(prefix="pgstac-"))  # no other user gets into the folders of pytest
    if user:
        shutil.chown(folder, "nobody")
    data, port = folder / "data", free_port()

    def run(*command: str | Path, **variables: str) -> None:
        subprocess.run([*map(str, command)], check=True, capture_output=True, env=os.environ | variables, timeout=300)

    run(*user, programs / "initdb", "-D", data, "-U", "nobody", "-A", "trust", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    run(*user, programs / "pg_ctl", "-D", data, "-o", options, "-l", folder / "postgres.log", "-w", "start")
    try:
        place = {"PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": "nobody", "PGDATABASE": "postgres"}
        place["PGPASSWORD"] = "unused"
        run(environment / "bin/python", "-m", "pypgstac.pypgstac", "migrate", **place)
        api_port = free_port()
        url = f"http://127.0.0.1:{api_port}"
        command = [environment / "bin/python", "-m", "uvicorn", "--factory", "stac_fastapi.pgstac.app:create_app"]
        command += ["--port", str(api_port), "--log-level", "warning"]
        variables = os.environ | place | {"ENABLE_TRANSACTIONS_EXTENSIONS": "true"}
        with running(command, url=url, variables=variables, log=folder / "pgstac.log"):
            yield url
    finally:
        run(*user, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder)


def _postgres() -> Path:
    """The folder of PostgreSQL's programs."""
    if (found := _newest()) is None:
        as_root = [] if os.geteuid() == 0 else ["sudo"]
        subprocess.run([*as_root, "apt-get", "update", "-qq"], check=True, timeout=600)
        subprocess.run([*as_root, "apt-get", "install", "-y", "-qq", *_POSTGRES], check=True, timeout=1200)
        found = _newest()
    assert found is not None
    return found


def _newest() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    return found[-1].parent if found else None
