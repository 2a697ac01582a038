"""The sink ``memory://``: objects in a dictionary, which the caller may pass. For tests and small results."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from splashdown.errors import StoreError
from splashdown.hookspecs import hookimpl
from splashdown.model import Buffer, Content, Part, PartPolicy, Stored, Upload
from splashdown.redact import safely_shown
from splashdown.specs import SinkSpec
from splashdown.store_errors import already_exists


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class MemoryOptions:
    """``store`` gets the committed objects, by key; without it the sink makes a dictionary."""

    store: MutableMapping[str, bytes] = field(default_factory=dict)


class MemorySink:
    """Keeps objects in ``store``; each appears there when it is complete, as ``bytes``."""

    def __init__(self, store: MutableMapping[str, bytes] | None = None) -> None:
        self.store: MutableMapping[str, bytes] = {} if store is None else store
        self.parts = PartPolicy()
        self.state_dir: Path | None = None  #: objects in memory end with the process
        self._uploads: dict[str, bytearray] = {}
        self._lock = threading.Lock()

    def begin(self, key: str, content: Content) -> Upload:
        """Start an empty object."""
        token = {"id": os.urandom(8).hex()}
        if not content.replace:
            token["new"] = "1"
        self._uploads[token["id"]] = bytearray()
        return Upload(key=key, token=token)

    def put_part(self, upload: Upload, part: Part, chunks: Iterable[Buffer]) -> str:
        """Copy chunks to their places."""
        data, at = self._data(upload), part.start
        for chunk in chunks:
            with self._lock:  # growing the object must not lose what another part writes
                if len(data) < at:
                    data.extend(bytes(at - len(data)))
                data[at : at + len(chunk)] = chunk
            at += len(chunk)
        return f"{part.start}-{at}"

    def commit(self, upload: Upload, tags: Sequence[str]) -> str:  # noqa: ARG002 - the parts are in their places already
        """Put the object into the store."""
        data = bytes(self._data(upload))
        with self._lock:
            if "new" in upload.token and upload.key in self.store:
                raise already_exists(f"memory://{upload.key}")
            self.store[upload.key] = data
            self._uploads.pop(upload.token["id"], None)
        return f"memory://{upload.key}"

    def put_whole(self, key: str, content: Content, data: Buffer) -> str:
        """Put an object that is all there into the store."""
        with self._lock:
            if not content.replace and key in self.store:
                raise already_exists(f"memory://{key}")
            self.store[key] = bytes(data)
        return f"memory://{key}"

    def abort(self, upload: Upload) -> None:
        """Forget the object."""
        self._uploads.pop(upload.token.get("id", ""), None)

    def close(self) -> None:
        """Forget unfinished uploads; the store stays."""
        self._uploads.clear()

    def duplicate(self, key: str, copy: str, content: Content) -> Stored | None:
        """The same bytes under another key."""
        with self._lock:
            if not content.replace and copy in self.store:
                raise already_exists(f"memory://{copy}")
            self.store[copy] = self.store[key]
        return self.stat(copy)

    def stat(self, key: str) -> Stored | None:
        """The size of a committed object."""
        data = self.store.get(key)
        return None if data is None else Stored(size=len(data), location=f"memory://{key}")

    @contextmanager
    def read(self, key: str) -> Iterator[Iterator[Buffer]]:
        """The bytes of a committed object."""
        try:
            data = self.store[key]
        except KeyError:
            raise FileNotFoundError(f"memory://{key}") from None
        yield iter((data,))

    @contextmanager
    def read_back(self, upload: Upload, start: int = 0, stop: int | None = None) -> Iterator[Iterator[Buffer]]:
        """The bytes of an object that is not committed yet."""
        yield iter((bytes(self._data(upload)[start:stop]),))

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Every committed object."""
        for key in sorted(self.store):
            if key.startswith(prefix):
                yield key, len(self.store[key])

    def delete(self, key: str) -> None:
        """Remove a committed object."""
        self.store.pop(key, None)

    def _data(self, upload: Upload) -> bytearray:
        try:
            return self._uploads[upload.token["id"]]
        except KeyError:
            raise StoreError(f"memory://{upload.key}: this upload was aborted") from None


def create(target: str, options: Any) -> MemorySink:  # noqa: ARG001 - a sink spec's signature
    """The sink for ``memory://``."""
    return MemorySink(options.store if isinstance(options, MemoryOptions) else None)


@hookimpl
def splashdown_sinks() -> Iterable[SinkSpec]:
    """Memory."""
    yield SinkSpec(
        name="memory", schemes=("memory",), create=create, options=MemoryOptions, summary="objects in a dictionary"
    )
