"""Downloads from a server that breaks on purpose, over real sockets, into a folder."""

from __future__ import annotations

import base64
import hashlib
import random
import threading
import time
from dataclasses import replace

import pytest
from fault_server import FaultServer
from faults import (
    Chunked,
    Cut,
    Drip,
    Flip,
    Garbage,
    HangUp,
    IgnoreRange,
    NewVersion,
    Redirect,
    Stall,
    Status,
    UntilClose,
    With,
    Without,
    WrongLength,
    WrongRange,
    WrongTotal,
)

from splashdown._engine.context import Forgetful
from splashdown._engine.remote import Remote
from splashdown._engine.renew import Renewal
from splashdown._engine.run import Run, run_plan
from splashdown._engine.settings import RetryPolicy, Settings
from splashdown.builtins.local import LocalSink
from splashdown.events import Progress, TransferFinished, Waiting
from splashdown.http import HttpOptions, HttpTransport
from splashdown.model import Asset, IfExists, Plan, StoredRecord, Transfer
from splashdown.model import Status as Ended

DATA = random.Random(3).randbytes(1_000_000)
FAST = Settings(
    retry=RetryPolicy(base=0.01, attempts=5),
    part_size=100_000,
    range_cutoff=300_000,
    range_connections=4,
    low_speed_time=0.6,
)


def sha256(data):
    return "1220" + hashlib.sha256(data).hexdigest()


@pytest.fixture
def server():
    with FaultServer() as running:
        running.add("/a.bin", DATA)
        yield running


@pytest.fixture
def download(server, tmp_path):
    """Download paths of the server into ``tmp_path``; the sink is closed and nothing may be left open."""

    def run(
        *paths, settings=FAST, read_timeout=5.0, hrefs=None, if_exists=IfExists.AUTO, asset=None, refresh=None, **more
    ):
        transport = HttpTransport(HttpOptions(read_timeout=read_timeout))
        hrefs = hrefs or [server.url + path for path in paths or ("/a.bin",)]
        transfers = tuple(
            Transfer(
                asset=Asset(key=path.rpartition("/")[2], href=href, **(asset or {})),
                name=path.rpartition("/")[2],
                if_exists=if_exists,
            )
            for path, href in zip(paths or ("/a.bin",), hrefs, strict=True)
        )
        sink = LocalSink(tmp_path)
        try:
            plan = Plan(target=str(tmp_path), transfers=transfers, source="test")
            remote = Remote(transport=lambda href: transport, settings=settings, renewal=Renewal(refresh))
            return run_plan(Run(plan=plan, sink=sink, **more), remote)
        finally:
            sink.close()
            transport.close()

    return run


def names(tmp_path):
    return sorted(p.name for p in tmp_path.iterdir())


REPAIRABLE = {
    "ranges ignored after being advertised": [Cut(300_000), IgnoreRange()],
    "body cut": [Cut(400_000)],
    "body cut by a reset": [Cut(400_000, reset=True)],
    "body cut again and again": [Cut(300_000), Cut(300_000), Cut(300_000)],
    "cut before the first byte": [Cut(0)],
    "no answer at all": [HangUp(), HangUp(reset=True)],
    "not HTTP": [Garbage()],
    "500 once": [Status(500)],
    "503 in the middle": [Cut(500_000), Status(503)],
    "206 with the wrong range": [Cut(500_000), WrongRange()],
    "206 with the wrong total": [Cut(500_000), WrongTotal(5)],
    "408, 425, 429": [Status(408), Status(425), Status(429)],
    "wrong Content-Length once": [WrongLength(50)],
    "stall": [Stall(300_000)],
    "chunked and cut": [Chunked(cut=400_000), Chunked()],
    "412 in the middle": [Cut(500_000), Status(412)],
    "416 in the middle": [Cut(500_000), Status(416)],
}


