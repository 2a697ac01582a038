"""Plugins with one mistake each, under the contract that has to find it. Run by tests/contract/test_mistakes.py."""

import contextlib
import dataclasses
import datetime as dt
import itertools
import json
import os
import re
import threading
from pathlib import Path

import pytest

from splashdown.errors import ExistsError, LoadError, NetworkError, ResolveError, TransferError
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


class IgnoresAbort(MemorySink):
    """Keeps what was aborted, and commits it."""

    def abort(self, upload):
        pass


class LooksAtBeginAlone(MemorySink):
    """Does not see what appeared while it stored."""

    def begin(self, key, content):
        if not content.replace and key in self.store:
            raise ExistsError(key)
        return super().begin(key, dataclasses.replace(content, replace=True))


class ShowsHalf(MemorySink):
    """Shows half of an object on the way to the whole."""

    def __init__(self, store=None):
        super().__init__(store)
        self.looked = threading.Event()

    def read(self, key):
        self.looked.set()
        return super().read(key)

    def commit(self, upload, tags):
        if upload.key in self.store:
            self.store[upload.key] = bytes(self._data(upload)[:1000])
            for _ in range(2):  # the first look may have begun before
                self.looked.clear()
                self.looked.wait(0.05)
        return super().commit(upload, tags)


class SortsTexts(MemorySink):
    """Puts part 10 before part 2."""

    def put_part(self, upload, part, chunks):
        name = f"{upload.token['id']}/{part.number}"
        self._uploads[name] = bytearray(b"".join(map(bytes, chunks)))
        return name

    def commit(self, upload, tags):
        self._uploads[upload.token["id"]] = bytearray(b"".join(self._uploads.pop(tag) for tag in sorted(tags)))
        return super().commit(upload, tags)


class EndsAtAnEmptyChunk(MemorySink):
    """Takes an empty chunk for the end, as HTTP does."""

    def put_part(self, upload, part, chunks):
        return super().put_part(upload, part, itertools.takewhile(len, chunks))


class WritesSmall(MemorySink):
    """Forgets how a key is written."""

    def begin(self, key, content):
        return dataclasses.replace(super().begin(key.lower(), content), key=key.lower())


class HasOneLocation(MemorySink):
    """Says the target instead of the object."""

    def commit(self, upload, tags):
        super().commit(upload, tags)
        return "memory://"


class LeavesFilesOpen(MemorySink):
    """Keeps a file of each upload open."""

    def begin(self, key, content):
        upload = super().begin(key, content)
        self.files = [*getattr(self, "files", []), Path(os.devnull).open()]  # noqa: SIM115 - the mistake
        return upload


class ListsNeighbours(MemorySink):
    """Lists ``dirt.bin`` below ``dir/``."""

    def list(self, prefix=""):
        return super().list(prefix.rstrip("/"))


class ReadsBackAll(MemorySink):
    """Gives the whole upload for a range of it."""

    def read_back(self, upload, start=0, stop=None):
        return super().read_back(upload)


class SaysAnyChecksum(MemorySink):
    """Says the checksum of something else."""

    def stat(self, key):
        found = super().stat(key)
        return found and dataclasses.replace(found, checksum="1220" + "0" * 64)


class EmptiesAtTheEnd(MemorySink):
    """Takes closing for deleting."""

    def close(self):
        self.store.clear()


class MistakenSink(SinkContract):
    kind = MemorySink

    @pytest.fixture
    def sink(self):
        return self.kind()

    def reopen(self, sink):
        return self.kind(sink.store)


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


class TestIgnoresAbort(MistakenSink):
    kind = IgnoresAbort


class TestLooksAtBeginAlone(MistakenSink):
    kind = LooksAtBeginAlone


class TestShowsHalf(MistakenSink):
    kind = ShowsHalf


class TestSortsTexts(MistakenSink):
    kind = SortsTexts


class TestEndsAtAnEmptyChunk(MistakenSink):
    kind = EndsAtAnEmptyChunk


class TestWritesSmall(MistakenSink):
    kind = WritesSmall


class TestHasOneLocation(MistakenSink):
    kind = HasOneLocation


class TestLeavesFilesOpen(MistakenSink):
    kind = LeavesFilesOpen


class TestListsNeighbours(MistakenSink):
    kind = ListsNeighbours


class TestReadsBackAll(MistakenSink):
    kind = ReadsBackAll


class TestSaysAnyChecksum(MistakenSink):
    kind = SaysAnyChecksum


class TestEmptiesAtTheEnd(MistakenSink):
    kind = EmptiesAtTheEnd


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


