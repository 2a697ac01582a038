"""A large file that several workers move: whole, of one version, with its checksum, and on to its end after any loss."""

from __future__ import annotations

import _thread
import hashlib
import json
import multiprocessing
import random
import threading
from collections import Counter

import pytest
from executors import Losing, Pickling, Twice
from fault_server import FaultServer
from faults import Drip, NewVersion, Status

from splashdown import Session, Settings
from splashdown._workers.large_files import chosen
from splashdown.errors import Interrupted
from splashdown.events import RunFinished

MIB = 2**20
#: A file of 8 MiB is large, and cut into parts of 256 KiB.
SETTINGS = Settings(range_cutoff=MIB, part_size=MIB // 4)
CONTENT = random.Random(1).randbytes(8 * MIB)


@pytest.fixture
def server():
    with FaultServer() as running:
        yield running


def item(server, folder, *, checksum=None):
    """An item with a large file and three small ones."""
    folder.mkdir()
    assets = {"large.bin": {"href": server.add("/large.bin", CONTENT), "file:size": len(CONTENT)}}
    if checksum:
        assets["large.bin"]["file:checksum"] = checksum
    for number in range(3):
        assets[f"s{number}.bin"] = {"href": server.add(f"/s{number}.bin", b"%d" % number), "file:size": 1}
    document = {"type": "Feature", "stac_version": "1.0.0", "id": "i", "geometry": None, "links": [], "assets": assets}
    path = folder / "item.json"
    path.write_text(json.dumps(document | {"properties": {"datetime": "2024-01-01T00:00:00Z"}}))
    return str(path)


def assert_whole(target, content=CONTENT):
    assert sorted(one.name for one in target.iterdir()) == ["item.json", "large.bin", "s0.bin", "s1.bin", "s2.bin"]
    assert (target / "large.bin").read_bytes() == content
    receipt = json.loads((target / "item.json").read_text())["assets"]["large.bin"]
    assert receipt["file:checksum"] == f"1220{hashlib.sha256(content).hexdigest()}"
    with Session() as session:
        assert session.run("verify", target).ok


def starts_of(server):
    """Where each answer about the large file began."""
    return [int((one.range or "bytes=0-")[6:].partition("-")[0]) for one in server.seen if one.path == "/large.bin"]


def test_processes_share_a_large_file_and_ask_for_each_byte_once(server, tmp_path):
    source = item(server, tmp_path / "source", checksum=f"1220{hashlib.sha256(CONTENT).hexdigest()}")
    events = []
    with Session(settings=SETTINGS) as session:
        session.open(source).download_files(tmp_path / "out", executor="processes:2", listeners=[events.append])
    (report,) = [event.report for event in events if isinstance(event, RunFinished)]
    (large,) = [one for one in report.outcomes if one.transfer.name == "large.bin"]
    assert {"size", "checksum"} <= set(large.verified)
    assert len(CONTENT) <= large.bytes_moved < len(CONTENT) + MIB
    assert_whole(tmp_path / "out")
    starts = starts_of(server)
    assert len(starts) >= 8
    assert max(Counter(start for start in starts if start).values()) == 1


@pytest.mark.parametrize("make", [lambda: Pickling(2), lambda: Twice(2), lambda: Losing("put", losses=3)])
def test_a_piece_that_runs_twice_or_is_lost_costs_nothing_but_time(server, tmp_path, make):
    with Session(settings=SETTINGS) as session, make() as executor:
        session.open(item(server, tmp_path / "source")).download_files(tmp_path / "out", executor=executor)
    assert_whole(tmp_path / "out")


def test_killed_processes_have_their_parts_moved_by_others(server, tmp_path):
    source, others, killed = item(server, tmp_path / "source"), set(multiprocessing.active_children()), []
    server.script("/large.bin", None, *[Drip(MIB // 4, 0.1)] * 6)

    def kill():
        server.wait_for(lambda seen: sum(one.path == "/large.bin" for one in seen) >= 3)
        for process in set(multiprocessing.active_children()) - others:
            process.kill()
            killed.append(process)

    killer = threading.Thread(target=kill)
    killer.start()
    with Session(settings=SETTINGS) as session:
        session.open(source).download_files(tmp_path / "out", executor="processes:2")
    killer.join()
    assert len(killed) == 2
    assert_whole(tmp_path / "out")


def test_the_coordinator_moves_what_every_worker_loses(server, tmp_path):
    with Session(settings=SETTINGS) as session, Losing("put", losses=1000) as executor:
        session.open(item(server, tmp_path / "source")).download_files(tmp_path / "out", executor=executor)
    assert_whole(tmp_path / "out")


def test_a_file_that_changes_meanwhile_is_of_the_new_version(server, tmp_path):
    source, other = item(server, tmp_path / "source"), random.Random(2).randbytes(8 * MIB)
    server.script("/large.bin", None, None, None, NewVersion(other))
    with Session(settings=SETTINGS) as session, Pickling(2) as executor:
        session.open(source).download_files(tmp_path / "out", executor=executor)
    assert_whole(tmp_path / "out", other)


def test_a_server_that_refuses_workers_is_asked_by_the_coordinator(server, tmp_path):
    source = item(server, tmp_path / "source")
    server.script("/large.bin", None, *[Status(403)] * 4)
    with Session(settings=SETTINGS) as session, Pickling(2) as executor:
        session.open(source).download_files(tmp_path / "out", executor=executor)
    assert_whole(tmp_path / "out")


def test_a_run_that_is_stopped_goes_on_with_the_parts_of_its_workers(server, tmp_path):
    source = item(server, tmp_path / "source")
    server.script("/large.bin", None, None, None, *[Drip(MIB // 8, 0.5)] * 20)
    begun = threading.Event()

    def stop(event):
        if type(event).__name__ == "Progress" and event.transfer.name == "large.bin" and event.done > 2 * MIB:
            begun.set()
            _thread.interrupt_main()

    with Session(settings=SETTINGS) as session, Pickling(2) as executor:
        results = session.open(source)
        with pytest.raises(Interrupted):
            results.download_files(tmp_path / "out", executor=executor, listeners=[stop])
        assert begun.is_set()
        before = len(server.seen)
        server.forget("/large.bin")
        results.download_files(tmp_path / "out")
    assert sum(one.sent for one in server.seen[before:] if one.path == "/large.bin") < len(CONTENT)
    assert_whole(tmp_path / "out")


def test_files_are_shared_where_one_is_more_than_a_worker_has_to_do():
    assert chosen([(0, 100), (1, 5), (2, None)], 4, 10) == [0]
    assert chosen([(0, 100), (1, 5)], 1, 10) == []
    assert chosen([(n, 100) for n in range(9)], 4, 10) == []
    assert chosen([(0, 39)], 4, 10) == []