@pytest.mark.parametrize("script", REPAIRABLE.values(), ids=REPAIRABLE)
def test_what_can_be_repaired_is(server, download, tmp_path, script):
    server.script("/a.bin", *script)
    report = download(read_timeout=2.0)
    (outcome,) = report.outcomes
    assert outcome.error == ""
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert outcome.checksum == sha256(DATA)
    assert names(tmp_path) == ["a.bin"]
    assert {one.method for one in server.seen} == {"GET"}


FINAL = {
    "redirect loop": (Redirect("/a.bin"), "TransferError", "circle"),
    "404": (Status(404), "HttpStatusError", "404"),
    "403": (Status(403), "HttpStatusError", "403"),
    "always 500": (Status(500), "HttpStatusError", "500"),
    "always cut": (Cut(100_000), "TruncatedError", "ended"),
    "always the wrong length": (WrongLength(50), "TruncatedError", "ended"),
    "always stalled": (Stall(0), "StalledError", "timeout"),
    "never HTTP": (Garbage(), "NetworkError", "connection"),
}


@pytest.mark.parametrize(("fault", "kind", "text"), FINAL.values(), ids=FINAL)
def test_what_cannot_be_repaired_leaves_the_old_file(server, download, tmp_path, fault, kind, text):
    (tmp_path / "a.bin").write_bytes(b"old")
    server.files["/a.bin"] = replace(server.files["/a.bin"], ranges=False)
    server.always("/a.bin", fault)
    report = download(if_exists=IfExists.OVERWRITE, read_timeout=0.2 if kind == "StalledError" else 30.0)
    (outcome,) = report.outcomes
    assert outcome.error_type == kind
    assert text in outcome.error
    assert (tmp_path / "a.bin").read_bytes() == b"old"
    assert names(tmp_path) == ["a.bin"]


@pytest.mark.parametrize(
    "fault", [Chunked(), UntilClose(), IgnoreRange(advertise=False), Without("ETag", "Last-Modified")]
)
def test_answers_without_length_ranges_or_validator_are_taken_in_one_go(server, download, tmp_path, fault):
    server.always("/a.bin", fault)
    report = download()
    assert report.outcomes[0].checksum == sha256(DATA)
    assert len(server.seen) == 1


def test_a_new_version_between_ranges_is_read_from_its_beginning(server, download, tmp_path):
    server.script("/a.bin", Cut(500_000), NewVersion(DATA[::-1]))
    assert download().ok
    assert (tmp_path / "a.bin").read_bytes() == DATA[::-1]


def test_a_wait_that_the_server_asks_for_holds_for_all_requests_to_it(server, download):
    paths = [f"/{n}.bin" for n in range(6)]
    for path in paths:
        server.add(path, DATA[:1000])
    moments = []
    server.script(
        "/0.bin",
        lambda handler, answer: (moments.append(time.monotonic()), Status(429, Retry_After="1")(handler, answer)),
    )
    for path in paths:
        server.script(path, lambda handler, answer: (moments.append(time.monotonic()), handler.send(answer)))
    report = download(*paths, settings=replace(FAST, jobs=1))
    assert report.ok
    assert min(later - moments[0] for later in moments[1:]) >= 0.95


def test_a_connection_that_only_drips_is_given_up_and_opened_anew(server, download, tmp_path):
    server.script("/a.bin", Drip(size=20, delay=0.05))
    report = download(settings=replace(FAST, low_speed=10_000))  # at 400 bytes a second it would take 40 minutes
    assert report.ok
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert len(server.seen) > 1


def test_a_slow_but_steady_server_has_all_the_time_it_needs(server, download, tmp_path):
    server.add("/slow.bin", DATA[:60_000])
    server.script("/slow.bin", Drip(size=1_000, delay=0.05))
    report = download("/slow.bin", read_timeout=1.5, settings=replace(FAST, low_speed=100, low_speed_time=0.2))
    assert report.ok
    assert len(server.seen) == 1


def test_slow_connections_are_joined_by_others_with_the_version_pinned(server, download, tmp_path):
    server.always("/a.bin", Drip(size=20_000, delay=0.05))
    report = download()
    assert report.outcomes[0].checksum == sha256(DATA)
    assert len(server.seen) > 3
    etag = server.files["/a.bin"].etag
    assert all(one.headers["if-match"] == etag for one in server.seen[1:])


