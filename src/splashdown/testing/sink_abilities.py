"""The contract of the optional abilities of sinks: every ``Supports...`` protocol."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from splashdown.checksums import hash_of
from splashdown.errors import ExistsError, StoreError
from splashdown.model import Content, StoredPart
from splashdown.protocols import (
    Sink,
    SupportsBundle,
    SupportsCompare,
    SupportsDuplicate,
    SupportsList,
    SupportsPutWhole,
    SupportsRead,
    SupportsReadBack,
    SupportsResume,
    SupportsServerSideCopy,
    SupportsSpace,
    SupportsStat,
    SupportsStatAll,
    SupportsUnfinished,
    SupportsVersion,
)
from splashdown.testing.stores import data_of, in_parts, put, revived, store


class SinkAbilities:
    """The behaviour of optional abilities; tests of absent ones are skipped.

    A subclass may override :meth:`fetch` and :meth:`reopen`.
    """

    def fetch(self, sink: Sink, key: str) -> bytes | None:
        """The bytes of a committed object as other programs see them, ``None`` if it does not exist."""
        assert isinstance(sink, SupportsRead), "override fetch(): this sink has no read()"
        try:
            with sink.read(key) as chunks:
                return b"".join(bytes(chunk) for chunk in chunks)
        except FileNotFoundError:
            return None

    def reopen(self, sink: Sink) -> Sink:
        """A new sink on the same target, as in a later process; the same sink where that is impossible."""
        return sink

    def test_a_bundle_is_not_finished_without_what_it_expects(self, sink: Sink) -> None:
        if not isinstance(sink, SupportsBundle):
            pytest.skip("this sink has no expect() and finish()")
        sink.expect(["a.bin", "b.bin"], replace=True)
        store(sink, "b.bin", b"b")
        with pytest.raises(StoreError):
            sink.finish()
        store(sink, "a.bin", b"a")
        store(sink, "receipt.json", b"{}")
        sink.finish()

    def test_a_bundle_is_not_finished_without_an_object_that_was_given_up(self, sink: Sink) -> None:
        if not isinstance(sink, SupportsBundle):
            pytest.skip("this sink has no expect() and finish()")
        sink.expect(["a.bin"], replace=True)
        store(sink, "a.bin", b"a")
        sink.abort(sink.begin("receipt.json", Content()))
        with pytest.raises(StoreError):
            sink.finish()

    def test_stat_reports_size_and_absence(self, sink: Sink) -> None:
        if not isinstance(sink, SupportsStat):
            pytest.skip("this sink has no stat()")
        assert sink.stat("a.bin") is None
        assert sink.stat("no/such/folder/a.bin") is None
        store(sink, "a.bin", b"12345")
        stored = sink.stat("a.bin")
        assert stored is not None
        assert stored.size == 5
        if stored.checksum is not None:
            assert hash_of([b"12345"], like=stored.checksum) in {None, stored.checksum}, "a checksum of other bytes"

    def test_one_listing_says_what_single_looks_say(self, sink: Sink) -> None:
        if not isinstance(sink, SupportsStatAll) or not isinstance(sink, SupportsStat):
            pytest.skip("this sink has no stat_all()")
        assert list(sink.stat_all()) == []
        for key in ("a.bin", "dir/b.bin", "dir/sub/c.bin", "dirt.bin"):
            store(sink, key, key.encode())
        listed = dict(sink.stat_all())
        assert sorted(listed) == ["a.bin", "dir/b.bin", "dir/sub/c.bin", "dirt.bin"]
        for key, found in listed.items():
            looked = sink.stat(key)
            assert looked is not None
            assert (found.size, found.location, found.version) == (looked.size, looked.location, looked.version)
            assert found.checksum in {looked.checksum, None}

    def test_a_version_changes_with_the_bytes(self, sink: Sink) -> None:
        if not isinstance(sink, SupportsStat):
            pytest.skip("this sink has no stat()")
        seen = set()
        for data in (b"12345", b"54321"):
            store(sink, "a.bin", data)
            at_once = sink.version("a.bin") if isinstance(sink, SupportsVersion) else None
            found = sink.stat("a.bin")
            assert found is not None
            if found.version is None:
                pytest.skip("this sink has no versions")
            assert at_once in {None, found.version}
            seen.add(found.version)
            if isinstance(sink, SupportsVersion):
                assert at_once is not None, "a sink without a version of small objects needs no version()"
        # The clock of a store may count seconds; a sink that knows the version at once knows what was stored.
        assert len(seen) == 2 or not isinstance(sink, SupportsVersion)

    @pytest.mark.parametrize("size", [0, 1, 100_000])
    def test_a_small_object_is_stored_in_one_call(self, sink: Sink, size: int) -> None:
        if not isinstance(sink, SupportsPutWhole):
            pytest.skip("this sink has no put_whole()")
        data = data_of(size)
        buffer = bytearray(data)
        location = sink.put_whole("dir/a.bin", Content(size=size), memoryview(buffer))
        buffer[:] = bytes(size)  # a sink that keeps the buffer instead of its bytes fails
        assert self.fetch(sink, "dir/a.bin") == data
        assert location == store(sink, "dir/a.bin", b"the general way")
        sink.put_whole("dir/a.bin", Content(), b"replaced")
        assert self.fetch(sink, "dir/a.bin") == b"replaced"
        if isinstance(sink, SupportsUnfinished):
            assert list(sink.unfinished()) == []

    def test_a_small_object_replaces_nothing_where_it_must_not(self, sink: Sink) -> None:
        if not isinstance(sink, SupportsPutWhole):
            pytest.skip("this sink has no put_whole()")
        new = Content(size=3, replace=False)
        sink.put_whole("a.bin", new, b"one")
        with pytest.raises(ExistsError):
            sink.put_whole("a.bin", new, b"two")
        assert self.fetch(sink, "a.bin") == b"one"
        if isinstance(sink, SupportsUnfinished):
            assert list(sink.unfinished()) == [], "a failure leaves nothing"

    def test_small_objects_can_be_stored_from_several_threads(self, sink: Sink) -> None:
        if not isinstance(sink, SupportsPutWhole):
            pytest.skip("this sink has no put_whole()")
        datas = {f"dir/{n}.bin": data_of(5000 + n, str(n)) for n in range(24)}
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda key: sink.put_whole(key, Content(), datas[key]), datas))
        assert {key: self.fetch(sink, key) for key in datas} == datas

    def test_reading_an_absent_object_is_a_file_not_found_error(self, sink: Sink) -> None:
        if not isinstance(sink, SupportsRead):
            pytest.skip("this sink has no read()")
        with pytest.raises(FileNotFoundError), sink.read("absent.bin") as chunks:
            list(chunks)

    def test_an_upload_is_read_back_in_the_order_of_its_bytes(self, sink: Sink) -> None:
        if not isinstance(sink, SupportsReadBack):
            pytest.skip("this sink has no read_back()")
        data, parts = in_parts(sink)
        upload = sink.begin("a.bin", Content(size=len(data)))
        for part in reversed(parts):
            put(sink, upload, part, data)
        with sink.read_back(upload) as chunks:
            assert b"".join(bytes(chunk) for chunk in chunks) == data
        step = parts[0].stop or 0
        for start, stop in ((0, 10), (step - 3, step + 3), (step + 7, None)):
            with sink.read_back(upload, start, stop) as chunks:
                assert b"".join(bytes(chunk) for chunk in chunks) == data[start:stop]
        sink.abort(upload)

    def test_objects_are_listed_and_deleted(self, sink: Sink) -> None:
        if not isinstance(sink, SupportsList):
            pytest.skip("this sink has no list() and delete()")
        for key in ("a.bin", "dir/b.bin", "dir/sub/c.bin", "dirt.bin"):
            store(sink, key, key.encode())
        assert sorted(sink.list()) == [("a.bin", 5), ("dir/b.bin", 9), ("dir/sub/c.bin", 13), ("dirt.bin", 8)]
        assert sorted(sink.list("dir/")) == [("dir/b.bin", 9), ("dir/sub/c.bin", 13)]
        sink.delete("dir/b.bin")
        sink.delete("dir/b.bin")
        sink.delete("nothing/here.bin")
        assert self.fetch(sink, "dir/b.bin") is None
        assert sorted(sink.list()) == [("a.bin", 5), ("dir/sub/c.bin", 13), ("dirt.bin", 8)]

    def test_an_interrupted_upload_goes_on_in_another_process(self, sink: Sink) -> None:
        if not isinstance(sink, SupportsResume):
            pytest.skip("this sink has no recover()")
        data, parts = in_parts(sink)
        upload = sink.begin("a.bin", Content(size=len(data)))
        stored = [StoredPart(part=part, tag=put(sink, upload, part, data)) for part in parts[:-1]]
        other, upload = self.reopen(sink), revived(upload)
        if other is not sink:
            sink.close()
        assert isinstance(other, SupportsResume)
        assert isinstance(other, Sink)
        assert list(other.recover(upload, stored)) == stored
        last = put(other, upload, parts[-1], data)
        other.commit(upload, [*(one.tag for one in stored), last])
        assert self.fetch(other, "a.bin") == data

    def test_an_upload_left_open_is_listed_until_it_is_aborted(self, sink: Sink) -> None:
        if not isinstance(sink, SupportsUnfinished):
            pytest.skip("this sink has no unfinished()")
        assert list(sink.unfinished()) == []
        data, parts = in_parts(sink)
        upload = sink.begin("a.bin", Content(size=len(data)))
        put(sink, upload, parts[0], data)
        (found,) = self.reopen(sink).unfinished()  # type: ignore[attr-defined]
        assert found.size is None or found.size >= parts[0].stop
        sink.abort(revived(found.upload))
        assert list(sink.unfinished()) == []
        sink.abort(upload)
        store(sink, "a.bin", data, parts)
        assert list(sink.unfinished()) == [], "a committed upload is not unfinished"

    def test_nothing_is_recovered_of_an_upload_that_is_gone(self, sink: Sink) -> None:
        if not isinstance(sink, SupportsResume):
            pytest.skip("this sink has no recover()")
        data, parts = in_parts(sink)
        upload = sink.begin("a.bin", Content(size=len(data)))
        stored = [StoredPart(part=parts[0], tag=put(sink, upload, parts[0], data))]
        sink.abort(upload)
        assert list(sink.recover(revived(upload), stored)) == []

    def test_a_stored_part_is_compared_by_its_bytes(self, sink: Sink) -> None:
        if not isinstance(sink, SupportsCompare):
            pytest.skip("this sink has no holds()")
        data, parts = in_parts(sink)
        upload = sink.begin("a.bin", Content(size=len(data)))
        part = parts[0]
        stored = StoredPart(part=part, tag=put(sink, upload, part, data))
        mine = data[part.start : part.stop]
        assert sink.holds(upload, stored, mine) is True
        assert sink.holds(upload, stored, mine[:-1] + bytes([mine[-1] ^ 1])) is False
        assert sink.holds(upload, stored, mine[:-1]) is False
        sink.abort(upload)

    def test_a_copy_that_the_store_cannot_make_is_left_to_the_engine(self, sink: Sink) -> None:
        if not isinstance(sink, SupportsServerSideCopy):
            pytest.skip("this sink has no copy_from()")
        assert sink.copy_source("https://elsewhere.invalid/a.bin") is None
        assert sink.copy_from("https://elsewhere.invalid/a.bin", "a.bin", Content(size=1)) is None
        assert self.fetch(sink, "a.bin") is None

    def test_a_second_key_of_an_object_is_independent_of_the_first(self, sink: Sink) -> None:
        if not isinstance(sink, SupportsDuplicate):
            pytest.skip("this sink has no duplicate()")
        location = store(sink, "dir/b.bin", b"old")
        store(sink, "a.bin", b"12345")
        made = sink.duplicate("a.bin", "dir/b.bin", Content(size=5))
        if made is None:
            pytest.skip("this store makes no copies")
        assert (made.size, made.location) == (5, location)
        store(sink, "a.bin", b"replaced")
        assert self.fetch(sink, "dir/b.bin") == b"12345"
        with pytest.raises(ExistsError):
            sink.duplicate("a.bin", "dir/b.bin", Content(size=8, replace=False))
        assert self.fetch(sink, "dir/b.bin") == b"12345"
        if isinstance(sink, SupportsUnfinished):
            assert list(sink.unfinished()) == []

    def test_free_space_is_a_number_or_unknown(self, sink: Sink) -> None:
        if not isinstance(sink, SupportsSpace):
            pytest.skip("this sink has no free_space()")
        free = sink.free_space()
        assert free is None or free >= 0
