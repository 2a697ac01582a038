"""The contract of sinks. Subclass :class:`SinkContract`, give it a ``sink`` fixture, and run pytest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from splashdown.errors import ExistsError
from splashdown.model import Asset, Buffer, Content, IfExists, Part, Plan, StoredPart, Transfer
from splashdown.protocols import (
    Sink,
    SupportsList,
    SupportsRead,
    SupportsReadBack,
    SupportsResume,
    SupportsServerSideCopy,
    SupportsSpace,
    SupportsStat,
    SupportsUnfinished,
)
from splashdown.testing.fakes import FakeFile, FakeTransport, answers, cuts_after
from splashdown.testing.stores import data_of, part_size, parts_of, put, reusing, revived, store


class SinkContract:
    """What every sink does.

    A subclass has a fixture ``sink``: a fresh sink on an empty target. It overrides :meth:`fetch` where the sink
    cannot be read back, and :meth:`reopen` where the sink can go on with the upload of another process.
    """

    def fetch(self, sink: Sink, key: str) -> bytes | None:
        """The bytes of a committed object as others see them, ``None`` when there is none."""
        assert isinstance(sink, SupportsRead), "override fetch(): this sink has no read()"
        try:
            with sink.read(key) as chunks:
                return b"".join(bytes(chunk) for chunk in chunks)
        except FileNotFoundError:
            return None

    def reopen(self, sink: Sink) -> Sink:
        """Another sink on the same target, as a later process makes it; the same one where there is no other."""
        return sink

    def test_it_has_the_methods_of_a_sink(self, sink: Sink) -> None:
        assert isinstance(sink, Sink)

    def test_its_policy_can_be_followed(self, sink: Sink) -> None:
        policy = sink.parts
        assert policy.min_size >= 1
        assert policy.align >= 1
        assert policy.max_parts is None or policy.max_parts >= 1
        assert policy.max_size is None or policy.max_size >= part_size(policy)

    @pytest.mark.parametrize("size", [0, 1, 4096, 100_001])
    def test_an_object_has_the_bytes_that_were_put(self, sink: Sink, size: int) -> None:
        data = data_of(size)
        location = store(sink, "a.bin", data)
        assert isinstance(location, str)
        assert location
        assert self.fetch(sink, "a.bin") == data

    def test_an_object_of_unknown_size_is_stored_whole(self, sink: Sink) -> None:
        data = data_of(50_000)
        upload = sink.begin("a.bin", Content())
        tag = sink.put_part(upload, Part(number=1, start=0, stop=None), reusing(data))
        sink.commit(upload, [tag])
        assert self.fetch(sink, "a.bin") == data

    @pytest.mark.parametrize("key", ["deep/er/a.bin", "with space.tif", "ünï/çødé.json", "100%25 + #1?.txt", "a.b.c"])
    def test_keys_are_kept_as_they_are(self, sink: Sink, key: str) -> None:
        store(sink, key, b"x")
        assert self.fetch(sink, key) == b"x"

    def test_chunks_may_be_any_buffer(self, sink: Sink) -> None:
        upload = sink.begin("a.bin", Content(size=9))
        chunks: list[Buffer] = [b"abc", bytearray(b"def"), memoryview(b"xghix")[1:4]]
        sink.commit(upload, [sink.put_part(upload, Part(number=1, start=0, stop=9), iter(chunks))])
        assert self.fetch(sink, "a.bin") == b"abcdefghi"

    def test_nothing_is_visible_before_commit(self, sink: Sink) -> None:
        upload = sink.begin("a.bin", Content(size=5))
        assert self.fetch(sink, "a.bin") is None
        tag = put(sink, upload, Part(number=1, start=0, stop=5), b"hello")
        assert self.fetch(sink, "a.bin") is None
        if isinstance(sink, SupportsStat):
            assert sink.stat("a.bin") is None
        if isinstance(sink, SupportsList):
            assert list(sink.list()) == []
        sink.commit(upload, [tag])
        assert self.fetch(sink, "a.bin") == b"hello"

    def test_an_object_is_replaced_by_commit_and_not_before(self, sink: Sink) -> None:
        store(sink, "a.bin", b"old and longer")
        upload = sink.begin("a.bin", Content(size=3))
        tag = put(sink, upload, Part(number=1, start=0, stop=3), b"new")
        assert self.fetch(sink, "a.bin") == b"old and longer"
        sink.commit(upload, [tag])
        assert self.fetch(sink, "a.bin") == b"new"

    def test_an_object_that_may_not_be_replaced_is_kept(self, sink: Sink) -> None:
        store(sink, "a.bin", b"theirs")
        with pytest.raises(ExistsError):
            store(sink, "a.bin", b"mine", replace=False)
        assert self.fetch(sink, "a.bin") == b"theirs"
        store(sink, "b.bin", b"mine", replace=False)
        assert self.fetch(sink, "b.bin") == b"mine"

    def test_abort_leaves_nothing_and_can_be_repeated(self, sink: Sink) -> None:
        upload = sink.begin("a.bin", Content(size=5))
        put(sink, upload, Part(number=1, start=0, stop=5), b"hello")
        sink.abort(upload)
        sink.abort(upload)
        assert self.fetch(sink, "a.bin") is None
        sink.abort(sink.begin("b.bin", Content()))
        store(sink, "a.bin", b"again")
        assert self.fetch(sink, "a.bin") == b"again"

    def test_abort_keeps_what_was_there(self, sink: Sink) -> None:
        store(sink, "a.bin", b"old")
        upload = sink.begin("a.bin", Content(size=3))
        put(sink, upload, Part(number=1, start=0, stop=3), b"new")
        sink.abort(upload)
        assert self.fetch(sink, "a.bin") == b"old"

    def test_what_the_chunks_raise_comes_out_and_the_part_can_be_put_again(self, sink: Sink) -> None:
        data = data_of(4000)

        def breaks() -> Iterator[Buffer]:
            yield data[:1500]
            raise TimeoutError("the source went away")

        upload, part = sink.begin("a.bin", Content(size=4000)), Part(number=1, start=0, stop=4000)
        with pytest.raises(TimeoutError, match="went away"):
            sink.put_part(upload, part, breaks())
        sink.commit(upload, [put(sink, upload, part, data)])
        assert self.fetch(sink, "a.bin") == data

    def test_the_last_put_of_a_part_counts(self, sink: Sink) -> None:
        upload, part = sink.begin("a.bin", Content(size=5)), Part(number=1, start=0, stop=5)
        put(sink, upload, part, b"first")
        sink.commit(upload, [put(sink, upload, part, b"later")])
        assert self.fetch(sink, "a.bin") == b"later"

    def test_an_upload_is_json(self, sink: Sink) -> None:
        upload = sink.begin("a.bin", Content(size=1))
        assert upload.key == "a.bin"
        assert json.loads(json.dumps(dict(upload.token))) == dict(upload.token)
        assert all(isinstance(text, str) for pair in upload.token.items() for text in pair)
        upload = revived(upload)
        sink.commit(upload, [put(sink, upload, Part(number=1, start=0, stop=1), b"x")])
        assert self.fetch(sink, "a.bin") == b"x"

    def test_uploads_do_not_disturb_each_other(self, sink: Sink) -> None:
        part, size = Part(number=1, start=0, stop=3), Content(size=3)
        first, second, other = sink.begin("a.bin", size), sink.begin("a.bin", size), sink.begin("dir/a.bin", size)
        tags = [put(sink, first, part, b"one"), put(sink, second, part, b"two"), put(sink, other, part, b"ten")]
        sink.commit(first, tags[:1])
        late = sink.begin("late.bin", size)
        tags.append(put(sink, late, part, b"end"))
        sink.commit(other, tags[2:3])
        sink.commit(second, tags[1:2])
        sink.commit(late, tags[3:])
        assert self.fetch(sink, "a.bin") == b"two"
        assert self.fetch(sink, "dir/a.bin") == b"ten"
        assert self.fetch(sink, "late.bin") == b"end"

    def test_objects_can_be_stored_from_several_threads(self, sink: Sink) -> None:
        datas = {f"dir/{n}.bin": data_of(5000 + n, str(n)) for n in range(12)}
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda key: store(sink, key, datas[key]), datas))
        assert {key: self.fetch(sink, key) for key in datas} == datas

    def test_parts_may_come_in_any_order_and_again(self, sink: Sink) -> None:
        data, parts = self._in_parts(sink)
        upload = sink.begin("a.bin", Content(size=len(data)))
        tags = {part.number: put(sink, upload, part, data) for part in reversed(parts)}
        tags[1] = put(sink, upload, parts[0], data)
        sink.commit(upload, [tags[part.number] for part in parts])
        assert self.fetch(sink, "a.bin") == data

    def test_parts_may_come_from_several_threads(self, sink: Sink) -> None:
        data, parts = self._in_parts(sink)
        upload = sink.begin("a.bin", Content(size=len(data)))
        with ThreadPoolExecutor(3) as pool:
            tags = list(pool.map(lambda part: put(sink, upload, part, data), parts))
        sink.commit(upload, tags)
        assert self.fetch(sink, "a.bin") == data

    def test_stat_tells_size_and_absence(self, sink: Sink) -> None:
        if not isinstance(sink, SupportsStat):
            pytest.skip("this sink has no stat()")
        assert sink.stat("a.bin") is None
        assert sink.stat("no/such/folder/a.bin") is None
        store(sink, "a.bin", b"12345")
        stored = sink.stat("a.bin")
        assert stored is not None
        assert stored.size == 5

    def test_reading_what_is_not_there_is_a_file_not_found_error(self, sink: Sink) -> None:
        if not isinstance(sink, SupportsRead):
            pytest.skip("this sink has no read()")
        with pytest.raises(FileNotFoundError), sink.read("absent.bin") as chunks:
            list(chunks)

    def test_an_upload_is_read_back_in_the_order_of_its_bytes(self, sink: Sink) -> None:
        if not isinstance(sink, SupportsReadBack):
            pytest.skip("this sink has no read_back()")
        data, parts = self._in_parts(sink)
        upload = sink.begin("a.bin", Content(size=len(data)))
        for part in reversed(parts):
            put(sink, upload, part, data)
        with sink.read_back(upload) as chunks:
            assert b"".join(bytes(chunk) for chunk in chunks) == data
        sink.abort(upload)

    def test_objects_are_listed_and_deleted(self, sink: Sink) -> None:
        if not isinstance(sink, SupportsList):
            pytest.skip("this sink has no list() and delete()")
        for key in ("a.bin", "dir/b.bin", "dir/sub/c.bin"):
            store(sink, key, key.encode())
        assert sorted(sink.list()) == [("a.bin", 5), ("dir/b.bin", 9), ("dir/sub/c.bin", 13)]
        assert sorted(sink.list("dir/")) == [("dir/b.bin", 9), ("dir/sub/c.bin", 13)]
        sink.delete("dir/b.bin")
        sink.delete("dir/b.bin")
        sink.delete("nothing/here.bin")
        assert self.fetch(sink, "dir/b.bin") is None
        assert sorted(sink.list()) == [("a.bin", 5), ("dir/sub/c.bin", 13)]

    def test_an_interrupted_upload_goes_on_in_another_process(self, sink: Sink) -> None:
        if not isinstance(sink, SupportsResume):
            pytest.skip("this sink has no recover()")
        data, parts = self._in_parts(sink)
        upload = sink.begin("a.bin", Content(size=len(data)))
        stored = [StoredPart(part=part, tag=put(sink, upload, part, data)) for part in parts[:-1]]
        other, upload = self.reopen(sink), revived(upload)
        assert isinstance(other, SupportsResume)
        assert isinstance(other, Sink)
        assert list(other.recover(upload, stored)) == stored
        last = put(other, upload, parts[-1], data)
        other.commit(upload, [*(one.tag for one in stored), last])
        assert self.fetch(other, "a.bin") == data

    def test_an_upload_that_nobody_ends_is_listed_until_it_is_aborted(self, sink: Sink) -> None:
        if not isinstance(sink, SupportsUnfinished):
            pytest.skip("this sink has no unfinished()")
        assert list(sink.unfinished()) == []
        data, parts = self._in_parts(sink)
        upload = sink.begin("a.bin", Content(size=len(data)))
        put(sink, upload, parts[0], data)
        (found,) = self.reopen(sink).unfinished()  # type: ignore[attr-defined]
        assert found.size is None or found.size >= parts[0].stop
        sink.abort(revived(found.upload))
        assert list(sink.unfinished()) == []
        sink.abort(upload)

    def test_nothing_is_recovered_of_an_upload_that_is_gone(self, sink: Sink) -> None:
        if not isinstance(sink, SupportsResume):
            pytest.skip("this sink has no recover()")
        data, parts = self._in_parts(sink)
        upload = sink.begin("a.bin", Content(size=len(data)))
        stored = [StoredPart(part=parts[0], tag=put(sink, upload, parts[0], data))]
        sink.abort(upload)
        assert list(sink.recover(revived(upload), stored)) == []

    def test_a_copy_that_the_store_cannot_make_is_left_to_the_engine(self, sink: Sink) -> None:
        if not isinstance(sink, SupportsServerSideCopy):
            pytest.skip("this sink has no copy_from()")
        assert sink.copy_from("https://elsewhere.invalid/a.bin", "a.bin", Content(size=1)) is None
        assert self.fetch(sink, "a.bin") is None

    def test_free_space_is_a_number_or_unknown(self, sink: Sink) -> None:
        if not isinstance(sink, SupportsSpace):
            pytest.skip("this sink has no free_space()")
        free = sink.free_space()
        assert free is None or free >= 0

    def test_a_run_over_bad_lines_lands_every_file(self, sink: Sink) -> None:
        from splashdown._engine.run import run_plan
        from splashdown._engine.settings import RetryPolicy, Settings

        files = {
            "fake://host/a.bin": FakeFile(data=data_of(30_000, "a"), faults=[cuts_after(7000), answers(503)]),
            "fake://host/b.bin": FakeFile(data=data_of(30_000, "b"), ranges=False, faults=[cuts_after(7000)]),
            "fake://host/c.bin": FakeFile(data=b"", sized=False),
            "fake://host/d.bin": FakeFile(data=b"never", faults=[answers(403)] * 9),
        }
        transfers = tuple(
            Transfer(asset=Asset(key=href[-5:], href=href), name=f"run/{href[-5:]}", if_exists=IfExists.OVERWRITE)
            for href in files
        )
        transport = FakeTransport(files)
        report = run_plan(
            Plan(target="", transfers=transfers),
            sink=sink,
            transport=lambda href: transport,  # noqa: ARG005 - one serves all
            settings=Settings(retry=RetryPolicy(base=0)),
        )
        assert [(o.transfer.name, o.error) for o in report.failed if not o.transfer.name.endswith("d.bin")] == []
        landed = {name: self.fetch(sink, f"run/{name}") for name in ("a.bin", "b.bin", "c.bin", "d.bin")}
        assert landed == {
            "a.bin": data_of(30_000, "a"),
            "b.bin": data_of(30_000, "b"),
            "c.bin": b"",
            "d.bin": None,
        }

    @staticmethod
    def _in_parts(sink: Sink) -> tuple[bytes, list[Part]]:
        """Data of three parts, the last one short, as this sink wants them."""
        policy = sink.parts
        if policy.max_parts is not None and policy.max_parts < 3:
            pytest.skip("this sink takes an object in one part")
        data = data_of(2 * part_size(policy) + 321)
        return data, parts_of(len(data), policy)