def test_a_digest_of_the_server_is_checked(server, download, tmp_path):
    digest = base64.b64encode(hashlib.sha256(DATA).digest()).decode()
    server.always("/a.bin", With(Repr_Digest=f"sha-256=:{digest}:"))
    assert download().outcomes[0].verified == ("length", "digest")


def test_a_bit_that_flips_on_the_way_is_found_and_the_file_read_again(server, download, tmp_path):
    server.script("/a.bin", Flip(5))
    report = download(asset={"checksum": sha256(DATA)})
    assert report.ok
    assert len(server.seen) == 2
    server.always("/a.bin", Flip(5))
    report = download(asset={"checksum": sha256(DATA)}, if_exists=IfExists.OVERWRITE)
    assert report.outcomes[0].error_type == "ChecksumError"
    assert (tmp_path / "a.bin").read_bytes() == DATA


def test_a_second_run_moves_no_byte(server, download, tmp_path):
    first = download().outcomes[0]
    known = {"a.bin": StoredRecord(size=first.size, checksum=first.checksum, validator=first.validator)}
    before = server.sent()
    report = download(memory=Forgetful(recorded=known))
    assert report.outcomes[0].status is Ended.SKIPPED
    assert server.sent() == before
    assert server.seen[-1].status == 304
    requests = len(server.seen)
    assert download(asset={"checksum": sha256(DATA)}).outcomes[0].status is Ended.SKIPPED
    assert len(server.seen) == requests


def test_links_that_expire_in_the_middle_are_renewed_once(server, download, tmp_path):
    paths = [f"/{n}.bin" for n in range(8)]
    for path in paths:
        server.add(path, DATA[:200_000], signed=True)
    old = [server.sign(path) for path in paths]
    server.script("/0.bin", lambda handler, answer: (server.expire_links(), Cut(100_000)(handler, answer)))
    calls = []

    def refresh():
        calls.append(1)
        return {(None, path[1:]): Asset(key=path[1:], href=server.sign(path)) for path in paths}

    report = download(*paths, hrefs=old, refresh=refresh)
    assert report.ok
    assert len(calls) == 1
    assert all((tmp_path / path[1:]).read_bytes() == DATA[:200_000] for path in paths)
    assert "s3cret" not in repr([(o.error, o.location) for o in report.outcomes])


def test_no_more_files_at_a_time_than_a_host_is_allowed(server, download):
    paths = [f"/{n}.bin" for n in range(12)]
    lock, busy, both = threading.Lock(), [0, 0], threading.Barrier(2)

    def count(handler, answer):
        with lock:
            busy[0] += 1
            busy[1] = max(busy)
        both.wait(60)
        time.sleep(0.02)  # for a third one to come, if it may
        with lock:
            busy[0] -= 1  # before the answer, which lets the next one come
        handler.send(answer)

    for path in paths:
        server.add(path, b"x" * 10)
        server.always(path, count)
    assert download(*paths, settings=replace(FAST, jobs=8, per_host=2)).ok
    assert busy[1] == 2


