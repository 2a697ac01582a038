"""A transport without a network: it serves bodies from a dictionary and breaks where it is told to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from splashdown.errors import ChangedError, TruncatedError
from splashdown.model import Asset, Buffer, Plan, ReadRequest, RemoteInfo, Transfer


@dataclass
class Body:
    """One remote file. ``faults`` are called in turn, one for each request; each may raise, or return where to cut."""

    data: bytes
    etag: str | None = '"v1"'
    last_modified: str | None = None
    ranges: bool = True
    sized: bool = True
    digests: dict[str, str] = field(default_factory=dict)
    faults: list[Callable[[ReadRequest], int | None]] = field(default_factory=list)

    @property
    def info(self) -> RemoteInfo:
        return RemoteInfo(
            size=len(self.data) if self.sized else None,
            etag=self.etag,
            last_modified=self.last_modified,
            ranges=self.ranges,
            digests=self.digests,
        )


@dataclass
class ScriptedStream:
    info: RemoteInfo
    start: int
    length: int | None
    data: bytes
    cut: int | None
    chunk: int

    def __iter__(self) -> Iterator[Buffer]:
        view = memoryview(self.data)
        for at in range(0, len(view), self.chunk):
            if self.cut is not None and at + self.chunk > self.cut:
                if self.cut > at:
                    yield view[at : self.cut]
                raise TruncatedError("the body ended early")
            yield view[at : at + self.chunk]
        if self.cut is not None:
            raise TruncatedError("the body ended early")


class ScriptedTransport:
    def __init__(self, bodies: dict[str, Body], chunk: int = 1000) -> None:
        self.bodies = bodies
        self.chunk = chunk
        self.requests: list[ReadRequest] = []
        self.lock = threading.Lock()
        self.open = 0

    @contextmanager
    def stream(self, request: ReadRequest) -> Iterator[ScriptedStream]:
        body = self.bodies[request.href]
        with self.lock:
            self.requests.append(request)
            fault = body.faults.pop(0) if body.faults else None
            self.open += 1
        try:
            cut = fault(request) if fault else None
            if request.pinned and request.pinned.validator and request.pinned.validator != body.info.validator:
                raise ChangedError("412")
            start = request.start if body.ranges else 0
            stop = request.stop if body.ranges else None
            data = body.data[start:stop]
            yield ScriptedStream(body.info, start, len(data) if body.sized else None, data, cut, self.chunk)
        finally:
            with self.lock:
                self.open -= 1

    def close(self) -> None:
        pass


def raising(error: Exception) -> Callable[[ReadRequest], None]:
    def fault(request: ReadRequest) -> None:
        raise error

    return fault


def cut(at: int) -> Callable[[ReadRequest], int]:
    return lambda request: at


def fine(request: ReadRequest) -> None:
    return None


def plan_of(bodies: dict[str, Body], **asset: object) -> Plan:
    """A plan that stores each body under the last part of its href."""
    return Plan(
        target="out",
        source="test",
        transfers=tuple(
            Transfer(
                asset=replace(Asset(key=href.rpartition("/")[2], href=href), **asset), name=href.rpartition("/")[2]
            )
            for href in bodies
        ),
    )
