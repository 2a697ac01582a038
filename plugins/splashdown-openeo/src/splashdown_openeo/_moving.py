"""Moves files for the drop-in: through the engine, over one connection, to given paths, with the client's errors."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import requests
from openeo.rest import DEFAULT_DOWNLOAD_CHUNK_SIZE, DEFAULT_DOWNLOAD_RANGE_SIZE, OpenEoClientException
from requests.utils import get_encoding_from_headers

import splashdown
from splashdown.errors import TransferError
from splashdown.model import Asset, IfExists, Outcome, Plan, ResultSet, Status, Transfer
from splashdown.redact import safely_shown
from splashdown_openeo._files import PathsSink
from splashdown_openeo._transport import ConnectionTransport

if TYPE_CHECKING:
    from openeo.rest.connection import Connection


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Move:
    """One file to fetch."""

    href: str
    path: Path
    media_type: str | None = None  #: what the metadata promise


def media_type_of(metadata: object) -> str | None:
    """The media type in an asset object; ``None`` for one that is missing, or not a string."""
    kind = metadata.get("type") if isinstance(metadata, Mapping) else None
    return kind if isinstance(kind, str) else None


def fetch(
    connection: Connection,
    moves: Sequence[Move],
    *,
    chunk_size: int | None = DEFAULT_DOWNLOAD_CHUNK_SIZE,
    range_size: int = DEFAULT_DOWNLOAD_RANGE_SIZE,
    renew: Callable[[Sequence[Move]], Sequence[str]] | None = None,
) -> list[Exception | None]:
    """Fetch all files, several at a time; for each the exception that it ended with, or ``None``.

    ``renew`` returns fresh hrefs for the same files; it is asked when a server refuses one. The exceptions are
    those of the openEO client, of requests and of the operating system, as its own download functions raise them.
    """
    transport = ConnectionTransport(connection, chunk_size=chunk_size, range_size=range_size)
    if not moves:
        return []
    # Names in the plan only distinguish the files; the caller decides where each goes.
    names = [f"{number}/file" for number in range(len(moves))]
    assets = _assets(names, moves, [move.href for move in moves])
    transfers = tuple(Transfer(asset=one, name=one.key, if_exists=IfExists.OVERWRITE) for one in assets)
    refresh = None if renew is None else lambda: _result_set(transport, _assets(names, moves, renew(moves)))
    sink = PathsSink(dict(zip(names, (move.path for move in moves), strict=True)))
    try:
        with splashdown.Session(discover=False) as session:
            settings = _settings(session, single=len(moves) == 1)
            results = splashdown.JobResults(session, replace(_result_set(transport, assets), refresh=refresh))
            report = results.transfer(Plan(target="", transfers=transfers), sink=sink, settings=settings)
    finally:
        sink.close()
    return [_cause(outcome, transport, sink) for outcome in report.outcomes]


def read(connection: Connection, href: str) -> requests.Response:
    """The whole file as a response whose body is in memory already."""
    transport = ConnectionTransport(connection)
    asset = Asset(key="file", href=href)
    with splashdown.Session(discover=False) as session:
        results = splashdown.JobResults(session, _result_set(transport, [asset]))
        try:
            body = results.get_asset().open().bytes()
        except TransferError as error:
            raise transport.causes.get((href, str(error)), OpenEoClientException(str(error))) from None
    response = requests.Response()
    response.status_code = requests.codes.ok
    response.url = href
    response.headers.update(transport.headers)
    response.encoding = get_encoding_from_headers(response.headers)
    response.raw = io.BytesIO(body)
    return response


def _settings(session: splashdown.Session, *, single: bool) -> splashdown.Settings:
    """The user's settings, without what the client's functions do not leave behind: journals, checksums.

    Assets have no size or checksum here, so what ``verify`` compares is the format of the bytes.
    """
    settings = replace(session.settings, resume=False, checksum=None)
    # One file may be read over several connections; many files share what the connection's pool holds.
    return settings if single else replace(settings, range_connections=1)


def _assets(names: Sequence[str], moves: Sequence[Move], hrefs: Sequence[str]) -> list[Asset]:
    return [
        Asset(key=name, href=href, media_type=move.media_type)
        for name, move, href in zip(names, moves, hrefs, strict=True)
    ]


def _result_set(transport: ConnectionTransport, assets: Sequence[Asset]) -> ResultSet:
    return ResultSet(id="drop-in", kind="job", assets=assets, document={}, transport=lambda _: transport)


def _cause(outcome: Outcome, transport: ConnectionTransport, sink: PathsSink) -> Exception | None:
    if outcome.status is not Status.FAILED:
        return None
    cause = sink.causes.get(outcome.transfer.name) or transport.causes.get((outcome.asset.href, outcome.error))
    if cause is not None:
        return cause
    said = outcome.error.removeprefix(f"{outcome.asset.label}: ")  # a name of this module
    return OpenEoClientException(f"{sink.path(outcome.transfer.name)}: {outcome.error_type}: {said}")
