"""The transport, the resolver and the sink of this package keep the contracts of Splashdown."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

import pytest
from splashdown_openeo._files import PathsSink
from splashdown_openeo._resolver import ClientResolver
from splashdown_openeo._transport import ConnectionTransport

from splashdown.testing import ResolverContract, SinkContract, TransportContract


@pytest.fixture
def publish(backend):
    def publish(name, data):
        return backend.add(f"/pub/{quote(name)}", data, etag=f'"{hashlib.sha256(data).hexdigest()}"')

    return publish


class TestTransport(TransportContract):
    @pytest.fixture
    def transport(self, backend):
        return ConnectionTransport(backend.connection())


class TestTransportInSmallRanges(TransportContract):
    @pytest.fixture
    def transport(self, backend):
        return ConnectionTransport(backend.connection(), range_size=30_011)


class TestResolver(ResolverContract):
    @pytest.fixture
    def resolver(self):
        return ClientResolver()

    @pytest.fixture
    def source(self, backend):
        backend.results({"a.tif": backend.add("/dl/a", b"a"), "b.tif": backend.add("/dl/b", b"b")})
        return backend.connection().job("j1")

    @pytest.fixture
    def missing(self, backend):
        return backend.connection().job("nobody-knows")


class Below(dict):
    def __init__(self, folder):
        self.folder = folder

    def __missing__(self, key):
        return self.folder / key


class TestSink(SinkContract):
    @pytest.fixture
    def sink(self, tmp_path):
        self.folder = tmp_path
        return PathsSink(Below(tmp_path))

    def fetch(self, sink, key):
        path = self.folder / key
        return path.read_bytes() if path.exists() else None
