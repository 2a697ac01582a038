"""Lets Snakemake read assets as input files: ``storage("splashdown:SOURCE#KEY")``.

A source is what ``splashdown.open`` takes: the URL of a job or of a STAC document, or a file. Each source is read once
for all of its assets. Nothing is written to a source. Snakemake looks for the names of the two classes.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_storage_plugins.common import Operation
from snakemake_interface_storage_plugins.io import IOCacheStorageInterface, Mtime
from snakemake_interface_storage_plugins.storage_object import StorageObjectRead
from snakemake_interface_storage_plugins.storage_provider import (
    ExampleQuery,
    QueryType,
    StorageProviderBase,
    StorageQueryValidationResult,
)

import splashdown
from splashdown.auth import from_environment
from splashdown.errors import SplashdownError, error_text
from splashdown.redact import redact

__all__ = ["StorageObject", "StorageProvider"]

_PREFIX = "splashdown:"
#: Multihash codes of the checksums that hashlib has, with the length of the digest (https://multiformats.io/multihash).
_HASHES = {"1220": "sha256", "1340": "sha512", "1114": "sha1", "d50110": "md5"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Query:
    """The parts of ``splashdown:SOURCE#KEY``."""

    source: str
    key: str

    @classmethod
    def of(cls, query: str) -> _Query:
        """Read a query. Raises ``ValueError`` with what is wrong."""
        source, mark, key = query.removeprefix(_PREFIX).partition("#")
        if not query.startswith(_PREFIX):
            raise ValueError(f"it begins with {_PREFIX}")
        if not (source and mark and key):
            raise ValueError(f"write {_PREFIX}SOURCE#KEY, with the key of an asset, or item/key")
        if "{" in source:
            raise ValueError("wildcards may be in the key, not in the source")
        return cls(source=source, key=key)

    @property
    def suffix(self) -> str:
        """A path of its own for each asset, with the wildcards of the key as they are."""
        digest = hashlib.sha256(self.source.encode()).hexdigest()[:16]
        # A key may be anything: what would lead out of the folder, or is not a name, is written otherwise.
        parts = [part if part.strip(".") else f"%{part}" for part in self.key.split("/")]
        return "/".join([digest, *parts])


class StorageProvider(StorageProviderBase):
    """Opens sources, each once."""

    def __post_init__(self) -> None:
        """Begin without a source."""
        self._opened: dict[str, splashdown.JobResults] = {}
        self._lock = threading.Lock()

    @classmethod
    def example_queries(cls) -> list[ExampleQuery]:
        """Queries for the documentation of Snakemake."""
        return [
            ExampleQuery(query="splashdown:https://openeo.example/openeo/1.2/jobs/JOB#out.tif",
                         description="a result of an openEO batch job", type=QueryType.INPUT),
            ExampleQuery(query="splashdown:https://stac.example/collections/c/items/i#{band}",
                         description="assets of a STAC item", type=QueryType.INPUT),
        ]  # fmt: skip

    @classmethod
    def is_valid_query(cls, query: str) -> StorageQueryValidationResult:
        """Whether a query has a source and a key."""
        try:
            _Query.of(query)
        except ValueError as error:
            return StorageQueryValidationResult(query=query, valid=False, reason=str(error))
        return StorageQueryValidationResult(query=query, valid=True)

    def rate_limiter_key(self, query: str, operation: Operation) -> str:  # noqa: ARG002 - the interface's signature
        """The host of the source."""
        return urlsplit(_Query.of(query).source).netloc

    def default_max_requests_per_second(self) -> float:
        """Not asked: Splashdown limits its requests itself."""
        return 100.0

    def use_rate_limiter(self) -> bool:
        """Leave that to Splashdown."""
        return False

    def safe_print(self, query: str) -> str:
        """The query without a password or a signature."""
        source, mark, key = query.removeprefix(_PREFIX).partition("#")
        return f"{_PREFIX}{redact(source)}{mark}{key}"

    def results(self, source: str) -> splashdown.JobResults:
        """The assets of a source. Raises ``WorkflowError`` with one line where it cannot be read."""
        with self._lock:
            if source not in self._opened:
                auth = from_environment(os.environ) if source.startswith(("https:", "http:")) else None
                try:
                    self._opened[source] = splashdown.open(source, auth=auth, notify=self.logger.info)
                except (OSError, SplashdownError) as error:
                    raise WorkflowError(f"{self.safe_print(source)}: {error_text(error)}") from None
            return self._opened[source]


class StorageObject(StorageObjectRead):
    """One asset."""

    provider: StorageProvider

    def __post_init__(self) -> None:
        """Take the query apart."""
        self._query = _Query.of(self.query)

    def local_suffix(self) -> str:
        """Where the file goes below the folder for storage."""
        return self._query.suffix

    def get_inventory_parent(self) -> str | None:
        """All assets of a source are known at once."""
        return self._query.source

    async def inventory(self, cache: IOCacheStorageInterface) -> None:
        """Note what the source says of all its assets."""
        results = self.provider.results(self._query.source)
        for result in results:
            for key in {result.key, f"{result.item}/{result.key}" if result.item else result.key}:
                name = self.cache_key(_Query(source=self._query.source, key=key).suffix)
                cache.exists_in_storage[name] = True
                cache.mtime[name] = Mtime(storage=_changed(result))
                if result.size is not None:
                    cache.size[name] = result.size
        if self._query.key not in results:
            cache.exists_in_storage[self.cache_key()] = False

    def exists(self) -> bool:
        """Whether the source lists the asset."""
        return self._query.key in self.provider.results(self._query.source)

    def mtime(self) -> float:
        """When the asset was changed, as far as its metadata say; else long ago, so that no rule runs again for it."""
        return _changed(self._asset)

    def size(self) -> int:
        """What the metadata say, else what the server says."""
        asset = self._asset
        return asset.size if asset.size is not None else asset.open().size

    def checksum(self) -> str | None:
        """The checksum in the metadata, where Snakemake knows its kind."""
        found = self._asset.checksum or ""
        for code, name in _HASHES.items():
            if found.startswith(code):
                return f"{name}:{found.removeprefix(code)}"
        return None

    def retrieve_object(self) -> None:
        """Fetch and verify the file."""
        self._asset.download(self.local_path())

    def cleanup(self) -> None:
        """Nothing is left besides the file."""

    @property
    def _asset(self) -> splashdown.ResultAsset:
        return self.provider.results(self._query.source)[self._query.key]


def _changed(result: splashdown.ResultAsset) -> float:
    """The time in ``updated`` or ``created``, of the asset or its item (epoch seconds); 0 where there is none."""
    of: tuple[Mapping[str, Any], ...] = (result.metadata, result.asset.properties)
    for name in ("updated", "created"):
        for values in of:
            try:
                return datetime.fromisoformat(str(values[name])).timestamp()
            except (KeyError, ValueError):
                continue
    return 0.0
