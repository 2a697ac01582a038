"""A small file is moved in three ways, which are one: the same bytes, outcomes, receipts and events."""

from __future__ import annotations

import itertools
import json
import random
import signal
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from fault_server import FaultServer
from faults import (
    Chunked,
    Cut,
    Drip,
    Garbage,
    Gzip,
    HangUp,
    IgnoreCondition,
    IgnoreRange,
    NewVersion,
    Redirect,
    Status,
    UntilClose,
    With,
    Without,
    WrongLength,
    WrongRange,
    WrongTotal,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stac_item import stac_item

import splashdown
from splashdown._engine import file_workers
from splashdown._engine.small import StraightLine
from splashdown._engine.transfer import Attempt
from splashdown.builtins.local import LocalSink
from splashdown.checksums import hash_of
from splashdown.model import Content

DATA = random.Random(7).randbytes(200_000)
FAST = splashdown.Settings(jobs=1, retry=splashdown.RetryPolicy(base=0, attempts=3))
SIZES = st.sampled_from([0, 1, 600, 65_536, 131_072, 131_073, 150_000])
FAULTS = st.sampled_from(
    [
        None,
        None,
        Chunked(),
        Chunked(cut=300),
        Cut(0),
        Cut(300),
        Cut(300, reset=True),
        Drip(size=20_000, delay=0.001),
        Garbage(),
        Gzip(),
        HangUp(),
        HangUp(reset=True),
        IgnoreRange(),
        IgnoreRange(advertise=False),
        NewVersion(b"another version"),
        Redirect("/elsewhere.bin"),
        Status(403),
        Status(404),
        Status(429),
        Status(500, b"a fault"),
        Status(204),
        UntilClose(),
        With(**{"Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}),
        With(**{"Repr-Digest": "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"}),
        With(**{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "0"}),
        Without("ETag", "Last-Modified"),
        Without("Content-Range"),
        WrongLength(5),
        WrongLength(-5),
        WrongRange(),
        WrongTotal(77),
    ]
)
BODIES = st.sampled_from([b"", b"<!doctype html><html>sign in</html>", b'{"code": 1}'])
numbers = itertools.count()


@pytest.fixture(scope="module")
def server():
    with FaultServer() as running:
        running.add("/elsewhere.bin", DATA[:600])
        yield running


def download(server, target, *, path, faults, asset, if_exists, there):
    """Everything that can be seen of a download of two files, the first of which has the host's connection made."""
    target.mkdir(exist_ok=True)
    if there is not None:
        (target / "b.tif").write_bytes(there)
    server.script(path, *faults)
    assets = {"a.bin": {"href": f"{server.url}/elsewhere.bin"}, "b.tif": {"href": server.url + path, **asset}}
    document = stac_item(assets, id="i")
    events, before = [], len(server.seen)
    results = splashdown.Session(discover=False).open(document)
    try:
        results.download_files(target, settings=FAST, if_exists=if_exists, listeners=[events.append])
        report = None
    except splashdown.DownloadError as error:
        report = str(error).replace(str(target), "TARGET")
    server.forget(path)
    finished = [event.outcome for event in events if type(event).__name__ == "TransferFinished"]
    return {
        "error": report,
        "outcomes": [
            replace(
                one,
                seconds=0,
                location=Path(one.location).name,
                error=one.error.replace(str(target), "TARGET"),
                version=one.version and "known",  # a time
            )
            for one in finished
        ],
        "events": [type(event).__name__ for event in events],
        "files": {found.name: found.read_bytes() for found in target.iterdir()},
        "requests": [(one.method, one.path, one.range) for one in server.seen[before:]],
    }


def comparable(found):
    """Without what differs from target to target, and events that come at the most every tenth of a second."""
    files = {name: data for name, data in found["files"].items() if name != "item.json"}
    receipt = json.loads(found["files"]["item.json"]) if "item.json" in found["files"] else {}
    for entry in receipt.get("assets", {}).values():
        entry["splashdown:version"] = bool(entry.get("splashdown:version"))
    events = [name for name in found["events"] if name not in {"Progress", "Retried"}]
    return found["error"], found["outcomes"], events, files, receipt, found["requests"]


@given(
    size=SIZES,
    faults=st.lists(FAULTS, max_size=2),
    wrong=st.sampled_from(["", "", "", "size", "checksum"]),
    given_=st.sets(st.sampled_from(["file:size", "file:checksum", "md5", "type"])),
    body=st.none() | BODIES,
    if_exists=st.sampled_from(["auto", "auto", "skip", "overwrite", "error", "rename"]),
    there=st.sampled_from([None, None, None, b"there before"]),
)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_all_ways_end_alike_whatever_the_server_does(server, size, faults, wrong, given_, body, if_exists, there):
    data = DATA[:size] if body is None else body
    path = server.add(f"/{next(numbers)}.tif", data).removeprefix(server.url)
    asset = {}
    if "file:size" in given_:
        asset["file:size"] = len(data) + (wrong == "size")
    if "file:checksum" in given_ or "md5" in given_:
        like = "d50110" + "0" * 32 if "md5" in given_ else "1220" + "0" * 64
        asset["file:checksum"] = hash_of([data + b"x" * (wrong == "checksum")], like)
    if "type" in given_:
        asset["type"] = "image/tiff"
    how = {"path": path, "faults": faults, "asset": asset, "if_exists": if_exists, "there": there}
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_workers, "can_gather", lambda _: True)
        gathered = download(server, Path(folder, "gathered"), **how)
        patch.setattr(file_workers, "can_gather", lambda _: False)
        straight = download(server, Path(folder, "straight"), **how)
        patch.setattr(StraightLine, "of", lambda _: None)
        general = download(server, Path(folder, "general"), **how)
    assert comparable(straight) == comparable(general)
    assert comparable(gathered) == comparable(general)


def test_a_plain_small_file_takes_the_straight_line(server, tmp_path, monkeypatch):
    general = []
    run = Attempt.run
    monkeypatch.setattr(Attempt, "run", lambda self: general.append(self._source.asset.key) or run(self))
    path = server.add("/plain.tif", DATA[:65_536]).removeprefix(server.url)
    found = download(server, tmp_path / "t", path=path, faults=[], asset={}, if_exists="auto", there=None)
    assert found["files"]["b.tif"] == DATA[:65_536]
    assert general == ["a.bin"], "the first request of a host makes the connection, and goes the general way"


def test_an_odd_answer_is_not_asked_for_twice(server, tmp_path):
    path = server.add("/odd.tif", DATA[:65_536]).removeprefix(server.url)
    found = download(server, tmp_path / "t", path=path, faults=[Chunked()], asset={}, if_exists="auto", there=None)
    assert found["files"]["b.tif"] == DATA[:65_536]
    assert [one for one in found["requests"] if one[1] == path] == [("GET", path, "bytes=0-")]


ANSWERS = st.sampled_from(
    [
        None,
        None,
        Chunked(),
        Cut(0),
        Garbage(),
        HangUp(),
        IgnoreCondition(),
        NewVersion(b"another version", etag='"v2"'),
        NewVersion(DATA, etag='"v2"'),
        Redirect("/elsewhere.bin"),
        Status(304),
        Status(304, Connection="close"),
        Status(403),
        Status(404),
        Status(429),
        Status(503),
    ]
)


@given(faults=st.lists(ANSWERS, max_size=2), size=SIZES, etag=st.booleans())
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_all_ways_ask_alike_whether_a_file_has_changed(server, faults, size, etag):
    fields = {"etag": '"v1"' if etag else ""}  # else there is a date
    found = []
    for way in ("gathered", "straight", "general"):
        path = server.add(f"/{next(numbers)}.tif", DATA[:size], **fields).removeprefix(server.url)
        how = {"path": path, "asset": {}, "if_exists": "auto", "there": None}
        with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            patch.setattr(file_workers, "can_gather", lambda _, way=way: way == "gathered")
            if way == "general":
                patch.setattr(StraightLine, "of", lambda _: None)
            download(server, Path(folder, "t"), faults=[], **how)
            again = download(server, Path(folder, "t"), faults=faults, **how)
        found.append(json.loads(json.dumps(comparable(again), default=repr).replace(path, "/PATH")))
    assert found[0] == found[1] == found[2]


def test_a_file_that_has_not_changed_is_asked_for_on_the_straight_line(server, tmp_path, monkeypatch):
    path = server.add("/same.tif", DATA).removeprefix(server.url)
    how = {"path": path, "faults": [], "asset": {}, "if_exists": "auto", "there": None}
    download(server, tmp_path / "t", **how)
    general = []
    run = Attempt.run
    monkeypatch.setattr(Attempt, "run", lambda self: general.append(self._source.asset.key) or run(self))
    found = download(server, tmp_path / "t", **how)
    assert [(one.status, one.attempts, one.bytes_moved) for one in found["outcomes"]] == [("skipped", 1, 0)] * 2
    assert general == []
    assert [server.seen[-1].status, server.seen[-1].path] == [304, path]


KILLED = """
import os, signal, sys
from splashdown.builtins.local import LocalSink
from splashdown.model import Content
from pathlib import Path
sink = LocalSink(Path(sys.argv[1]))
os.replace = os.link = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
sink.put_whole("a.bin", Content(), b"hello")
"""


def test_what_a_kill_leaves_of_a_small_file_goes_with_the_next_run(tmp_path):
    process = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert process.returncode == -signal.SIGKILL
    assert [one.name for one in tmp_path.iterdir()] == [".splashdown"]
    assert len([*(tmp_path / ".splashdown").iterdir()]) == 1
    sink = LocalSink(tmp_path)
    assert [one.size for one in sink.unfinished()] == [5]
    sink.put_whole("b.bin", Content(), b"world")
    sink.close()
    assert [one.name for one in tmp_path.iterdir()] == ["b.bin"]
