"""The transport: ranged reads that are pinned to one version of the object."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import obstore

from splashdown.errors import ChangedError, TransferError, TruncatedError
from splashdown.model import Buffer, ReadRequest, RemoteInfo
from splashdown_obstore._errors import reading
from splashdown_obstore._options import ObstoreOptions
from splashdown_obstore._stores import Location, connect

if TYPE_CHECKING:
    from obstore import GetResult

    from splashdown_obstore._stores import Store


@dataclass(slots=True)
class _Body:
    """The answer to one request."""

    where: Location
    found: GetResult
    info: RemoteInfo
    start: int
    length: int | None

    def __iter__(self) -> Iterator[Buffer]:
        got = 0
        with reading(self.where):
            for chunk in self.found.stream():
                got += len(chunk)
                yield memoryview(chunk)
        if self.length is not None and got != self.length:
            raise TruncatedError(f"{self.where}: {got} of {self.length} bytes came")


class ObstoreTransport:
    """Reads objects; one store object for each bucket, which all threads share."""

    def __init__(self, options: ObstoreOptions) -> None:
        self._options = options
        self._stores: dict[tuple[str, str], Store] = {}
        self._lock = threading.Lock()

    @contextmanager
    def stream(self, request: ReadRequest) -> Iterator[_Body]:
        """Open a range of an object, or the whole."""
        try:
            where = Location.of(request.href)
        except ValueError as error:
            raise TransferError(str(error)) from error
        store = self._store_of(where)
        with reading(where):
            found = obstore.get(store, where.key, options=_conditions(request))
        meta, (start, stop) = found.meta, found.range
        info = RemoteInfo(
            size=meta["size"],
            media_type=found.attributes.get("Content-Type"),
            etag=meta["e_tag"],
            last_modified=format_datetime(meta["last_modified"], usegmt=True),
            ranges=True,
            version=meta["version"],
        )
        if request.pinned is not None and not request.pinned.same_version(info):
            raise ChangedError(f"{where}: the object changed while it was read")
        yield _Body(where, found, info, start, stop - start)

    def close(self) -> None:
        """Forget the stores; their connections end with them."""
        with self._lock:
            self._stores.clear()

    def _store_of(self, where: Location) -> Store:
        with self._lock:
            known = (where.scheme, where.bucket)
            if known not in self._stores:
                self._stores[known] = connect(where, self._options)
            return self._stores[known]


def _conditions(request: ReadRequest) -> Any:
    """Range and version as obstore's ``GetOptions``."""
    wanted: dict[str, object] = {}
    if request.stop is not None:
        wanted["range"] = (request.start, request.stop)
    elif request.start:
        wanted["range"] = {"offset": request.start}
    pinned = request.pinned.validator if request.pinned else None
    if pinned and pinned.startswith('"'):
        wanted["if_match"] = pinned
    if request.unless and request.unless.startswith('"'):
        wanted["if_none_match"] = request.unless
    return wanted
