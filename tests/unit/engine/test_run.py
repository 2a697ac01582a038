"""Runs of the engine over a transport without a network."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import stat
import threading
import time
from dataclasses import replace

import pytest
from scripted import Body, ScriptedTransport, cut, fine, plan_of, raising, remote_of

from splashdown._engine import renew
from splashdown._engine.context import Forgetful
from splashdown._engine.run import Run, run_plan
from splashdown._engine.settings import RetryPolicy, Settings
from splashdown.builtins.local import LocalSink
from splashdown.builtins.memory import MemorySink
from splashdown.errors import HttpStatusError, LinkExpiredError, RangeNotServedError
from splashdown.events import Progress, Retried, RunFinished, RunStarted, TransferFinished, TransferStarted
from splashdown.model import Asset, IfExists, PartPolicy, Plan, Status, StoredRecord, Transfer

FAST = Settings(retry=RetryPolicy(base=0.0, refill=1000))
DATA = bytes(range(256)) * 40


def sha256(data: bytes) -> str:
    return "1220" + hashlib.sha256(data).hexdigest()


class Blind:
    """A sink with the five methods and no more."""

    parts = PartPolicy()

    def __init__(self, store):
        self.store, sink = store, MemorySink(store)
        self.begin, self.put_part, self.commit = sink.begin, sink.put_part, sink.commit
        self.abort, self.close = sink.abort, sink.close


def run(bodies, sink, plan=None, settings=FAST, *, refresh=None, expires=None, **more):
    transport = ScriptedTransport(bodies)
    remote = remote_of(transport, settings, refresh=refresh, expires=expires)
    report = run_plan(Run(plan=plan or plan_of(bodies), sink=sink, **more), remote)
    assert transport.open == 0, "a stream was left open"
    return report, transport


def test_files_land_with_their_checksum_and_nothing_else_is_left(tmp_path):
    bodies = {f"http://h/{n}.bin": Body(DATA[: n * 700]) for n in range(12)}
    sink = LocalSink(tmp_path)
    report, _ = run(bodies, sink)
    sink.close()
    assert report.ok
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {h[9:]: b.data for h, b in bodies.items()}
    assert [o.checksum for o in report.outcomes] == [sha256(b.data) for b in bodies.values()]
    assert [o.transfer for o in report.outcomes] == list(report.plan.transfers)
    assert report.outcomes[3].verified == ("length",)


def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path):
    old = os.umask(0o027)
    try:
        run({"http://h/a": Body(DATA)}, LocalSink(tmp_path))
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_a_body_cut_in_the_middle_goes_on_where_it_broke():
    bodies = {"http://h/a": Body(DATA, faults=[cut(2500), cut(1500)])}
    sink = MemorySink()
    report, transport = run(bodies, sink)
    assert sink.store["a"] == DATA
    assert [r.start for r in transport.requests] == [0, 2500, 4000]
    assert transport.requests[1].pinned.etag == '"v1"'
    assert report.outcomes[0].attempts == 3
    assert report.outcomes[0].bytes_moved == len(DATA)


def test_a_cut_body_without_ranges_starts_again_from_zero():
    bodies = {"http://h/a": Body(DATA, ranges=False, faults=[cut(2500)])}
    sink = MemorySink()
    report, transport = run(bodies, sink)
    assert sink.store["a"] == DATA
    assert [r.start for r in transport.requests] == [0, 0]
    assert report.outcomes[0].bytes_moved == len(DATA) + 2500


def test_a_cut_body_without_a_validator_starts_again_from_zero():
    bodies = {"http://h/a": Body(DATA, etag=None, faults=[cut(2500)])}
    sink = MemorySink()
    _, transport = run(bodies, sink)
    assert sink.store["a"] == DATA
    assert [r.start for r in transport.requests] == [0, 0]


def test_a_server_that_always_cuts_at_the_same_place_is_given_up():
    bodies = {"http://h/a": Body(DATA, ranges=False, faults=[cut(5000)] * 50)}
    sink = MemorySink()
    report, transport = run(bodies, sink)
    (outcome,) = report.outcomes
    assert outcome.status is Status.FAILED
    assert outcome.error_type == "TruncatedError"
    assert sink.store == {}
    assert len(transport.requests) <= 2 * FAST.retry.attempts


def test_progress_refills_the_budget():
    bodies = {"http://h/a": Body(DATA, faults=[cut(1000)] * 10)}
    sink = MemorySink()
    report, transport = run(bodies, sink)
    assert report.ok
    assert len(transport.requests) == 11
    assert sink.store["a"] == DATA


def test_a_file_that_changes_while_it_is_read_is_read_again_once():
    body = Body(DATA)

    def change(request):
        body.data, body.etag = DATA[::-1], '"v2"'

    body.faults = [cut(2500), change]
    sink = MemorySink()
    report, _ = run({"http://h/a": body}, sink)
    assert report.ok
    assert sink.store["a"] == DATA[::-1]


def test_a_file_that_keeps_changing_fails():
    body = Body(DATA)
    versions = iter(range(100))

    def change(request):
        body.etag = f'"{next(versions)}"'
        return 2500

    body.faults = [change] * 20
    report, _ = run({"http://h/a": body}, MemorySink())
    # Replicas may have ETags of their own, so in the end it is read in one answer, and each of these breaks off.
    assert report.outcomes[0].error_type == "TruncatedError"


def test_ranges_that_are_refused_after_all_mean_one_plain_read():
    body = Body(DATA, faults=[cut(2500), raising(RangeNotServedError("wrong range")), fine])
    sink = MemorySink()
    report, transport = run({"http://h/a": body}, sink)
    assert report.ok
    assert [r.start for r in transport.requests] == [0, 2500, 0]
    assert sink.store["a"] == DATA


@pytest.mark.parametrize("status", [400, 404, 405])
def test_client_errors_are_final(status):
    body = Body(DATA, faults=[raising(HttpStatusError("no", status=status))] * 9)
    report, transport = run({"http://h/a": body}, MemorySink())
    assert report.outcomes[0].error_type == "HttpStatusError"
    assert len(transport.requests) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_server_errors_are_retried(status):
    body = Body(DATA, faults=[raising(HttpStatusError("no", status=status))] * 3)
    report, transport = run({"http://h/a": body}, MemorySink())
    assert report.ok
    assert len(transport.requests) == 4


def test_a_retry_after_that_is_too_long_is_not_waited_for():
    body = Body(DATA, faults=[raising(HttpStatusError("no", status=429, retry_after=3600.0))])
    report, _ = run({"http://h/a": body}, MemorySink())
    assert report.outcomes[0].error_type == "HttpStatusError"


def test_one_failure_leaves_the_others_alone():
    bodies = {f"http://h/{n}": Body(DATA) for n in range(5)}
    bodies["http://h/2"].faults = [raising(HttpStatusError("gone", status=404))]
    sink = MemorySink()
    report, _ = run(bodies, sink)
    assert [o.status for o in report.outcomes] == [Status.STORED] * 2 + [Status.FAILED] + [Status.STORED] * 2
    assert sorted(sink.store) == ["0", "1", "3", "4"]


def test_fail_fast_stops_the_run_and_names_what_was_not_tried():
    bodies = {f"http://h/{n}": Body(DATA) for n in range(50)}
    bodies["http://h/0"].faults = [raising(HttpStatusError("gone", status=404))]
    report, _ = run(bodies, MemorySink(), settings=replace(FAST, fail_fast=True, jobs=1))
    assert len(report.failed) == 1
    assert len(report.not_tried) == 49
    assert not report.ok
    assert report.outcomes[0].error_type == "HttpStatusError"
    assert "not tried" in report.outcomes[49].error


def test_metadata_that_disagrees_with_the_bytes_keeps_the_old_file(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    bodies = {"http://h/a": Body(DATA)}
    plan = plan_of(bodies, checksum=sha256(b"other"))
    plan = replace(plan, transfers=(replace(plan.transfers[0], if_exists=IfExists.OVERWRITE),))
    sink = LocalSink(tmp_path)
    report, _ = run(bodies, sink, plan)
    sink.close()
    assert report.outcomes[0].error_type == "ChecksumError"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_a_wrong_file_size_fails_before_the_body():
    bodies = {"http://h/a": Body(DATA)}
    report, _ = run(bodies, MemorySink(), plan_of(bodies, size=5))
    assert report.outcomes[0].error_type == "ChecksumError"
    assert report.outcomes[0].bytes_moved == 0


def test_size_and_checksum_that_hold_are_reported_as_verified():
    bodies = {"http://h/a": Body(DATA)}
    report, _ = run(bodies, MemorySink(), plan_of(bodies, size=len(DATA), checksum=sha256(DATA)))
    assert report.outcomes[0].verified == ("length", "size", "checksum")


def test_what_was_not_promised_is_reported_as_unverified():
    bodies = {"http://h/a": Body(DATA, sized=False, ranges=False)}
    report, _ = run(bodies, MemorySink())
    assert report.outcomes[0].verified == ()
    assert report.outcomes[0].size == len(DATA)


def test_an_expired_link_is_renewed_once_for_all(tmp_path):
    gone = raising(HttpStatusError("expired", status=403))
    bodies = {f"http://h/old/{n}": Body(DATA, faults=[gone] * 99) for n in range(20)}
    bodies |= {f"http://h/new/{n}": Body(DATA) for n in range(20)}
    calls = []

    def refresh():
        calls.append(1)
        return {(None, str(n)): Asset(key=str(n), href=f"http://h/new/{n}") for n in range(20)}

    plan = plan_of({h: b for h, b in bodies.items() if "old" in h})
    report, _ = run(bodies, MemorySink(), plan, refresh=refresh)
    assert report.ok
    assert len(calls) == 1


def test_links_past_the_time_that_the_source_gave_them_are_renewed_before_they_are_used():
    bodies = {f"http://h/old/{n}": Body(DATA) for n in range(6)} | {f"http://h/new/{n}": Body(DATA) for n in range(6)}
    calls = []

    def refresh():
        calls.append(1)
        return {(None, str(n)): Asset(key=str(n), href=f"http://h/new/{n}") for n in range(6)}

    plan = plan_of({h: b for h, b in bodies.items() if "old" in h})
    report, transport = run(bodies, MemorySink(), plan, refresh=refresh, expires=time.time() - 1)
    assert report.ok
    assert len(calls) == 1
    assert {request.href for request in transport.requests} == {f"http://h/new/{n}" for n in range(6)}


def test_links_whose_source_cannot_be_read_again_get_their_chance():
    def refresh():
        raise OSError("the back-end is down")

    report, _ = run({"http://h/a": Body(DATA)}, MemorySink(), refresh=refresh, expires=time.time() - 1)
    assert report.ok


def test_a_forbidden_asset_stays_forbidden_after_one_renewal():
    body = Body(DATA, faults=[raising(HttpStatusError("forbidden", status=403))] * 9)
    calls = []
    asset = Asset(key="a", href="http://h/a")

    def refresh():
        calls.append(1)
        return {asset.identity: asset}

    report, transport = run({"http://h/a": body}, MemorySink(), refresh=refresh)
    assert report.outcomes[0].error_type == "HttpStatusError"
    assert len(calls) == 1
    assert len(transport.requests) == 2


def test_links_that_live_for_seconds_are_renewed_as_often_as_they_end(monkeypatch):
    monkeypatch.setattr(renew, "_YOUNG_EXPIRED_SECONDS", 0.0)
    ended = raising(LinkExpiredError("the signed link has expired"))
    bodies = {f"http://h/{n}": Body(DATA, faults=[ended]) for n in range(6)}
    calls = []

    def refresh():
        calls.append(1)
        return {(None, str(n)): Asset(key=str(n), href=f"http://h/{n}") for n in range(6)}

    report, _ = run(bodies, MemorySink(), refresh=refresh, settings=Settings(jobs=1))
    assert report.ok
    assert len(calls) == 6


def test_a_link_that_has_always_expired_is_given_up(monkeypatch):
    monkeypatch.setattr(renew, "_YOUNG_EXPIRED_SECONDS", 0.0)
    body = Body(DATA, faults=[raising(LinkExpiredError("the signed link has expired"))] * 99)
    asset = Asset(key="a", href="http://h/a")
    calls = []

    def refresh():
        calls.append(1)
        return {asset.identity: asset}

    report, _ = run({"http://h/a": body}, MemorySink(), refresh=refresh)
    assert report.outcomes[0].error_type == "LinkExpiredError"
    assert 1 <= len(calls) <= 3


def test_no_error_shows_a_signature():
    href = "http://h/a?sig=SECRET"
    body = Body(DATA, faults=[raising(RuntimeError(f"cannot read {href}"))])
    report, _ = run(
        {href: body}, MemorySink(), Plan(target="o", transfers=(Transfer(asset=Asset(key="a", href=href), name="a"),))
    )
    assert report.outcomes[0].error_type == "RuntimeError"
    assert "SECRET" not in report.outcomes[0].error


def test_events_tell_the_story_in_order():
    events = []
    body = Body(DATA, faults=[cut(2500)])
    report, _ = run({"http://h/a": body}, MemorySink(), listeners=[events.append])
    kinds = [type(e) for e in events if not isinstance(e, Progress)]
    assert kinds == [RunStarted, TransferStarted, Retried, TransferFinished, RunFinished]
    assert events[-1].report == report


def test_a_listener_that_raises_is_named_once_and_dropped(caplog):
    seen = []

    def broken(event):
        raise ValueError("listener trouble")

    with caplog.at_level(logging.WARNING, "splashdown"):
        report, _ = run({f"http://h/{n}": Body(DATA) for n in range(3)}, MemorySink(), listeners=[broken, seen.append])
    assert report.ok
    assert sum("broken" in r.getMessage() for r in caplog.records) == 1
    assert isinstance(seen[-1], RunFinished)


def test_it_works_inside_a_running_event_loop():
    async def main():
        return run({"http://h/a": Body(DATA)}, MemorySink())[0]

    assert asyncio.run(main()).ok


def test_several_threads_may_run_plans_at_once():
    reports = []
    threads = [
        threading.Thread(target=lambda: reports.append(run({"http://h/a": Body(DATA)}, MemorySink())[0]))
        for _ in range(4)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert all(r.ok for r in reports)
    assert len(reports) == 4


def test_an_empty_plan_is_a_report_without_outcomes():
    assert run({}, MemorySink())[0].outcomes == ()


class TestWhatIsThere:
    def there(self, tmp_path, policy=IfExists.AUTO, *, data=DATA, recorded=None, asset=None, body=None):
        (tmp_path / "a.bin").write_bytes(data)
        bodies = {"http://h/a.bin": body or Body(DATA)}
        plan = plan_of(bodies, **(asset or {}))
        plan = replace(plan, transfers=(replace(plan.transfers[0], if_exists=policy),))
        sink = LocalSink(tmp_path)
        report, transport = run(bodies, sink, plan, memory=Forgetful(recorded=recorded or {}))
        sink.close()
        return report.outcomes[0], transport

    def test_complete_by_checksum_costs_no_request(self, tmp_path):
        outcome, transport = self.there(tmp_path, asset={"checksum": sha256(DATA), "size": len(DATA)})
        assert outcome.status is Status.SKIPPED
        assert outcome.verified == ("size", "checksum")
        assert transport.requests == []

    def test_a_file_that_splashdown_did_not_store_is_an_error(self, tmp_path):
        outcome, transport = self.there(tmp_path, data=b"other")
        assert outcome.error_type == "ExistsError"
        assert transport.requests == []
        assert (tmp_path / "a.bin").read_bytes() == b"other"

    def test_the_same_size_alone_does_not_count_as_complete(self, tmp_path):
        outcome, _ = self.there(tmp_path, data=DATA[::-1], asset={"size": len(DATA)})
        assert outcome.error_type == "ExistsError"

    def test_ours_and_stale_is_replaced(self, tmp_path):
        known = {"a.bin": StoredRecord(size=5, validator='"v0"', checksum=sha256(b"stale"))}
        outcome, _ = self.there(tmp_path, data=b"stale", recorded=known)
        assert outcome.status is Status.STORED
        assert (tmp_path / "a.bin").read_bytes() == DATA

    def test_ours_and_unchanged_on_the_server_is_kept_without_its_body(self, tmp_path):
        known = {"a.bin": StoredRecord(size=len(DATA), validator='"v1"', checksum=sha256(DATA))}
        outcome, transport = self.there(tmp_path, recorded=known)
        assert outcome.status is Status.SKIPPED
        assert outcome.bytes_moved == 0
        assert transport.requests[0].unless == '"v1"'

    def test_ours_but_damaged_since_is_replaced(self, tmp_path):
        known = {"a.bin": StoredRecord(size=len(DATA), validator='"v1"', checksum=sha256(DATA))}
        outcome, _ = self.there(tmp_path, data=DATA[::-1], recorded=known)
        assert outcome.status is Status.STORED
        assert (tmp_path / "a.bin").read_bytes() == DATA

    def test_skip_keeps_anything(self, tmp_path):
        outcome, _ = self.there(tmp_path, IfExists.SKIP, data=b"other")
        assert outcome.status is Status.SKIPPED

    @pytest.mark.parametrize(
        ("policy", "status", "left"),
        [
            (IfExists.SKIP, Status.SKIPPED, b"other"),
            (IfExists.ERROR, Status.FAILED, b"other"),
            (IfExists.OVERWRITE, Status.STORED, DATA),
            (IfExists.AUTO, Status.STORED, DATA),
        ],
    )
    def test_a_sink_that_cannot_tell_what_is_there_keeps_it_where_that_is_wanted(self, policy, status, left):
        plan = plan_of({"http://h/a.bin": Body(DATA)})
        plan = replace(plan, transfers=(replace(plan.transfers[0], if_exists=policy),))
        sink = Blind({"a.bin": b"other"})
        report, _ = run({"http://h/a.bin": Body(DATA)}, sink, plan)
        assert report.outcomes[0].status is status
        assert bool(report.outcomes[0].location) is (status is not Status.FAILED)
        assert sink.store == {"a.bin": left}

    def test_overwrite_replaces_anything(self, tmp_path):
        outcome, _ = self.there(tmp_path, IfExists.OVERWRITE, asset={"checksum": sha256(DATA)})
        assert outcome.status is Status.STORED

    def test_rename_stores_beside_it_and_finds_it_again(self, tmp_path):
        asset = {"checksum": sha256(DATA)}
        outcome, _ = self.there(tmp_path, IfExists.RENAME, data=b"other", asset=asset)
        assert outcome.transfer.name == "a-1.bin"
        assert (tmp_path / "a-1.bin").read_bytes() == DATA
        outcome, _ = self.there(tmp_path, IfExists.RENAME, data=b"other", asset=asset)
        assert outcome.status is Status.SKIPPED
        assert sorted(p.name for p in tmp_path.iterdir()) == ["a-1.bin", "a.bin"]
