"""Every filesystem that is tested here keeps the contracts of built-in sinks and transports."""

import pytest
from splashdown_fsspec._sink import FsspecSink
from splashdown_fsspec._transport import FsspecTransport

from splashdown.errors import StoreError
from splashdown.testing import SinkContract, TransportContract, assert_light_import
from splashdown.testing.stores import store


class TestFsspecSink(SinkContract):
    @pytest.fixture
    def sink(self, place):
        self.place = place
        made = FsspecSink(*place)
        yield made
        made.close()

    def reopen(self, sink):
        return FsspecSink(*self.place)

    @pytest.mark.parametrize("key", ["deep/er/a.bin", "with space.tif", "ünï/çødé.json", "100%25 + #1?.txt", "a;b#c&d"])
    def test_keys_are_kept_as_they_are(self, sink, place, key):
        if place[0].startswith("webdav") and set(key) & set("?;"):
            store(sink, "100%25 + #1", b"somebody's")
            with pytest.raises(StoreError, match="loses what follows"):
                store(sink, key, b"x")
            assert self.fetch(sink, "100%25 + #1") == b"somebody's"
        else:
            super().test_keys_are_kept_as_they_are(sink, key)

    def test_readers_see_the_old_object_or_the_new_one(self, sink, place):
        self.replaces_in_one_step = not place[0].startswith("webdav")
        super().test_readers_see_the_old_object_or_the_new_one(sink)


class TestFsspecTransport(TransportContract):
    @pytest.fixture
    def transport(self, place):
        made = FsspecTransport(place[1])
        yield made
        made.close()

    @pytest.fixture
    def publish(self, place):
        sink = FsspecSink(*place)
        yield lambda name, data: store(sink, name, data)
        sink.close()


def test_the_package_costs_little_before_it_is_used():
    assert_light_import("splashdown_fsspec")
