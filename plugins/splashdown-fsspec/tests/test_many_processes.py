"""Processes that know nothing of each other save into one folder of a server: none fails, and nothing is forgotten."""

import json
import os
import secrets
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from fault_server import FaultServer, File
from faults import Drip
from fsspec.implementations.local import LocalFileSystem
from splashdown_fsspec._files import make_folder
from splashdown_fsspec._sink import FsspecSink
from stac_item import stac_item

import splashdown
from splashdown import Session
from splashdown._receipts.fragments import storing_line
from splashdown._receipts.object_notes import ObjectNotes
from splashdown.model import Content, Part, StoredRecord

PROGRAM = Path(sys.executable).with_name("splashdown")
NAMES = [f"{n}.bin" for n in range(6)]


@pytest.fixture
def web():
    with FaultServer() as running:
        for name in (*NAMES, *(f"other-{name}" for name in NAMES)):
            running.files[f"/{name}"] = File(name.encode() * 100)
            running.always(f"/{name}", Drip(size=400, delay=0.05))  # so that the runs are active at the same time
        yield running


@pytest.fixture(params=["sftp", "webdav"])
def target(request, monkeypatch):
    """A fresh folder on a server, and the variables with which a command signs in there."""
    server = request.getfixturevalue(request.param)
    for name in ("username", "password", "host", "known_hosts"):
        if (value := getattr(server.options, name)) is not None:
            monkeypatch.setenv(f"SPLASHDOWN_FSSPEC_{name.upper()}", value)
    return f"{server.url}/{secrets.token_hex(6)}"


@pytest.fixture
def start(web, target, tmp_path):
    """Start a command that downloads one item with these files."""

    def begin(item, names):
        source = tmp_path / f"{item}.json"
        source.write_text(json.dumps(stac_item({name: {"href": f"{web.url}/{name}"} for name in names}, id=item)))
        return subprocess.Popen(
            [PROGRAM, "download", source, target, "--jobs", "2", "--quiet", "--layout", "{key}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "XDG_STATE_HOME": str(tmp_path / f"state-{secrets.token_hex(4)}")},
        )

    return begin


def states(target):
    with Session() as session:
        return {one.name: str(one.state) for one in session.run("verify", target).files}


def ended(*processes):
    """What the processes said, where one of them failed."""
    said = [process.communicate(timeout=100)[0] for process in processes]
    return [text for text, process in zip(said, processes, strict=True) if process.returncode != 0]


def test_two_processes_with_other_files_lose_none(start, target):
    assert ended(start("one", NAMES), start("two", [f"other-{name}" for name in NAMES])) == []
    assert states(target) == dict.fromkeys([*NAMES, *(f"other-{name}" for name in NAMES)], "ok")


def test_two_processes_with_the_same_files_agree(start, target):
    assert ended(start("one", NAMES), start("one", NAMES)) == []
    assert states(target) == dict.fromkeys(NAMES, "ok")


def test_the_next_run_finds_everything_complete(start, target, tmp_path):
    assert ended(start("one", NAMES), start("two", [f"other-{name}" for name in NAMES])) == []
    again = splashdown.open(str(tmp_path / "one.json")).run("download_files", target=target, layout="{key}")
    assert [str(outcome.status) for outcome in again.report.outcomes] == ["skipped"] * len(NAMES)


@pytest.mark.parametrize("place", ["sftp", "webdav"])
def test_a_hidden_folder_that_another_run_removed_is_made_again(request, place):
    server = request.getfixturevalue(place)
    name = secrets.token_hex(6)
    sink = FsspecSink(f"{server.url}/{name}", server.options)
    for key in ("a.bin", "b.bin"):
        upload = sink.begin(key, Content(size=3, source=key))
        tag = sink.put_part(upload, Part(number=1, start=0, stop=3), [b"abc"])
        sink.commit(upload, [tag])
        (server.folder / name / ".splashdown").rmdir()  # as a run does that ends and finds it empty
    assert {path.name for path in (server.folder / name).iterdir()} == {"a.bin", "b.bin"}
    sink.close()


@pytest.mark.parametrize("place", ["sftp", "webdav"])
def test_a_run_that_replaces_its_notes_all_the_time_is_not_overlooked(request, place):
    server = request.getfixturevalue(place)
    target = f"{server.url}/{secrets.token_hex(6)}"
    with closing(FsspecSink(target, server.options)) as theirs, closing(FsspecSink(target, server.options)) as mine:
        notes, ended = ObjectNotes(theirs), threading.Event()
        notes.begin()
        notes.append(storing_line("a.bin", StoredRecord(size=1), notes.now()))
        with ThreadPoolExecutor(1) as pool:
            replacing = pool.submit(lambda: [notes._flush() for _ in iter(ended.is_set, True)])
            found = [ObjectNotes(mine).read() for _ in range(15)]
            ended.set()
            assert len(replacing.result()) > len(found)
    assert [active for _, active in found] == [True] * len(found)


class Slow(LocalFileSystem):
    """Says of a folder that it is not there just before another process makes it, and then refuses to make it."""

    cachable = False

    def mkdir(self, path, create_parents=True, **more):
        super().mkdir(path, create_parents, **more)
        raise OSError("Failure")


def test_a_folder_that_another_process_makes_first_is_taken(tmp_path):
    make_folder(Slow(), f"{tmp_path}/a/b")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "a").write_text("a file")
    with pytest.raises(OSError, match="a"):
        make_folder(LocalFileSystem(), f"{tmp_path}/a/b")
