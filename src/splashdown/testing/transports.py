"""The contract of transports. Subclass :class:`TransportContract` with fixtures ``transport`` and ``publish``."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from splashdown.checksums import hash_of
from splashdown.errors import ChangedError, NotModifiedError, TransferError
from splashdown.model import ReadRequest, RemoteInfo, SmallBody
from splashdown.protocols import AwaitedFile, Stream, SupportsAskSmall, SupportsDelete, SupportsReadSmall, Transport
from splashdown.testing.handles import left_open
from splashdown.testing.stores import data_of

Publish = Callable[[str, bytes], str]


class TransportContract:
    """The behaviour of every transport.

    A subclass has two fixtures: ``transport``, a fresh one, and ``publish``, a function that puts a file on the server
    under a name, replacing the old one, and returns its href. :meth:`missing` gives an href without a file.
    """

    def missing(self, publish: Publish) -> str:
        """An href of the right form without a file."""
        return publish("there.bin", b"x").replace("there.bin", "missing.bin")

    def test_it_has_the_methods_of_a_transport(self, transport: Transport) -> None:
        assert isinstance(transport, Transport)

    @pytest.mark.parametrize("size", [0, 1, 100_001, 3_000_000])
    def test_a_whole_file_is_read(self, transport: Transport, publish: Publish, size: int) -> None:
        data = data_of(size)
        href = publish("a.bin", data)
        with transport.stream(ReadRequest(href=href)) as stream:
            assert isinstance(stream, Stream)
            assert isinstance(stream.info, RemoteInfo)
            assert stream.start == 0
            assert stream.info.size in {None, size}
            assert stream.length in {None, size}
            for digest in stream.info.digests.values():
                assert hash_of([data], like=digest) in {None, digest.lower()}, "a digest of other bytes"
            assert b"".join(bytes(chunk) for chunk in stream) == data

    @pytest.mark.parametrize("size", [0, 1, 65_536, 100_000])
    def test_a_small_file_read_in_one_call_is_the_same(self, transport: Transport, publish: Publish, size: int) -> None:
        if not isinstance(transport, SupportsReadSmall):
            pytest.skip("this transport has no read_small()")
        data = data_of(size)
        href = publish("a.bin", data)
        with transport.stream(ReadRequest(href=href)) as stream:
            info = stream.info
            assert b"".join(bytes(chunk) for chunk in stream) == data
        for _ in range(2):  # a transport may need one request before it knows the host
            found = transport.read_small(ReadRequest(href=href), 65_536)
            if not isinstance(found, SmallBody):
                with found as stream:
                    assert stream.start == 0
                    assert b"".join(bytes(chunk) for chunk in stream) == data
                continue
            assert size <= 65_536
            assert found.info == info
            assert bytes(found.data) == data

    @pytest.mark.parametrize("size", [0, 1, 65_536, 100_000])
    def test_a_small_file_that_is_asked_for_is_the_same(
        self, transport: Transport, publish: Publish, size: int
    ) -> None:
        if not isinstance(transport, SupportsAskSmall):
            pytest.skip("this transport has no ask_small()")
        data = data_of(size)
        href = publish("a.bin", data)
        with transport.stream(ReadRequest(href=href)) as stream:  # makes the connection
            info = stream.info
            list(stream)
        asked = transport.ask_small(ReadRequest(href=href), 65_536)
        assert asked is not None, "nothing was asked on a connection that is open"
        found = _awaited(asked)
        if found is None:
            assert size > 65_536 or not size, "no range of an empty file can be served"
            with asked.rest() as stream:
                assert (stream.start, stream.info) == (0, info)
                assert b"".join(bytes(chunk) for chunk in stream) == data
        else:
            assert (found.info, bytes(found.data)) == (info, data)

    def test_a_file_that_was_asked_for_can_be_left(self, transport: Transport, publish: Publish) -> None:
        if not isinstance(transport, SupportsAskSmall):
            pytest.skip("this transport has no ask_small()")
        href = publish("a.bin", data_of(1000))
        read(transport, href)
        asked = transport.ask_small(ReadRequest(href=href), 65_536)
        assert asked is not None
        asked.close()
        assert read(transport, href) == data_of(1000)

    def test_a_small_file_that_has_not_changed_is_not_taken_for_another(
        self, transport: Transport, publish: Publish
    ) -> None:
        if not isinstance(transport, SupportsReadSmall):
            pytest.skip("this transport has no read_small()")
        href = publish("a.bin", data_of(1000))
        validator = read_info(transport, href).validator
        for _ in range(2):  # as above
            try:
                found = transport.read_small(ReadRequest(href=href, unless=validator), 65_536)
                if isinstance(found, SmallBody):  # the condition was ignored
                    assert found.info.validator == validator
                    continue
                with found as stream:  # or it is read in the general way
                    assert stream.info.validator == validator
            except NotModifiedError:
                continue

    def test_a_missing_small_file_is_the_error_of_a_missing_file(self, transport: Transport, publish: Publish) -> None:
        if not isinstance(transport, SupportsReadSmall):
            pytest.skip("this transport has no read_small()")
        href = self.missing(publish)
        with pytest.raises(TransferError) as expected:
            read(transport, href)
        for _ in range(2):  # as above
            with pytest.raises(TransferError) as caught:
                read_small(transport, href)
            assert (type(caught.value), str(caught.value)) == (type(expected.value), str(expected.value))

    def test_a_version_that_was_read_is_deleted_and_no_other(self, transport: Transport, publish: Publish) -> None:
        if not isinstance(transport, SupportsDelete):
            pytest.skip("this transport has no delete()")
        old = read_info(transport, publish("a.bin", data_of(1000)))
        href = publish("a.bin", data_of(2000))
        with pytest.raises(ChangedError):
            transport.delete(href, old)
        assert len(read(transport, href)) == 2000
        transport.delete(href, read_info(transport, href))
        with pytest.raises(TransferError):
            read(transport, href)
        with pytest.raises(TransferError):
            transport.delete(href, old)

    @pytest.mark.parametrize(
        ("start", "stop"),
        [(0, 1), (10, 20), (99_990, 100_000), (50_000, None), (0, 100_000), (0, 200_000), (99_990, 200_000)],
    )
    def test_a_range_is_read_or_the_whole_file_said_to_come(
        self, transport: Transport, publish: Publish, start: int, stop: int | None
    ) -> None:
        data = data_of(100_000)
        href = publish("a.bin", data)
        whole = read_info(transport, href)
        with transport.stream(ReadRequest(href=href, start=start, stop=stop, pinned=whole)) as stream:
            assert stream.start in ({start} if whole.ranges else {0, start})
            expected = data[start:stop] if stream.start == start else data
            found = b"".join(bytes(chunk) for chunk in stream)
            assert found == expected or (stream.start == 0 == start and found == data)
            assert stream.length in {None, len(found)}, "length is that of the body, not of the file"
            assert stream.info.size in {None, len(data)}, "info is about the whole file, not about the range"

    @pytest.mark.parametrize("name", ["with space.bin", "ünïcode.bin", "100%25.bin", "a+b#c.bin", "deep/er/a.bin"])
    def test_files_of_all_names_are_read(self, transport: Transport, publish: Publish, name: str) -> None:
        assert read(transport, publish(name, name.encode())) == name.encode()

    def test_several_streams_are_open_at_once(self, transport: Transport, publish: Publish) -> None:
        datas = {publish(f"{n}.bin", data_of(200_000, str(n))): data_of(200_000, str(n)) for n in range(6)}
        with ThreadPoolExecutor(6) as pool:
            assert dict(zip(datas, pool.map(lambda href: read(transport, href), datas), strict=True)) == datas

    def test_streams_that_are_read_in_turns_keep_apart(self, transport: Transport, publish: Publish) -> None:
        first, second = data_of(200_000, "first"), data_of(200_000, "second")
        hrefs = publish("first.bin", first), publish("second.bin", second)
        with (
            transport.stream(ReadRequest(href=hrefs[0])) as one,
            transport.stream(ReadRequest(href=hrefs[1])) as other,
        ):
            mine, theirs = iter(one), iter(other)
            chunk = next(mine)
            assert second.startswith(bytes(next(theirs)))
            assert first.startswith(bytes(chunk)), "a chunk is valid until the next one of its own stream"

    def test_an_exception_of_its_reader_passes_unchanged(self, transport: Transport, publish: Publish) -> None:
        href, full = publish("a.bin", data_of(5000)), OSError("the disk is full")
        with pytest.raises(OSError, match="the disk is full") as raised, transport.stream(ReadRequest(href=href)):
            raise full
        assert raised.value is full

    def test_nothing_stays_open(self, transport: Transport, publish: Publish) -> None:
        href, lost = publish("a.bin", data_of(50_000)), self.missing(publish)

        def work() -> None:
            read(transport, href)
            with transport.stream(ReadRequest(href=href)) as stream:
                next(iter(stream))
            with pytest.raises(TransferError):
                read(transport, lost)

        assert left_open(work) == 0, "files or connections that stay open with each stream"

    def test_a_stream_that_is_left_early_does_not_spoil_the_next(self, transport: Transport, publish: Publish) -> None:
        data = data_of(2_000_000)
        href = publish("a.bin", data)
        for _ in range(3):
            with transport.stream(ReadRequest(href=href)) as stream:
                next(iter(stream))
        assert read(transport, href) == data

    def test_a_missing_file_is_a_transfer_error_that_is_not_retried(
        self, transport: Transport, publish: Publish
    ) -> None:
        href = self.missing(publish)
        with pytest.raises(TransferError) as error, transport.stream(ReadRequest(href=href)) as stream:
            list(stream)
        assert not error.value.retryable

    def test_a_file_that_changed_is_noticed(self, transport: Transport, publish: Publish) -> None:
        href = publish("a.bin", data_of(5000, "old"))
        before = read_info(transport, href)
        publish("a.bin", data_of(6000, "new"))
        try:
            with transport.stream(ReadRequest(href=href, start=100, stop=200, pinned=before)) as stream:
                seen = stream.info
                list(stream)
        except ChangedError:
            return
        assert (seen.size, seen.validator) != (before.size, before.validator), "neither refused nor visible in info"

    def test_another_version_has_another_validator(self, transport: Transport, publish: Publish) -> None:
        href = publish("a.bin", data_of(5000))
        first = read_info(transport, href).validator
        if first is None:
            pytest.skip("this transport has no validators")
        end = time.monotonic() + 2.5  # the unit of a date is a second
        began, number = time.monotonic(), 0
        while read_info(transport, href).validator == first:
            assert began < end, "a resumed run would mix the bytes of two versions"
            began, number = time.monotonic(), number + 1
            publish("a.bin", data_of(5000, str(number)))

    def test_an_unchanged_file_is_not_sent_again_or_sent_whole(self, transport: Transport, publish: Publish) -> None:
        data = data_of(5000)
        href = publish("a.bin", data)
        validator = read_info(transport, href).validator
        if validator is None:
            pytest.skip("this transport has no validators")
        try:
            with transport.stream(ReadRequest(href=href, unless=validator)) as stream:
                assert b"".join(bytes(chunk) for chunk in stream) == data
        except NotModifiedError:
            pass
        with transport.stream(ReadRequest(href=href, unless='"another version"')) as stream:
            assert b"".join(bytes(chunk) for chunk in stream) == data


def read(transport: Transport, href: str) -> bytes:
    """The whole file."""
    with transport.stream(ReadRequest(href=href)) as stream:
        return b"".join(bytes(chunk) for chunk in stream)


def read_info(transport: Transport, href: str) -> RemoteInfo:
    """The server's description of the file."""
    with transport.stream(ReadRequest(href=href)) as stream:
        for _ in stream:
            pass
        return stream.info


def _awaited(asked: AwaitedFile) -> SmallBody | None:
    """The file, when it has come; ``None`` where the answer is unusual."""
    found = None
    while found is None and not asked.unusual:
        select.select([asked], [], [], 10)
        found = asked.take()
    return found


def read_small(transport: SupportsReadSmall, href: str) -> bytes:
    """The whole file in one call, or as the stream that came instead."""
    found = transport.read_small(ReadRequest(href=href), 1000)
    if isinstance(found, SmallBody):
        return bytes(found.data)
    with found as stream:
        return b"".join(bytes(chunk) for chunk in stream)
