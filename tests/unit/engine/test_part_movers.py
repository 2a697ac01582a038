"""Large files: several parts, several connections, sinks that need parts whole."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scripted import DATA, SMALL, Body, ScriptedTransport, Store, cut, plan_of, raising, remote_of, sha256

from splashdown._engine import inplace
from splashdown._engine.run import Run, run_plan
from splashdown._engine.settings import RetryPolicy
from splashdown.builtins.local import LocalSink
from splashdown.errors import HttpStatusError, StoreError
from splashdown.model import PartPolicy, Status


@pytest.fixture(autouse=True)
def eager_connections(monkeypatch):
    monkeypatch.setattr(inplace, "_WATCH_SECONDS", 0.0)
    monkeypatch.setattr(inplace, "_WAITING", 0.0)


def slowly(settings):
    return replace(settings, range_speed=10**15)


def run(body, sink, settings=SMALL, chunk=300, **asset):
    bodies = {"http://h/a.bin": body}
    transport = ScriptedTransport(bodies, chunk)
    report = run_plan(Run(plan=plan_of(bodies, **asset), sink=sink), remote_of(transport, settings))
    assert transport.open == 0
    return report.outcomes[0], transport


def test_a_fast_connection_stays_the_only_one(tmp_path):
    outcome, transport = run(Body(DATA), LocalSink(tmp_path), replace(SMALL, range_speed=1))
    assert outcome.checksum == sha256(DATA)
    assert len(transport.requests) == 1


def test_a_slow_connection_is_joined_by_others(tmp_path):
    outcome, transport = run(Body(DATA), LocalSink(tmp_path), slowly(SMALL))
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert outcome.checksum == sha256(DATA)
    assert outcome.verified == ("length",)
    assert len(transport.requests) > 5
    assert all(r.pinned.etag == '"v1"' for r in transport.requests[1:])


@pytest.mark.parametrize("body", [Body(DATA, etag=None), Body(DATA, ranges=False), Body(DATA, sized=False)])
def test_what_cannot_be_pinned_is_read_in_one_go(tmp_path, body):
    outcome, transport = run(body, LocalSink(tmp_path), slowly(SMALL))
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert outcome.checksum == sha256(DATA)
    assert len(transport.requests) == 1


def test_connections_repair_their_own_breaks(tmp_path):
    faults = [cut(700), None, cut(100), raising(HttpStatusError("busy", status=503)), None, cut(0)]
    outcome, _ = run(Body(DATA, faults=list(faults)), LocalSink(tmp_path), slowly(SMALL))
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert outcome.checksum == sha256(DATA)


def test_a_connection_that_fails_for_good_fails_the_file_without_a_trace(tmp_path):
    def forbid(request):
        if request.start:
            raise HttpStatusError("forbidden", status=400)

    sink = LocalSink(tmp_path)
    outcome, _ = run(Body(DATA, faults=[forbid] * 90), sink, slowly(replace(SMALL, resume=False)))
    sink.close()
    assert outcome.error_type == "HttpStatusError"
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_changes_between_ranges_is_read_again(tmp_path):
    body = Body(DATA)
    seen = []

    def change(request):
        seen.append(request)
        if len(seen) == 4:
            body.data, body.etag = DATA[::-1], '"v2"'

    body.faults = [change] * 200
    outcome, _ = run(body, LocalSink(tmp_path), slowly(SMALL))
    assert (tmp_path / "a.bin").read_bytes() == DATA[::-1]
    assert outcome.checksum == sha256(DATA[::-1])


def test_a_damaged_body_is_read_again_once_and_then_refused(tmp_path):
    body = Body(DATA[::-1])
    outcome, transport = run(body, LocalSink(tmp_path), replace(SMALL, range_speed=1), checksum=sha256(DATA))
    assert outcome.error_type == "ChecksumError"
    assert len(transport.requests) == 2
    assert not (tmp_path / "a.bin").exists()


def test_a_store_gets_whole_parts_and_several_at_a_time():
    sink = Store(together=2)
    outcome, transport = run(Body(DATA), sink, replace(SMALL, range_cutoff=10**9), checksum=sha256(DATA))
    assert sink.objects["a.bin"] == DATA
    assert outcome.verified == ("length", "checksum")
    assert sink.most_busy > 1
    assert len(transport.requests) == 1


def test_a_store_is_fed_from_several_connections_above_the_cutoff():
    sink = Store(slow=0.005)
    outcome, transport = run(Body(DATA), sink, checksum=sha256(DATA))
    assert sink.objects["a.bin"] == DATA
    assert outcome.checksum == sha256(DATA)
    assert len(transport.requests) > 4


def test_a_stream_without_length_is_cut_into_parts():
    for size in (0, 1, 999, 1000, 1001, 60_500):
        sink = Store()
        outcome, _ = run(Body(DATA[:size], sized=False, ranges=False), sink)
        assert sink.objects["a.bin"] == DATA[:size]
        assert outcome.checksum == sha256(DATA[:size])
        assert outcome.verified == ()


def test_an_unbuffered_sink_with_a_largest_part_gets_a_stream_without_length_in_pieces():
    class Pieces(Store):
        def put_part(self, upload, part, chunks):
            return super().put_part(upload, replace(part, stop=None), [b"".join(chunks)])

    class Loose(Pieces):
        def put_part(self, upload, part, chunks):
            data = b"".join(chunks)
            assert part.stop is None
            assert len(data) <= 1000
            self.uploads[upload.token["id"]][part.number] = data
            return f"tag{part.number}"

    for size in (0, 1000, 2500, 3000):
        sink = Loose(PartPolicy(max_size=1000))
        outcome, _ = run(Body(DATA[:size], sized=False, ranges=False), sink)
        assert sink.objects["a.bin"] == DATA[:size]
        assert outcome.checksum == sha256(DATA[:size])


def test_a_part_that_the_store_refuses_for_now_is_put_again_without_reading_it_again():
    class BusyError(StoreError):
        retryable = True

    sink = Store(faults=[BusyError("slow down"), BusyError("slow down")])
    outcome, _ = run(Body(DATA), sink, replace(SMALL, range_cutoff=10**9))
    assert sink.objects["a.bin"] == DATA
    assert outcome.bytes_moved == len(DATA)


def test_a_store_that_refuses_for_good_fails_the_file_and_is_cleaned():
    sink = Store(faults=[None, StoreError("denied")])
    outcome, _ = run(Body(DATA), sink)
    assert outcome.error_type == "StoreError"
    assert outcome.status is Status.FAILED
    assert sink.uploads == {}


def test_a_part_that_fails_while_the_others_hold_all_memory_ends_the_file():
    class Refusing(Store):
        """Refuses the first part once the second is stored, which waits in memory to be hashed after the first."""

        def put_part(self, upload, part, chunks):
            if part.number == 1:
                assert second.wait(60)
                raise StoreError("denied")
            tag = super().put_part(upload, part, chunks)
            second.set()
            return tag

    second = threading.Event()
    sink = Refusing()
    outcome, _ = run(Body(DATA), sink, replace(SMALL, memory=2000))
    assert (outcome.error_type, sink.uploads) == ("StoreError", {})


def test_buffers_stay_within_the_memory_budget(monkeypatch):
    from splashdown._engine import memory_budget

    most = []
    take = memory_budget.MemoryBudget.take

    def watched(self, size, stop):
        result = take(self, size, stop)
        most.append(self._taken)
        return result

    monkeypatch.setattr(memory_budget.MemoryBudget, "take", watched)
    run(Body(DATA), Store(slow=0.002), replace(SMALL, memory=3000))
    assert max(most) <= 3000
    assert most


@hypothesis_settings(max_examples=40)
@given(
    size=st.integers(0, 20_000),
    chunk=st.integers(1, 3000),
    cuts=st.lists(st.integers(0, 4000), max_size=6),
    buffered=st.booleans(),
    connections=st.integers(1, 5),
)
def test_whatever_breaks_the_bytes_are_right(tmp_path_factory, *, size, chunk, cuts, buffered, connections):
    data = DATA[:size]
    sink = Store() if buffered else LocalSink(tmp_path_factory.mktemp("t"))
    settings = slowly(replace(SMALL, range_connections=connections, retry=RetryPolicy(base=0.0, attempts=20)))
    outcome, _ = run(Body(data, faults=[cut(n) for n in cuts]), sink, settings, chunk)
    assert outcome.error == ""
    assert outcome.checksum == sha256(data)
    stored = sink.objects["a.bin"] if buffered else (sink.root / "a.bin").read_bytes()
    assert stored == data