class MistakenTransport(TransportContract):
    kind = FakeTransport

    @pytest.fixture
    def transport(self):
        return self.kind({}, chunk=30_000)

    @pytest.fixture
    def publish(self, transport):
        def publish(name, data):
            href = f"fake://host/{name}"
            transport.files[href] = FakeFile(data=data, etag=f'"{hash(data)}"')
            return href

        return publish


class TestSaysTheWholeLength(MistakenTransport):
    """Gives the length of the file as that of the range."""

    class kind(FakeTransport):  # noqa: N801 - an attribute of the test
        @contextlib.contextmanager
        def stream(self, request):
            with super().stream(request) as stream:
                stream.length = stream.info.size
                yield stream


class TestRefusesLongRanges(MistakenTransport):
    """Refuses a range that ends behind the file."""

    class kind(FakeTransport):  # noqa: N801 - an attribute of the test
        @contextlib.contextmanager
        def stream(self, request):
            with super().stream(request) as stream:
                if request.stop is not None and request.stop > stream.info.size:
                    raise TransferError("416")
                yield stream


class TestHasOneBuffer(MistakenTransport):
    """Fills one buffer for all streams."""

    class kind(FakeTransport):  # noqa: N801 - an attribute of the test
        buffer = bytearray(30_000)

        @contextlib.contextmanager
        def stream(self, request):
            with super().stream(request) as stream:
                yield _InOneBuffer(stream, self.buffer)


class _InOneBuffer:
    def __init__(self, stream, buffer):
        self.info, self.start, self.length = stream.info, stream.start, stream.length
        self.stream, self.buffer = stream, buffer

    def __iter__(self):
        for chunk in self.stream:
            self.buffer[: len(chunk)] = chunk
            yield memoryview(self.buffer)[: len(chunk)]


class TestTakesItsReadersErrors(MistakenTransport):
    """Takes what its reader raises for a broken line."""

    class kind(FakeTransport):  # noqa: N801 - an attribute of the test
        @contextlib.contextmanager
        def stream(self, request):
            try:
                with super().stream(request) as stream:
                    yield stream
            except OSError as error:
                raise NetworkError(str(error)) from error


class TestLeavesStreamsOpen(MistakenTransport):
    """Keeps a file of each stream open."""

    class kind(FakeTransport):  # noqa: N801 - an attribute of the test
        opened = ()

        def stream(self, request):
            self.opened = (*self.opened, Path(os.devnull).open())  # noqa: SIM115 - the mistake
            return super().stream(request)


class TestKeepsItsValidator(MistakenTransport):
    """Has one validator for all versions of a file."""

    class kind(FakeTransport):  # noqa: N801 - an attribute of the test
        @contextlib.contextmanager
        def stream(self, request):
            with super().stream(dataclasses.replace(request, pinned=None)) as stream:
                stream.info = dataclasses.replace(stream.info, etag='"1"')
                yield stream


class TestSaysAnyDigest(MistakenTransport):
    """Says the digest of something else."""

    class kind(FakeTransport):  # noqa: N801 - an attribute of the test
        @contextlib.contextmanager
        def stream(self, request):
            with super().stream(request) as stream:
                stream.info = dataclasses.replace(stream.info, digests={"sha-256": "1220" + "0" * 64})
                yield stream


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


class TestDescribesBadly(ResolverContract):
    """Gives one role as a text, and a time without a zone."""

    @pytest.fixture
    def resolver(self):
        class Sloppy:
            def accepts(self, source):
                return source in {"there", "missing"}

            def resolve(self, source, context):
                if source == "missing":
                    raise ResolveError("nothing there")
                asset = Asset(key="a", href="fake://a", roles="data", start=dt.datetime(2024, 1, 1))  # noqa: DTZ001
                return ResultSet(id="x", kind="items", assets=(asset,), document={}, refresh=self.nothing)

            def nothing(self):
                return ResultSet(id="x", kind="items", assets=(), document={})

        return Sloppy()

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


class TestSaysNothing(FilterContract):
    """Has no reason for what it drops."""

    @pytest.fixture
    def chosen(self):
        class Tiny:
            def __call__(self, assets):
                return [asset for asset in assets if asset.size == 10]

            def why(self, asset):
                return ""

        return Tiny()


class TestSumsUpCarelessly(LoaderContract):
    """Loads with care and without a cap, and sums up without care and options."""

    @pytest.fixture
    def spec(self):
        def load(asset, *, max_bytes=None):
            try:
                return json.loads(asset.bytes())
            except ValueError:
                raise LoadError(f"{asset.asset.label} is not JSON") from None

        @dataclasses.dataclass
        class Options:
            max_bytes: int | None = None

        return LoaderSpec(name="json2", load=load, options=Options, summarise=_load)

    @pytest.fixture
    def good(self):
        return b'{"a": 1}'
