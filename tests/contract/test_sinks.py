"""The built-in sinks keep the contract that every outside sink keeps."""

import pytest

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
