"""One thread has many small files under way, and what takes longer than others holds up none of them."""

from __future__ import annotations

import random
import ssl
import threading
import time
from collections import Counter

import pytest
import trustme
from fault_server import FaultServer, Handler
from faults import Answer, Chunked, Drip, Stall, Status
from stac_item import stac_item

import splashdown
from splashdown._engine import gathered
from splashdown._engine.gathered import _Span
from splashdown.builtins.local import LocalSink
from splashdown.events import TransferFinished

COUNT = 60
DATA = [random.Random(number).randbytes(40_000 + number) for number in range(COUNT)]


class Late:
    """An answer after a while; counts how many wait at a time."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._lock = seconds, threading.Lock()
        self._now = self.most = 0

    def __call__(self, handler: Handler, answer: Answer) -> None:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(self._seconds)
        with self._lock:
            self._now -= 1
        handler.send(answer)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(params=["http", "https"])
def server(request, authority, monkeypatch, tmp_path):
    context = None
    if request.param == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    with FaultServer(context) as running:
        yield running


@pytest.fixture
def storing(monkeypatch):
    """The threads that have stored a file in one call, in their order."""
    threads = []
    put_whole = LocalSink.put_whole

    def counted(self, *arguments):
        threads.append(threading.get_ident())
        return put_whole(self, *arguments)

    monkeypatch.setattr(LocalSink, "put_whole", counted)
    return threads


def download(server, target, *, faults=(), listeners=(), **settings):
    """Files ``0.bin`` to ``59.bin``; ``faults`` by number."""
    assets = {}
    for number, data in enumerate(DATA):
        assets[f"{number}.bin"] = {"href": server.add(f"/{number}.bin", data)}
    for number, fault in dict(faults).items():
        server.always(f"/{number}.bin", fault)
    document = stac_item(assets, id="many")
    results = splashdown.Session(discover=False).open(document)
    results.download_files(
        target,
        progress=False,
        listeners=listeners,
        settings=splashdown.Settings(retry=splashdown.RetryPolicy(base=0, attempts=2), **settings),
    )


def landed(target):
    """The bytes of the files in a target, by number; its receipt left out."""
    return {int(found.stem): found.read_bytes() for found in target.glob("*.bin")}


def test_one_thread_has_many_small_files_under_way(server, tmp_path, storing, monkeypatch):
    # A busy machine would look like a slow target, and like late answers.
    monkeypatch.setattr(gathered, "_SPAN_SECONDS", 600)
    monkeypatch.setattr(gathered, "_LATE_SECONDS", 600)
    late = Late(0.02)
    download(server, tmp_path / "t", faults=dict.fromkeys(range(COUNT), late), jobs=8)
    assert landed(tmp_path / "t") == dict(enumerate(DATA))
    assert late.most >= 4
    (_, most), *_ = Counter(storing).most_common(1)
    assert most >= COUNT / 2, "the first file of each connection is moved in a thread of its own"


@pytest.mark.parametrize("size", [700, 17_000])
def test_answers_that_come_in_pieces_are_put_together(server, tmp_path, size):
    download(server, tmp_path / "t", faults={number: Drip(size, 0.001) for number in range(0, COUNT, 3)})
    assert landed(tmp_path / "t") == dict(enumerate(DATA))


def test_an_answer_that_is_late_holds_up_no_other_file(server, tmp_path):
    others, ended = threading.Event(), []

    def heard(event):
        if isinstance(event, TransferFinished):
            ended.append(event.outcome.transfer.asset.key)
            if len(ended) == COUNT - 1:
                others.set()

    download(server, tmp_path / "t", faults={30: Stall(100, others)}, listeners=[heard])
    assert landed(tmp_path / "t") == dict(enumerate(DATA))
    assert ended[-1] == "30.bin"


def test_files_whose_answers_are_unusual_get_threads_of_their_own(server, tmp_path, storing):
    download(server, tmp_path / "t", faults=dict.fromkeys(range(COUNT), Chunked()))
    assert landed(tmp_path / "t") == dict(enumerate(DATA))
    assert not storing, "a file whose length is not known is not stored in one call"


def test_a_slow_target_is_written_by_a_thread_for_each_file(server, tmp_path, storing, monkeypatch):
    put_whole = LocalSink.put_whole

    def slow(self, *arguments):
        time.sleep(0.05)
        return put_whole(self, *arguments)

    monkeypatch.setattr(LocalSink, "put_whole", slow)
    download(server, tmp_path / "t")
    assert landed(tmp_path / "t") == dict(enumerate(DATA))
    # Measured for a quarter of a second, in which the one thread has stored some five files.
    assert len(set(storing[-20:])) >= 3


def test_a_run_that_is_given_up_leaves_what_was_asked_for(server, tmp_path):
    faults = {number: Late(0.5) for number in range(20, COUNT)} | {12: Status(404)}
    begun = time.monotonic()
    with pytest.raises(splashdown.DownloadError) as caught:
        download(server, tmp_path / "t", faults=faults, fail_fast=True)
    assert time.monotonic() - begun < 10
    report = caught.value.report
    counts = Counter(one.status.value for one in report.outcomes)
    assert counts["failed"] == 1
    assert counts["not_tried"] >= COUNT - 30
    assert landed(tmp_path / "t").keys() == {
        number for number, one in enumerate(report.outcomes) if one.status.value == "stored"
    }
    assert not list((tmp_path / "t").glob(".splashdown/*.part"))


def test_files_that_have_not_changed_are_asked_for_together(server, tmp_path):
    download(server, tmp_path / "t")
    late = Late(0.02)
    before = len(server.seen)
    download(server, tmp_path / "t", faults=dict.fromkeys(range(COUNT), late))
    assert [one.status for one in server.seen[before:]] == [304] * COUNT
    assert late.most >= 4


@pytest.mark.parametrize(
    ("computed", "waited", "moved", "left", "in_vain"),
    [
        (0.9, 0.0, 100, 0, False),  # the interpreter is the limit
        (0.1, 0.8, 100, 0, False),  # the source is
        (0.1, 0.1, 100, 0, True),  # the target is
        (0.9, 0.0, 10, 40, True),  # most files are moved elsewhere
        (0.9, 0.0, 0, 8, False),  # the first ones always are
    ],
)
def test_where_the_time_goes_decides_whether_files_stay_together(monkeypatch, computed, waited, moved, left, in_vain):
    monkeypatch.setattr(time, "thread_time", lambda: 5.0)
    span = _Span()
    now = time.perf_counter()
    assert not span.ends(now)
    span.waited, span.moved, span.left = waited, moved, left
    monkeypatch.setattr(time, "thread_time", lambda: 5.0 + computed)
    assert span.ends(now + 1)
    assert span.is_in_vain == in_vain
