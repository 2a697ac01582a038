"""Who may start a download: a notebook's running event loop, and several threads at once."""

from __future__ import annotations

import asyncio
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from fault_server import FaultServer
from stac_item import stac_item

import splashdown

DATA = random.Random(9).randbytes(200_000)


@pytest.fixture
def document():
    with FaultServer() as server:
        assets = {f"{n}.bin": {"href": server.add(f"/{n}.bin", DATA[n:])} for n in range(6)}
        yield stac_item(assets, id="scene", stac_version="1.0.0")


def landed(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix == ".bin"}


def test_inside_a_running_event_loop(document, tmp_path):
    async def notebook():
        results = splashdown.open(document)
        results.download_files(tmp_path / "files")
        return results.get_asset("3.bin").load_bytes()

    assert asyncio.run(notebook()) == DATA[3:]
    assert landed(tmp_path / "files") == {f"{n}.bin": DATA[n:] for n in range(6)}


def test_from_several_threads_with_one_session(document, tmp_path):
    with splashdown.Session(discover=False) as session, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: session.open(document).download_files(tmp_path / str(n)), range(4)))
    for n in range(4):
        assert landed(tmp_path / str(n)) == {f"{n}.bin": DATA[n:] for n in range(6)}
