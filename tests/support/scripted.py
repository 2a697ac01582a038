"""A transport without a network: it serves bodies from a dictionary and breaks where it is told to."""

from __future__ import annotations

import hashlib
import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from splashdown._engine.remote import Remote
from splashdown._engine.renew import Renewal
from splashdown._engine.settings import RetryPolicy, Settings
from splashdown.errors import ChangedError, TruncatedError
from splashdown.model import Asset, Buffer, PartPolicy, Plan, ReadRequest, RemoteInfo, Transfer, Upload

SMALL = Settings(
    part_size=1000, range_cutoff=5000, range_connections=4, memory=10_000, retry=RetryPolicy(base=0.0, refill=100)
)
DATA = random.Random(7).randbytes(60_500)


def remote_of(transport, settings=SMALL, *, refresh=None, expires=None) -> Remote:
    """Everything is read by one transport, without signatures."""
    return Remote(transport=lambda href: transport, settings=settings, renewal=Renewal(refresh, expires))


def sha256(data):
    return "1220" + hashlib.sha256(data).hexdigest()


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


class Store:
    """A sink that needs parts whole, as object stores do; it counts what it holds and fails when told to."""

    def __init__(self, policy=None, faults=(), slow=0.0, together=1, state_dir=None):
        self.parts = policy or PartPolicy(min_size=1000, max_parts=10_000, buffered=True)
        self.objects, self.uploads = {}, {}
        self.numbers = itertools.count()
        self.faults, self.slow = list(faults), slow
        self.state_dir = state_dir
        self.lock = threading.Lock()
        self.busy = self.most_busy = 0
        self.together, self.enough = together, threading.Event()  # no part is stored before so many are under way

    def begin(self, key, content):
        with self.lock:
            upload = Upload(key=key, token={"id": str(next(self.numbers))})
            self.uploads[upload.token["id"]] = {}
        return upload

    def put_part(self, upload, part, chunks):
        (chunk,) = chunks
        with self.lock:
            self.busy += 1
            self.most_busy = max(self.busy, self.most_busy)
            if self.most_busy >= self.together:
                self.enough.set()
            fault = self.faults.pop(0) if self.faults else None
        self.enough.wait(60)
        time.sleep(self.slow)
        with self.lock:
            self.busy -= 1
        if fault:
            raise fault
        assert len(chunk) == part.size
        self.uploads[upload.token["id"]][part.number] = bytes(chunk)
        return f"tag{part.number}"

    def commit(self, upload, tags):
        parts = self.uploads.pop(upload.token["id"])
        assert [f"tag{n}" for n in range(1, len(parts) + 1)] == tags
        self.objects[upload.key] = b"".join(parts[n] for n in sorted(parts))
        return "store:" + upload.key

    def abort(self, upload):
        self.uploads.pop(upload.token["id"], None)

    def recover(self, upload, parts):
        held = self.uploads.get(upload.token["id"], {})
        return [one for one in parts if one.part.number in held]

    def close(self):
        pass
