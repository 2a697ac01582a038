"""The contract of sinks. Subclass :class:`SinkContract`, give it a ``sink`` fixture, and run pytest."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from splashdown.errors import ExistsError, StoreError, TransferError
from splashdown.model import Asset, Buffer, Content, IfExists, Part, Plan, Transfer
from splashdown.protocols import Sink, SupportsBundle, SupportsList, SupportsStat, SupportsUnfinished
from splashdown.testing.fakes import FakeFile, FakeTransport, answers, cuts_after
from splashdown.testing.handles import left_open
from splashdown.testing.sink_abilities import SinkAbilities
from splashdown.testing.stores import data_of, in_parts, part_size, parts_of, put, reusing, revived, store


class SinkContract(SinkAbilities):
    """The behaviour of every sink.

    A subclass has a fixture ``sink``: a fresh sink on an empty target. It overrides :meth:`fetch` where the sink
    cannot be read back, and :meth:`reopen` where the sink can resume the upload of another process.
    """

    #: Whether a reader always finds the old object or the new one. ``False`` is for stores that cannot do better, such
    #: as WebDAV (a MOVE deletes what it replaces, RFC 4918, section 9.9.3): for a moment there may be nothing.
    replaces_in_one_step = True

    def test_it_has_the_methods_of_a_sink(self, sink: Sink) -> None:
        assert isinstance(sink, Sink)

    def test_its_policy_can_be_followed(self, sink: Sink) -> None:
        policy = sink.parts
        assert policy.min_size >= 1
        assert policy.align >= 1
        assert policy.max_parts is None or policy.max_parts >= 1
        assert policy.max_size is None or policy.max_size >= part_size(policy)

    @pytest.mark.parametrize("size", [0, 1, 4096, 100_001, 3_000_000])
    def test_an_object_has_the_bytes_that_were_put(self, sink: Sink, size: int) -> None:
        if sink.parts.max_size is not None and size > sink.parts.max_size:
            pytest.skip("parts of this sink are smaller")
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

    @pytest.mark.parametrize("key", ["deep/er/a.bin", "with space.tif", "ünï/çødé.json", "100%25 + #1?.txt", "A.b.C"])
    def test_keys_are_kept_as_they_are(self, sink: Sink, key: str) -> None:
        store(sink, key, b"x")
        assert self.fetch(sink, key) == b"x"
        if isinstance(sink, SupportsList):
            assert [found for found, _ in sink.list()] == [key]

    def test_chunks_may_be_any_buffer(self, sink: Sink) -> None:
        upload = sink.begin("a.bin", Content(size=9))
        chunks: list[Buffer] = [b"abc", b"", bytearray(b"def"), memoryview(b"xghix")[1:4]]
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

    def test_an_object_that_appeared_since_begin_is_kept_too(self, sink: Sink) -> None:
        upload = sink.begin("a.bin", Content(size=4, replace=False))
        tag = put(sink, upload, Part(number=1, start=0, stop=4), b"mine")
        store(sink, "a.bin", b"theirs")
        with pytest.raises(ExistsError):
            sink.commit(upload, [tag])
        sink.abort(upload)
        assert self.fetch(sink, "a.bin") == b"theirs"
        if isinstance(sink, SupportsUnfinished):
            assert list(sink.unfinished()) == []

    def test_readers_see_the_old_object_or_the_new_one(self, sink: Sink) -> None:
        if sink.parts.max_parts is not None and sink.parts.max_parts < 3:
            old, new, parts = data_of(40_000, "old"), data_of(50_000, "new"), None
        else:
            new, parts = in_parts(sink)
            old = new[::-1]
        store(sink, "a.bin", old, parts)
        seen: set[bytes | None] = set()
        done = threading.Event()

        def look() -> None:
            while not done.is_set():
                try:
                    seen.add(self.fetch(sink, "a.bin"))
                except StoreError:  # a store may answer so in the gap, if it has one
                    if self.replaces_in_one_step:
                        raise

        with ThreadPoolExecutor(1) as pool:
            looking = pool.submit(look)
            try:
                end = time.monotonic() + 2  # repeated to hit a possible gap; slow stores stop early
                for data in (new, old) * 4:
                    store(sink, "a.bin", data, parts)
                    if time.monotonic() > end:
                        break
            finally:
                done.set()
            looking.result()
        allowed = {old, new} if self.replaces_in_one_step else {old, new, None}
        assert not [len(other or b"") for other in seen - allowed], "bytes of neither were seen under the key"

    def test_abort_leaves_nothing_and_can_be_repeated(self, sink: Sink) -> None:
        upload = sink.begin("a.bin", Content(size=5))
        put(sink, upload, Part(number=1, start=0, stop=5), b"hello")
        sink.abort(upload)
        sink.abort(upload)
        assert self.fetch(sink, "a.bin") is None
        sink.abort(sink.begin("b.bin", Content()))
        store(sink, "a.bin", b"again")
        assert self.fetch(sink, "a.bin") == b"again"

    def test_an_upload_that_was_aborted_cannot_be_committed(self, sink: Sink) -> None:
        upload = sink.begin("a.bin", Content(size=5))
        tag = put(sink, upload, Part(number=1, start=0, stop=5), b"hello")
        sink.abort(upload)  # or another program has removed unfinished uploads
        with pytest.raises(TransferError):
            sink.commit(upload, [tag])
        assert self.fetch(sink, "a.bin") is None

    def test_abort_keeps_what_was_there(self, sink: Sink) -> None:
        store(sink, "a.bin", b"old")
        upload = sink.begin("a.bin", Content(size=3))
        put(sink, upload, Part(number=1, start=0, stop=3), b"new")
        sink.abort(upload)
        assert self.fetch(sink, "a.bin") == b"old"

    def test_an_exception_of_the_chunks_passes_and_the_part_can_be_put_again(self, sink: Sink) -> None:
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
        assert all(isinstance(each, str) for pair in upload.token.items() for each in pair)
        upload = revived(upload)
        tag = put(sink, upload, Part(number=1, start=0, stop=1), b"x")
        assert isinstance(tag, str), "tags are written into the journal"
        sink.commit(upload, [tag])
        assert self.fetch(sink, "a.bin") == b"x"

    def test_uploads_do_not_disturb_each_other(self, sink: Sink) -> None:
        part, size = Part(number=1, start=0, stop=3), Content(size=3)
        first, second, other = sink.begin("a.bin", size), sink.begin("a.bin", size), sink.begin("dir/a.bin", size)
        tags = [put(sink, first, part, b"one"), put(sink, second, part, b"two"), put(sink, other, part, b"ten")]
        locations = [sink.commit(first, tags[:1])]
        late = sink.begin("late.bin", size)
        tags.append(put(sink, late, part, b"end"))
        locations.append(sink.commit(other, tags[2:3]))
        sink.commit(second, tags[1:2])
        locations.append(sink.commit(late, tags[3:]))
        assert len(set(locations)) == 3, "a location leads to one object"
        assert self.fetch(sink, "a.bin") == b"two"
        assert self.fetch(sink, "dir/a.bin") == b"ten"
        assert self.fetch(sink, "late.bin") == b"end"

    def test_objects_can_be_stored_from_several_threads(self, sink: Sink) -> None:
        datas = {f"dir/{n}.bin": data_of(5000 + n, str(n)) for n in range(12)}
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda key: store(sink, key, datas[key]), datas))
        assert {key: self.fetch(sink, key) for key in datas} == datas

    def test_parts_may_come_in_any_order_and_again(self, sink: Sink) -> None:
        data, parts = in_parts(sink)
        upload = sink.begin("a.bin", Content(size=len(data)))
        tags = {part.number: put(sink, upload, part, data) for part in reversed(parts)}
        tags[1] = put(sink, upload, parts[0], data)
        sink.commit(upload, [tags[part.number] for part in parts])
        assert self.fetch(sink, "a.bin") == data

    def test_parts_are_put_together_in_the_order_of_their_numbers(self, sink: Sink) -> None:
        count = min(sink.parts.max_parts or 11, 11)  # as strings, 10 sorts before 2
        if count * part_size(sink.parts) > 2**27:
            pytest.skip("parts of this sink are too large to store many of them in a test")
        data = data_of((count - 1) * part_size(sink.parts) + 99)
        store(sink, "a.bin", data, parts_of(len(data), sink.parts))
        assert self.fetch(sink, "a.bin") == data

    def test_parts_may_come_from_several_threads(self, sink: Sink) -> None:
        data, parts = in_parts(sink)
        upload = sink.begin("a.bin", Content(size=len(data)))
        with ThreadPoolExecutor(3) as pool:
            tags = list(pool.map(lambda part: put(sink, upload, part, data), parts))
        sink.commit(upload, tags)
        assert self.fetch(sink, "a.bin") == data

    def test_a_run_over_bad_lines_lands_every_file(self, sink: Sink) -> None:
        from splashdown._engine.remote import Remote
        from splashdown._engine.run import Run, run_plan
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
            Run(plan=Plan(target="", transfers=transfers), sink=sink),
            Remote(
                transport=lambda href: transport,  # noqa: ARG005 - one serves all
                settings=Settings(retry=RetryPolicy(base=0)),
            ),
        )
        assert [(o.transfer.name, o.error) for o in report.failed if not o.transfer.name.endswith("d.bin")] == []
        if isinstance(sink, SupportsBundle):
            assert not report.landed, "of a bundle in which a file is missing nothing is left"
            return
        landed = {name: self.fetch(sink, f"run/{name}") for name in ("a.bin", "b.bin", "c.bin", "d.bin")}
        assert landed == {
            "a.bin": data_of(30_000, "a"),
            "b.bin": data_of(30_000, "b"),
            "c.bin": b"",
            "d.bin": None,
        }

    def test_closing_keeps_stored_objects(self, sink: Sink) -> None:
        other = self.reopen(sink)
        if other is sink:
            pytest.skip("override reopen() to look at the target once the sink is closed")
        store(sink, "a.bin", b"hello")
        sink.close()
        sink.close()
        assert self.fetch(other, "a.bin") == b"hello"

    def test_nothing_stays_open(self, sink: Sink) -> None:
        part = Part(number=1, start=0, stop=4000)

        def breaks() -> Iterator[Buffer]:
            yield b"some"
            raise TimeoutError

        def work() -> None:
            store(sink, "a.bin", b"hello")
            upload = sink.begin("b.bin", Content(size=4000))
            with pytest.raises(TimeoutError):
                sink.put_part(upload, part, breaks())
            sink.abort(upload)

        assert left_open(work) == 0, "files or connections that stay open with each upload"
