"""The fakes of the kit keep the contracts themselves, so that a test with them says something."""

import pytest

from splashdown.errors import HttpStatusError, TruncatedError
from splashdown.model import ReadRequest
from splashdown.protocols import AssetHandle, ResolveContext
from splashdown.testing import (
    FakeContext,
    FakeFile,
    FakeTransport,
    MemoryHandle,
    TransportContract,
    answers,
    cuts_after,
    is_fine,
)


class FakeTransportContract(TransportContract):
    ranges = True

    @pytest.fixture
    def transport(self):
        return FakeTransport({}, chunk=30_000)

    @pytest.fixture
    def publish(self, transport):
        def publish(name, data):
            href = f"fake://host/{name}"
            transport.files[href] = FakeFile(data=data, etag=f'"{hash(data)}"', ranges=self.ranges)
            return href

        return publish


class TestFakeTransport(FakeTransportContract):
    pass


class TestFakeTransportWithoutRanges(FakeTransportContract):
    ranges = False


def test_faults_are_used_up_in_turn():
    transport = FakeTransport(
        {"fake://a": FakeFile(data=b"x" * 3000, faults=[answers(503), is_fine, cuts_after(1500)])}
    )
    request = ReadRequest(href="fake://a")
    with pytest.raises(HttpStatusError) as error, transport.stream(request):
        pass
    assert error.value.status == 503
    with transport.stream(request) as stream:
        assert sum(len(c) for c in stream) == 3000
    came = 0
    with transport.stream(request) as stream:
        chunks = iter(stream)
        came += len(next(chunks)) + len(next(chunks))
        with pytest.raises(TruncatedError):
            next(chunks)
    assert came == 1500
    assert transport.open_streams == 0
    assert len(transport.requests) == 3


def test_a_memory_handle_and_a_fake_context_are_what_they_stand_for():
    assert isinstance(MemoryHandle(b""), AssetHandle)
    context: ResolveContext = FakeContext(options={"a": 1})
    context.notify("waiting")
    assert context.messages == ["waiting"]


def test_a_memory_handle_reads_in_every_way_and_cleans_up():
    handle = MemoryHandle(b"0123456789")
    path = handle.path()
    assert path.read_bytes() == handle.bytes() == handle.open().read() == b"0123456789"
    assert bytes(handle.read_range(2, 4)) == b"23"
    assert {n: bytes(b) for n, b in handle.read_ranges([(0, 1), (9, 12)])} == {0: b"0", 1: b"9"}
    del handle
    assert not path.exists()
