"""Plugins with one mistake each, under the contract that has to find it. Run by tests/contract/test_mistakes.py."""

import contextlib
import dataclasses
import json
import re

import pytest

from splashdown.errors import ResolveError
from splashdown.model import Asset, ResultSet
from splashdown.protocols import AssetHandle
from splashdown.specs import LoaderSpec
from splashdown.testing import (
    FakeFile,
    FakeTransport,
    FilterContract,
    LoaderContract,
    MemorySink,
    ResolverContract,
    SinkContract,
    TransportContract,
)


class KeepsChunks(MemorySink):
    """Keeps the buffers that it was given instead of their bytes."""

    def put_part(self, upload, part, chunks):
        kept = list(chunks)
        return super().put_part(upload, part, iter(kept))


class ShowsEarly(MemorySink):
    """Shows an object before it is committed."""

    def put_part(self, upload, part, chunks):
        tag = super().put_part(upload, part, chunks)
        self.store[upload.key] = bytes(self._data(upload))
        return tag


class Replaces(MemorySink):
    """Replaces what it was told to keep."""

    def begin(self, key, content):
        self.store.pop(key, None)
        return super().begin(key, content)


class AbortsOnce(MemorySink):
    """Cannot abort twice."""

    def abort(self, upload):
        del self._uploads[upload.token["id"]]


class Swallows(MemorySink):
    """Takes a body that broke for a whole one."""

    def put_part(self, upload, part, chunks):
        taken = []
        with contextlib.suppress(Exception):
            taken.extend(bytes(chunk) for chunk in chunks)
        return super().put_part(upload, part, iter(taken))


class MistakenSink(SinkContract):
    kind = MemorySink

    @pytest.fixture
    def sink(self):
        return self.kind()


class TestKeepsChunks(MistakenSink):
    kind = KeepsChunks


class TestShowsEarly(MistakenSink):
    kind = ShowsEarly


class TestReplaces(MistakenSink):
    kind = Replaces


class TestAbortsOnce(MistakenSink):
    kind = AbortsOnce


class TestSwallows(MistakenSink):
    kind = Swallows


class IgnoresRanges(FakeTransport):
    """Says that the range comes, and sends the whole file."""

    def stream(self, request):
        return _Lying(super().stream(request), request.start)


class _Lying:
    def __init__(self, opened, start):
        self.opened, self.start = opened, start

    def __enter__(self):
        stream = self.opened.__enter__()
        stream.start = self.start
        return stream

    def __exit__(self, *error):
        return self.opened.__exit__(*error)


class SaysRanges(FakeFile):
    """The server says that it serves ranges and does not."""

    @property
    def info(self):
        return dataclasses.replace(super().info, ranges=True)


class TestIgnoresRanges(TransportContract):
    @pytest.fixture
    def transport(self):
        return IgnoresRanges({}, chunk=30_000)

    @pytest.fixture
    def publish(self, transport):
        def publish(name, data):
            href = f"fake://host/{name}"
            transport.files[href] = SaysRanges(data=data, etag=f'"{hash(data)}"', ranges=False)
            return href

        return publish


class TestTakesEverything(ResolverContract):
    """Accepts whatever there is."""

    @pytest.fixture
    def resolver(self):
        class Greedy:
            def accepts(self, source):
                return True

            def resolve(self, source, context):
                if source == "missing":
                    raise ResolveError("nothing there")
                assets = (Asset(key="a", href="relative/a"), Asset(key="a", href="relative/b"))
                return ResultSet(id="x", kind="items", assets=assets, document={})

        return Greedy()

    @pytest.fixture
    def source(self):
        return "there"

    @pytest.fixture
    def missing(self):
        return "missing"


def _load(asset: AssetHandle) -> object:
    return json.loads(asset.bytes())


class TestRaisesItsLibrarysErrors(LoaderContract):
    """Lets the exceptions of its library out instead of a ``LoadError``."""

    @pytest.fixture
    def spec(self):
        return LoaderSpec(name="json2", load=_load, media_types=("application/JSON",))

    @pytest.fixture
    def good(self):
        return b'{"a": 1}'


class TestTurnsAround(FilterContract):
    """Changes the order."""

    @pytest.fixture
    def chosen(self):
        return lambda assets: [asset for asset in reversed(assets) if re.search("[.]", asset.key)]
