"""What a small file costs: Python calls, which do not depend on how busy the machine is, as seconds do."""

from __future__ import annotations

import sys
import threading
from collections import Counter

import pytest
from executors import Pickling
from fault_server import FaultServer
from stac_item import stac_item

import splashdown
from splashdown._engine.pacing import Pacing

#: Python calls for one more file of 64 KiB from the source to the receipt, and a tenth for other versions of Python
#: and of the libraries. Lower it with each call that goes.
MOST_CALLS = 124
#: The same for one more file of a run that changes nothing, where the metadata promise nothing: each source is asked.
MOST_CALLS_UNCHANGED = 146
#: The same at the coordinator of workers, from the plan to the receipt.
MOST_CALLS_COORDINATOR = 33
#: Each thread makes a connection, which costs as much as some files: their number has to be the same.
SETTINGS = splashdown.Settings(jobs=8)
FEW, MANY = 1_100, 1_300  #: beyond the number from which assets are packed


@pytest.fixture(autouse=True)
def no_looks(monkeypatch):
    """Leave out what the calling thread does while it waits: it looks the more often, the busier the machine is."""
    monkeypatch.setattr(Pacing, "look", lambda *_, **__: 600.0)


def calls_of(server: FaultServer, target, count: int, executor=None) -> int:
    """Calls in the threads of the run; those of the server and of workers are left out."""
    calls = Counter[str]()

    def profile(frame, event, arg):
        if event == "call":
            calls[threading.current_thread().name.partition("-")[0]] += 1

    document = stac_item({f"{n}.bin": {"href": f"{server.url}/a.bin?{n}"} for n in range(count)}, id="many")
    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        paths = splashdown.open(document).download_files(target, progress=False, settings=SETTINGS, executor=executor)
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    assert len(paths) == count + 1  # the receipt
    # The engine of workers runs in threads of this process, too.
    return calls["MainThread"] + (calls["splashdown"] if executor is None else 0)


def test_one_more_small_file_costs_no_more_calls_than_it_may(tmp_path):
    with FaultServer() as server:
        server.add("/a.bin", bytes(64 * 1024))
        calls_of(server, tmp_path / "first", 1)  # imports what a run needs
        few, many = (calls_of(server, tmp_path / str(count), count) for count in (FEW, MANY))
    assert (many - few) / (MANY - FEW) < MOST_CALLS


def test_one_more_file_that_has_not_changed_costs_no_more_calls_than_it_may(tmp_path):
    with FaultServer() as server:
        server.add("/a.bin", bytes(64 * 1024))
        for count in (FEW, MANY):
            calls_of(server, tmp_path / str(count), count)
        few, many = (calls_of(server, tmp_path / str(count), count) for count in (FEW, MANY))
        assert server.seen[-1].headers.get("if-none-match")
    assert (many - few) / (MANY - FEW) < MOST_CALLS_UNCHANGED


def test_one_more_file_of_workers_costs_their_coordinator_no_more_calls_than_it_may(tmp_path):
    with FaultServer() as server, Pickling(2) as executor:
        server.add("/a.bin", bytes(1024))
        calls_of(server, tmp_path / "first", 1, executor)
        few, many = (calls_of(server, tmp_path / str(count), count, executor) for count in (FEW, MANY))
    assert (many - few) / (MANY - FEW) < MOST_CALLS_COORDINATOR