def test_an_interrupted_run_goes_on_where_it_stopped(server, download, tmp_path):
    def off(handler, answer):
        Status(400)(handler, answer)

    server.script("/a.bin", Cut(560_000), off)
    assert not download(settings=replace(FAST, range_connections=1)).ok
    assert names(tmp_path) == [".splashdown"]
    before = server.sent()
    report = download(settings=replace(FAST, range_connections=1))
    assert report.outcomes[0].checksum == sha256(DATA)
    assert report.outcomes[0].bytes_moved == server.sent() - before == 500_000
    assert names(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("status", [412, 416])
def test_a_range_that_is_always_refused_restarts_the_file_once_and_then_fails(server, download, tmp_path, status):
    (tmp_path / "a.bin").write_bytes(b"old")

    def refuse(handler, answer):
        if handler.seen.range == "bytes=0-":
            Cut(300_000)(handler, answer)
        else:
            Status(status)(handler, answer)

    server.always("/a.bin", refuse)
    (outcome,) = download(if_exists=IfExists.OVERWRITE).outcomes
    assert outcome.status is Ended.FAILED
    assert outcome.error_type in {"ChangedError", "HttpStatusError"}
    # After a second 412 the answers belong together by their date.
    assert server.ranges("/a.bin") == ["bytes=0-", "bytes=300000-"] * (3 if status == 412 else 2)
    assert (tmp_path / "a.bin").read_bytes() == b"old"
    assert names(tmp_path) == ["a.bin"]


@pytest.mark.parametrize(
    "headers",
    [
        {"RateLimit": '"default";r=0;t=1'},  # draft-ietf-httpapi-ratelimit-headers-09 and later
        {"RateLimit": "limit=10, remaining=0, reset=1"},  # -07
        {"RateLimit_Remaining": "0", "RateLimit_Reset": "1"},
        {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "1"},
    ],
)
def test_an_exhausted_quota_is_waited_for(server, download, headers):
    server.script("/a.bin", Status(429, **headers))
    begun = time.monotonic()
    assert download().ok
    assert time.monotonic() - begun >= 0.95


@pytest.mark.parametrize(("reset", "least"), [("1", 0.95), ("3600", 0)])
def test_the_answer_that_uses_up_a_quota_delays_the_next_request(server, download, reset, least):
    # An hour is longer than a user would wait; then the request is made at once, and its refusal is what counts.
    server.add("/a.bin", DATA, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset})
    server.add("/b.bin", b"second")
    begun, events = time.monotonic(), []
    assert download("/a.bin", "/b.bin", settings=replace(FAST, jobs=1), listeners=[events.append]).ok
    assert time.monotonic() - begun >= least
    waits = [(one.place, one.delay) for one in events if isinstance(one, Waiting)]
    assert waits == ([(server.url.removeprefix("http://"), 1)] if least else [])
    assert [one.path for one in server.seen] == ["/a.bin", "/b.bin"]


def test_a_server_that_ignores_conditions_sends_no_body_to_a_second_run(server, download, tmp_path):
    first = download().outcomes[0]
    known = {"a.bin": StoredRecord(size=first.size, checksum=first.checksum, validator=first.validator)}

    def unconditionally(handler, answer):
        handler.send(handler.whole())

    server.always("/a.bin", unconditionally)
    (outcome,) = download(memory=Forgetful(recorded=known)).outcomes
    assert outcome.status is Ended.SKIPPED
    assert outcome.bytes_moved == 0


def test_progress_is_emitted_at_most_ten_times_a_second(server, download, tmp_path):
    server.always("/a.bin", Drip(size=5_000, delay=0.02))
    emitted = []
    report = download(listeners=[lambda event: emitted.append((time.monotonic(), event))])
    assert report.ok
    moments = [moment for moment, event in emitted if isinstance(event, Progress)]
    assert len(server.seen) > 1
    assert 2 <= len(moments) <= 10 * report.outcomes[0].seconds + 1


def test_a_file_that_waits_for_its_ranges_starves_no_other(server, download, tmp_path):
    names = [f"/{n}.bin" for n in range(12)]
    for name in names:
        server.add(name, DATA[:1000])
    rest = threading.Event()
    landed = []

    def slowly(handler, answer):
        if handler.seen.range == "bytes=0-":
            Drip(size=20_000, delay=0.05)(handler, answer)
        else:
            Stall(0, until=rest)(handler, answer)

    def watch(event):
        if isinstance(event, TransferFinished):
            landed.append(event.outcome.transfer.name)
            if len(landed) == len(names):
                rest.set()

    server.always("/a.bin", slowly)
    report = download("/a.bin", *names, settings=replace(FAST, jobs=2, range_connections=3), listeners=[watch])
    assert report.ok
    assert landed[-1] == "a.bin"
    assert (tmp_path / "a.bin").read_bytes() == DATA
