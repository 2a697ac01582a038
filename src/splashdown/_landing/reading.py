"""Reads a list of jobs from wherever it is: a file, standard input, a web server, a store."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from splashdown._documents.client import MAX_BYTES, Client
from splashdown._documents.listed import Listed
from splashdown._landing.lists import make_list, parse_list
from splashdown._landing.values import JobList
from splashdown.errors import ResolveError
from splashdown.model import Asset, ResultSet
from splashdown.sources import at_home, is_in_store, is_url, origin_text

if TYPE_CHECKING:
    from splashdown.session import Session


def read_list(jobs: object, session: Session) -> JobList:
    """The jobs of a list: a path, a URL, ``"-"`` for standard input, a list that is read, or the rows themselves.

    Raises ``ResolveError`` where it cannot be read or is not a list of jobs.
    """
    if isinstance(jobs, JobList):
        return jobs
    if isinstance(jobs, str | Path):
        place = str(jobs)
        return parse_list(_bytes(place, session), place, remote=is_url(place) or is_in_store(place))
    if not isinstance(jobs, Iterable) or isinstance(jobs, bytes):
        raise ResolveError(f"a list of jobs is a path, a URL or rows, not {type(jobs).__name__}")
    return make_list(enumerate(jobs, 1))


def _bytes(place: str, session: Session) -> bytes:
    if place == "-":
        return _limited(sys.stdin.buffer.read(MAX_BYTES + 1), "standard input")
    if is_url(place):
        given = session.auth_for(place)
        listed = Listed({origin_text(place): given} if given is not None else {})
        with closing(Client(http=session.http, listed=listed)) as client:
            return client.get_bytes(place)[1]
    if is_in_store(place):
        asset = Asset(key="jobs", href=place)
        results = ResultSet(id="jobs", kind="document", assets=(asset,), document={})
        return session.open_asset(asset, results).bytes(MAX_BYTES)
    try:
        with Path(at_home(place)).open("rb") as file:
            return _limited(file.read(MAX_BYTES + 1), place)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ResolveError(f"{place} cannot be read ({reason}); check the path") from None


def _limited(data: bytes, place: str) -> bytes:
    if len(data) > MAX_BYTES:
        raise ResolveError(f"{place} is larger than {MAX_BYTES // 2**20} MiB, too large for a list of jobs")
    return data
