"""A loop over outcomes: each in time, in little memory, and the run ends with the loop."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from executors import Pickling
from fault_server import FaultServer
from faults import Stall, Status

import splashdown
from splashdown import DownloadError, Session, Settings
from splashdown.errors import Interrupted, OptionError, UsageError


@pytest.fixture
def server():
    with FaultServer() as running:
        yield running


def item(server, folder, count):
    assets = {}
    for number in range(count):
        server.add(f"/f{number}.bin", f"{number:04d}".encode() * 500)
        assets[f"a{number:03d}.bin"] = {"href": f"{server.url}/f{number}.bin"}
    document = {"type": "Feature", "stac_version": "1.0.0", "id": "i", "geometry": None, "links": [], "assets": assets}
    folder.mkdir(exist_ok=True)
    (folder / "item.json").write_text(json.dumps(document | {"properties": {"datetime": "2024-01-01T00:00:00Z"}}))
    return str(folder / "item.json")


@pytest.fixture
def results(server, tmp_path):
    """Six small files."""
    with Session(settings=Settings(jobs=2)) as session:
        yield session.open(item(server, tmp_path / "source", 6))


def in_receipt(target: Path) -> set[str]:
    return {key for key, one in json.loads((target / "item.json").read_text())["assets"].items() if "file:size" in one}


def files(target: Path) -> set[str]:
    return {path.name for path in target.rglob("*") if path.is_file()}


def names(count):
    return {f"a{number:03d}.bin" for number in range(count)}


def test_each_outcome_comes_when_its_file_is_whole(results, server, tmp_path):
    more = threading.Event()
    server.script("/f5.bin", Stall(0, more))
    seen = set()
    try:
        for outcome in results.stream(tmp_path / "out"):
            assert Path(outcome.location).stat().st_size == outcome.size == 2000
            seen.add(outcome.transfer.name)
            if len(seen) == 5:
                more.set()  # the last file comes only now
    finally:
        more.set()
    assert seen == in_receipt(tmp_path / "out") == names(6)


def test_files_that_are_there_already_are_in_the_loop_too(results, tmp_path):
    results.download_files(tmp_path / "out")
    stream = results.stream(tmp_path / "out", ahead=1)
    assert {str(outcome.status) for outcome in stream} == {"skipped"}
    assert len(stream.report.outcomes) == 6


def test_a_slow_loop_makes_the_run_wait(results, server, tmp_path):
    stream = iter(results.stream(tmp_path / "out", ahead=1))
    next(stream)
    enough = threading.Event()
    for _ in range(50):
        if len(files(tmp_path / "out") & names(6)) == 4:
            enough.wait(0.1)
            break
        enough.wait(0.02)
    # One was taken, one waits, and two threads hold one each.
    assert len(files(tmp_path / "out") & names(6)) == 4
    assert len(list(stream)) == 5


@pytest.mark.parametrize("executor", [None, "pickling"])
def test_leaving_the_loop_ends_the_run_with_a_receipt(results, tmp_path, executor):
    with Pickling(1) as pool:
        stream = results.stream(tmp_path / "out", ahead=1, executor=pool if executor else None)
        for outcome in stream:
            landed = outcome.transfer.name
            break
    report = stream.report
    assert report.interrupted == "break"
    stored = {one.transfer.name for one in report.landed}
    assert landed in stored
    assert files(tmp_path / "out") == stored | {"item.json"}
    assert in_receipt(tmp_path / "out") == stored
    if not executor:
        assert len(stored) <= 4
    assert {one.transfer.name for one in results.stream(tmp_path / "out")} == names(6)


def test_an_error_in_the_body_ends_the_run_as_well(results, tmp_path):
    stream = results.stream(tmp_path / "out", ahead=1)

    def fail():
        for _ in stream:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert stream.report.interrupted == "break"
    assert in_receipt(tmp_path / "out") < names(6)


def test_a_failed_file_is_an_outcome_and_the_loop_goes_on(results, server, tmp_path):
    server.script("/f2.bin", *[Status(404)] * 5)
    stream = results.stream(tmp_path / "out")
    found = {outcome.transfer.name: str(outcome.status) for outcome in stream}
    assert found.pop("a002.bin") == "failed"
    assert set(found.values()) == {"stored"}
    assert [one.transfer.name for one in stream.report.failed] == ["a002.bin"]
    with pytest.raises(DownloadError, match="1 of 6"):
        stream.result()


def test_a_run_that_gives_up_raises_after_its_outcomes(results, server, tmp_path):
    server.script("/f0.bin", *[Status(404)] * 5)
    stream = results.stream(tmp_path / "out", settings=Settings(jobs=1, fail_fast=True))
    seen = []
    with pytest.raises(DownloadError):
        seen.extend(stream)
    assert [one.error_type for one in seen] == ["HttpStatusError"]
    assert len(stream.report.not_tried) == 5


def test_outcomes_of_workers_are_all_in_the_loop(results, tmp_path):
    with Pickling(2) as pool:
        stream = results.stream(tmp_path / "out", executor=pool, ahead=1)
        assert {one.transfer.name for one in stream} == names(6)
    assert in_receipt(tmp_path / "out") == names(6)


def test_a_sync_and_a_catalog_are_streams_too(results, tmp_path):
    stream = results.stream(tmp_path / "out", action="sync", delete=True)
    assert len(list(stream)) == 6
    assert stream.result().removed == ()
    assert len(list(results.stream(tmp_path / "catalog", action="download_collection"))) == 6
    assert any((tmp_path / "catalog").rglob("*.json"))


def test_what_keeps_a_run_from_beginning_is_raised_by_the_loop(results, tmp_path):
    with pytest.raises(OptionError, match="wrong"):
        list(results.stream(tmp_path / "out", wrong=1))
    with pytest.raises(splashdown.NoAssetError):
        list(results.select(keys="nothing").stream(tmp_path / "out"))
    with pytest.raises(OptionError, match="at least 1"):
        results.stream(tmp_path / "out", ahead=0)


def test_a_stream_is_used_once_and_has_its_report_at_the_end(results, tmp_path):
    stream = results.stream(tmp_path / "out")
    with pytest.raises(UsageError, match="has not ended"):
        stream.report  # noqa: B018
    list(stream)
    with pytest.raises(UsageError, match="one run"):
        list(stream)


ABANDONED = """
import sys, signal, splashdown
source, target, way = sys.argv[1:]
stream = splashdown.open(source).stream(target, ahead=1, settings=splashdown.Settings(jobs=1))
loop = iter(stream)
next(loop)
if way == "signal":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.raise_signal(signal.SIGINT)
"""


@pytest.mark.parametrize("way", ["left", "signal"])
def test_a_program_that_ends_inside_the_loop_leaves_a_receipt(server, tmp_path, way):
    source, target = item(server, tmp_path / "source", 6), tmp_path / "out"
    done = subprocess.run([sys.executable, "-c", ABANDONED, source, target, way], capture_output=True, timeout=60)
    assert (done.returncode == 0) == (way == "left")
    stored = in_receipt(target)
    assert 1 <= len(stored) <= 3
    assert files(target) == stored | {"item.json"}


def test_ctrl_c_while_the_loop_waits_raises_with_the_report(results, server, tmp_path, monkeypatch):
    more = threading.Event()
    server.script("/f5.bin", Stall(0, more))
    stream = results.stream(tmp_path / "out")
    taken = []

    def take(seconds=None):
        if len(taken) == 5:
            raise KeyboardInterrupt
        return usual(seconds)

    usual = stream._outlet.take
    monkeypatch.setattr(stream._outlet, "take", take)
    try:
        with pytest.raises(Interrupted) as caught:
            taken.extend(stream)
    finally:
        more.set()
    assert caught.value.report is stream.report
    assert stream.report.interrupted == "SIGINT"
    assert in_receipt(tmp_path / "out") == names(5)


async def _collect(stream):
    return {outcome.transfer.name async for outcome in stream}


def test_the_same_object_is_an_async_loop(results, tmp_path):
    stream = results.stream(tmp_path / "out", ahead=1)
    assert asyncio.run(_collect(stream)) == names(6)
    assert in_receipt(tmp_path / "out") == names(6)


def test_leaving_an_async_loop_ends_the_run(results, tmp_path):
    async def main():
        async with results.stream(tmp_path / "out", ahead=1) as stream:
            async for _ in stream:
                break
        return stream.report

    report = asyncio.run(main())
    assert report.interrupted == "break"
    assert in_receipt(tmp_path / "out") == {one.transfer.name for one in report.landed} < names(6)


def test_cancelling_a_task_ends_its_run_and_not_the_loop_of_others(results, server, tmp_path):
    more = threading.Event()
    server.script("/f5.bin", Stall(0, more))
    ticks = []

    async def tick():
        while True:
            ticks.append(1)
            await asyncio.sleep(0.01)

    async def main():
        first, others = asyncio.Event(), asyncio.create_task(tick())

        async def land():
            async for _ in results.stream(tmp_path / "out"):
                first.set()

        task = asyncio.create_task(land())
        await first.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        others.cancel()

    try:
        asyncio.run(main())
    finally:
        more.set()
    assert len(ticks) > 2
    assert "a005.bin" not in in_receipt(tmp_path / "out")


def test_aio_awaits_the_same_verbs(server, tmp_path):
    source = item(server, tmp_path / "source", 3)

    async def main():
        results = await splashdown.aio.open(source)
        assert len(results) == 3
        places = await results.download_files(tmp_path / "out")
        one = await results.download_file(tmp_path / "one.bin", "a001.bin")
        synced = await results.sync(tmp_path / "out", delete=True)
        root = await results.select(keys="a000.bin").download_collection(tmp_path / "catalog")
        data = await results.load("a001.bin", "bytes")
        return places, one, synced, root, data

    places, one, synced, root, data = asyncio.run(main())
    assert {path.name for path in places} == names(3) | {"item.json"}
    assert one.read_bytes() == data == b"0001" * 500
    assert synced.report.ok
    assert root.exists()


def test_aio_raises_failures_and_is_cancelled_as_the_loop_is(server, tmp_path):
    source = item(server, tmp_path / "source", 3)
    more = threading.Event()
    server.script("/f0.bin", *[Status(404)] * 5)

    async def fails():
        await (await splashdown.aio.open(source)).download_files(tmp_path / "out")

    async def hangs():
        results = await splashdown.aio.open(source)
        await asyncio.wait_for(results.download_files(tmp_path / "late", settings=Settings(jobs=3)), 1.0)

    with pytest.raises(DownloadError):
        asyncio.run(fails())
    server.script("/f1.bin", Stall(0, more))
    try:
        with pytest.raises(TimeoutError):
            asyncio.run(hangs())
    finally:
        more.set()
    assert in_receipt(tmp_path / "late") >= {"a002.bin"}
    assert "a001.bin" not in files(tmp_path / "late")
