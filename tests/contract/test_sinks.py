"""The built-in sinks keep the contract that every outside sink keeps."""

import pytest

from splashdown import Session
from splashdown.builtins.local import LocalSink
from splashdown.builtins.memory import MemorySink
from splashdown.testing import SinkContract


class TestLocalSink(SinkContract):
    @pytest.fixture
    def sink(self, tmp_path):
        sink = LocalSink(tmp_path)
        yield sink
        sink.close()

    def reopen(self, sink):
        return LocalSink(sink.root)


class TestMemorySink(SinkContract):
    @pytest.fixture
    def sink(self):
        return MemorySink()


class OfArchives(SinkContract):
    """Nothing can be read from an archive before it is finished: what is committed is looked at where it waits."""

    form = ""

    @pytest.fixture
    def sink(self, tmp_path):
        with Session(discover=False) as session:
            sink = session.sink(f"{self.form}:{tmp_path}/out.archive")
            yield sink
            sink.close()

    def fetch(self, sink, key):
        held = sink._ready.get(key)
        return held and b"".join(held.chunks(0, None))


class TestZipSink(OfArchives):
    form = "zip"


class TestTarSink(OfArchives):
    form = "tar"
