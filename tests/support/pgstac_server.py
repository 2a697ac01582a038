"""The STAC API that most public catalogues run, for tests: stac-fastapi on pgstac, in a PostgreSQL of its own.

The packages are in an environment of their own; PostgreSQL with PostGIS is Debian's (``apt-get install postgresql
postgresql-postgis``). The database lives in a temporary folder and listens on loopback alone.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from own_environment import own_environment
from server_process import background, free_port, uvicorn

REQUIREMENTS = ("stac-fastapi-pgstac==7.2.0", "pypgstac[psycopg]==0.10.0", "uvicorn>=0.30")
_USER = "tests"
_START_SECONDS = 60.0
#: Where Debian keeps the programs of the server, which are not on the path.
_DEBIAN = Path("/usr/lib/postgresql")


@contextmanager
def running_pgstac(
    folder: Path,
    collections: Iterable[Mapping[str, Any]] = (),
    items: Iterable[Mapping[str, Any]] = (),
    *,
    transactions: bool = False,
) -> Iterator[str]:
    """Serve collections with their items; yields the URL of the landing page. Requests are in ``api.log`` there.

    With ``transactions`` the API takes items.
    """
    environment = own_environment("stac-fastapi-pgstac-7.2.0", REQUIREMENTS)
    database = free_port()
    # PG...: what both libpq and stac-fastapi read.
    variables = os.environ | {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(database),
        "PGUSER": _USER,
        "PGPASSWORD": "unused",
        "PGDATABASE": "postgres",
        "ENABLE_TRANSACTIONS_EXTENSIONS": str(transactions).lower(),
    }
    with _postgres(folder, database, variables):
        tool = environment / "bin/pypgstac"
        _run([tool, "migrate"], variables)
        for what, bodies in (("collections", collections), ("items", items)):
            file = folder / f"{what}.ndjson"
            file.write_text("\n".join(map(json.dumps, bodies)))
            if not file.stat().st_size:
                continue
            _run([tool, "load", what, file, "--method", "insert"], variables)
        app = ("--factory", "stac_fastapi.pgstac.app:create_app")
        with uvicorn(environment, *app, variables=variables, log=folder / "api.log", level="info") as url:
            yield f"{url}/"


@contextmanager
def _postgres(folder: Path, port: int, variables: Mapping[str, str]) -> Iterator[None]:
    """A database server for the time of the block."""
    # It runs as another user than root, who cannot enter the folders of the tests.
    home = Path(tempfile.mkdtemp(prefix="pgstac-"))
    as_user: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(home, "postgres")
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    try:
        create = ["-D", str(home / "data"), "-U", _USER, "--auth=trust", "--encoding=UTF8", "--no-sync"]
        _run([*as_user, _program("initdb"), *create], variables)
        serve = ["-D", str(home / "data"), "-p", str(port), "-k", str(home), "-h", "127.0.0.1", "-c", "fsync=off"]
        with background([*as_user, _program("postgres"), *serve], folder=folder, name="postgres", variables=variables):
            _wait(folder, variables)
            yield
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _program(name: str) -> str:
    for version in sorted(_DEBIAN.glob("[0-9]*"), key=lambda found: -int(found.name)):
        if (program := version / "bin" / name).exists():
            return str(program)
    if found := shutil.which(name):
        return found
    raise RuntimeError(
        f"the program {name} is missing; apt-get install postgresql postgresql-postgis (docs/how-to/test.md)"
    )


def _run(command: list[str | Path], variables: Mapping[str, str]) -> None:
    done = subprocess.run(command, cwd="/", env=variables, capture_output=True, text=True, timeout=_START_SECONDS)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def _wait(folder: Path, variables: Mapping[str, str]) -> None:
    end = time.monotonic() + _START_SECONDS
    while subprocess.run([_program("pg_isready"), "-q"], env=variables, timeout=_START_SECONDS).returncode:
        if time.monotonic() > end:
            raise RuntimeError(f"PostgreSQL did not start:\n{(folder / 'postgres.log').read_text()[-2000:]}")
        time.sleep(0.05)  # a server that starts says nowhere when it is done
