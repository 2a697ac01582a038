"""Kills, interrupts, full disks and failing system calls: the old file or the new one, and a clear error."""

from __future__ import annotations

import hashlib
import json
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fault_server import FaultServer
from faults import Drip, Stall
from machine import need_strace, own_mounts

FETCH = str(Path(__file__).parents[1] / "support" / "fetch.py")
DATA = random.Random(5).randbytes(1_200_000)
OLD = "the old file"


def digest(data):
    return hashlib.sha256(data if isinstance(data, bytes) else data.encode()).hexdigest()


@pytest.fixture
def server():
    with FaultServer() as running:
        running.add("/a.bin", DATA)
        yield running


def command(target, server, **order):
    order = {"files": {"a.bin": server.url + "/a.bin"}, "target": str(target), **order}
    return [sys.executable, FETCH, json.dumps(order)]


def finished(process):
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def run(prefix, *args, **order):
    return subprocess.run([*prefix, *command(*args, **order)], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_random_and_started_again_until_done(server, tmp_path, seed):
    draw = random.Random(seed)
    files = {f"{n}.bin": DATA[n * 100_000 :] for n in range(3)}
    for name, data in files.items():
        server.add("/" + name, data)
        server.always("/" + name, Drip(size=20_000, delay=0.01))
    target = tmp_path / "target"
    order = {
        "receipt": True,
        "files": {name: f"{server.url}/{name}" for name in files},
        "settings": {"part_size": 50_000, "range_cutoff": 600_000, "range_connections": 3},
    }
    kills = 0
    while True:
        process = subprocess.Popen(command(target, server, **order), stdout=subprocess.PIPE, text=True)
        if kills == 12:
            break
        goal = server.sent() + draw.randrange(50_000, 500_000)
        server.wait_for(lambda _, goal=goal, end=process: server.sent() >= goal or end.poll() is not None, tick=0.05)
        if process.poll() is not None:
            break
        process.kill()
        process.communicate()
        kills += 1
        for name, data in files.items():
            path = target / name
            assert not path.exists() or path.read_bytes() == data
    said = json.loads(process.communicate(timeout=60)[0])
    assert kills > 0
    assert [error for _, _, error in said["outcomes"]] == [""] * len(files)
    # A kill between the making of a partial file and its note in the journal leaves it, empty, for a week.
    unnoted = {name for name, found in said["there"].items() if name.endswith(".part") and found == digest(b"")}
    assert {name: found for name, found in said["there"].items() if name not in unnoted} == {
        name: digest(data) for name, data in files.items()
    }
    assert unnoted or not (target / ".splashdown").exists()
    # Every kill loses less than a part for each connection, plus what was in the sockets (more where the machine is
    # busy): it never starts over, which would cost 3,300,000 bytes a kill.
    lost = server.sent() - sum(map(len, files.values()))
    assert lost <= kills * 3 * 3 * (50_000 + 200_000)


def test_two_processes_on_one_target_at_once_both_end_with_whole_files(server, tmp_path):
    files = {f"{n}.bin": DATA[n * 100_000 :] for n in range(4)}
    for name, data in files.items():
        server.add("/" + name, data)
        server.always("/" + name, Drip(size=50_000, delay=0.01))
    order = {
        "files": {name: f"{server.url}/{name}" for name in files},
        "if_exists": "overwrite",
        "settings": {"part_size": 100_000, "range_cutoff": 300_000, "range_connections": 3},
    }
    target = tmp_path / "target"
    pair = [subprocess.Popen(command(target, server, **order), stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in pair:
        said = json.loads(process.communicate(timeout=60)[0])
        assert [error for _, _, error in said["outcomes"]] == [""] * len(files)
    assert {path.name: path.read_bytes() for path in target.iterdir()} == files


def test_killed_while_replacing_a_file_leaves_the_old_one(server, tmp_path):
    (tmp_path / "a.bin").write_text(OLD)
    server.script("/a.bin", Stall(600_000))
    process = subprocess.Popen(command(tmp_path, server, if_exists="overwrite"))
    server.wait_for(lambda seen: any(one.sent >= 600_000 for one in seen))
    process.kill()
    process.wait()
    assert (tmp_path / "a.bin").read_text() == OLD
    assert finished(run([], tmp_path, server, if_exists="overwrite"))["there"]["a.bin"] == digest(DATA)


@pytest.mark.parametrize("resume", [True, False])
def test_what_a_killed_run_had_begun_and_nobody_can_resume_goes_with_the_next(server, tmp_path, resume):
    names = [f"{n}.bin" for n in range(4)]
    for name in names:
        server.add("/" + name, DATA[:50_000])
        server.script("/" + name, Stall(20_000))
    order = {"files": {name: f"{server.url}/{name}" for name in names}, "settings": {"resume": resume}}
    process = subprocess.Popen(command(tmp_path, server, **order))
    hidden = tmp_path / ".splashdown"

    def begun(_):
        return sum(path.read_bytes().count(b'"open"') for path in hidden.glob("*.journal")) == len(names)

    server.wait_for(begun, tick=0.05)
    process.kill()
    process.wait()
    assert len(finished(run([], tmp_path, server, **order))["there"]) == len(names)
    assert sorted(path.name for path in tmp_path.iterdir()) == names


@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_what_an_ended_run_has_stored_is_known_to_the_next_without_a_receipt(server, tmp_path, resume, number):
    server.add("/small.bin", b"small")
    server.script("/a.bin", Stall(200_000))
    files = {name: f"{server.url}/{name}" for name in ("small.bin", "a.bin")}
    order = {"files": files, "settings": {"resume": resume}}
    process = subprocess.Popen(command(tmp_path, server, **order), stderr=subprocess.DEVNULL)
    journals = (tmp_path / ".splashdown").glob

    def under_way(_):
        # A partial file that is not in the journal yet would be kept for a while, for the run that may be writing it.
        noted = any(b'"name":"a.bin"' in path.read_bytes() for path in journals("*.journal"))
        return noted and (tmp_path / "small.bin").exists()

    server.wait_for(under_way, tick=0.05)
    process.send_signal(number)
    process.wait()
    said = finished(run([], tmp_path, server, **order))
    assert [status for status, _, _ in said["outcomes"]] == ["skipped", "stored"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.bin", "small.bin"]


@pytest.mark.parametrize("resume", [True, False])
def test_an_interrupt_waits_for_no_server_and_keeps_what_can_be_resumed(server, tmp_path, resume):
    settings = {"part_size": 100_000, "range_connections": 1, "resume": resume}
    server.script("/a.bin", Stall(650_000))
    process = subprocess.Popen(command(tmp_path, server, settings=settings), stderr=subprocess.PIPE, text=True)
    hidden, full = tmp_path / ".splashdown", 3 if resume else 0

    def taken(seen):
        noted = sum(path.read_bytes().count(b'"do":"part"') for path in hidden.glob("*.journal"))
        return any(one.sent >= 650_000 for one in seen) and noted >= full

    server.wait_for(taken, tick=0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)  # the server would be waited for twice as long
    assert "KeyboardInterrupt" in errors
    if not resume:
        assert list(tmp_path.iterdir()) == []
        return
    said = finished(run([], tmp_path, server, settings=settings))
    assert said["there"] == {"a.bin": digest(DATA)}
    # Of what was sent, a chunk (256 KiB) may still have been gathered and a part (100,000 bytes) not been full.
    assert said["moved"] <= len(DATA) - 650_000 + 256 * 1024 + 100_000


class TestFullDisk:
    def fetch(self, server, tmp_path, size, **order):
        script = f"mount -t tmpfs -o {size} tmpfs {tmp_path} && exec " + '"$0" "$@"'
        return finished(
            run([*own_mounts(), "sh", "-c", script], tmp_path, server, old=OLD, if_exists="overwrite", **order)
        )

    def test_found_while_writing(self, server, tmp_path):
        said = self.fetch(server, tmp_path, "size=500k")
        ((status, kind, text),) = said["outcomes"]
        assert (status, kind) == ("failed", "StoreError")
        assert "No space left" in text
        assert said["there"] == {"a.bin": digest(OLD)}

    def test_found_in_the_middle_of_a_file_of_several_parts(self, server, tmp_path):
        said = self.fetch(server, tmp_path, "size=500k", settings={"part_size": 100_000})
        assert said["outcomes"][0][1] == "StoreError"
        assert said["there"] == {"a.bin": digest(OLD)}

    def test_found_before_the_first_byte_where_sizes_are_known(self, server, tmp_path):
        said = self.fetch(server, tmp_path, "size=500k", sizes={"a.bin": len(DATA)})
        assert said["error"].startswith("StoreError")
        assert "free" in said["error"]
        assert server.seen == []
        assert said["there"] == {"a.bin": digest(OLD)}

    def test_no_more_names(self, server, tmp_path):
        said = self.fetch(server, tmp_path, "size=9m,nr_inodes=2")
        assert said["outcomes"][0][1] == "StoreError"
        assert said["there"] == {"a.bin": digest(OLD)}


class TestSystemCalls:
    """``inject`` breaks what concerns the partial file alone."""

    def fetch(self, server, tmp_path, inject, *, trace, **order):
        need_strace()
        partial = tmp_path / ".splashdown" / "fixed-1.part"
        partial.parent.mkdir(exist_ok=True)
        prefix = [
            "strace",
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-P",
            str(partial),
            "-P",
            partial.name,
            "-e",
            f"trace={trace}",
        ]
        prefix += [*(["-e", f"inject={inject}"] if inject else [])]
        return run(prefix, tmp_path, server, partial="fixed", old=OLD, if_exists="overwrite", **order)

    @pytest.mark.parametrize(
        ("inject", "text"),
        [
            ("write:error=ENOSPC:when=2+", "No space left"),
            ("write:error=EIO:when=1", "Input/output error"),
            ("write:error=EDQUOT:when=3+", "quota"),
            ("write:retval=1000:when=2", "were lost while writing"),
        ],
    )
    @pytest.mark.parametrize("parts", [{}, {"part_size": 100_000}])
    def test_a_write_that_fails_or_lies(self, server, tmp_path, inject, text, parts):
        server.always("/a.bin", Drip(size=100_000, delay=0.06))  # several chunks, so several writes
        said = finished(self.fetch(server, tmp_path, inject, trace="write", settings=parts))
        ((status, kind, error),) = said["outcomes"]
        assert (status, kind) == ("failed", "StoreError")
        assert text in error
        assert said["there"] == {"a.bin": digest(OLD)}

    def test_an_fsync_that_fails(self, server, tmp_path):
        process = self.fetch(server, tmp_path, "fsync:error=EIO", trace="fsync", settings={"fsync": True})
        said = finished(process)
        assert said["outcomes"][0][1] == "StoreError"
        assert said["there"] == {"a.bin": digest(OLD)}

    def test_a_rename_that_fails(self, server, tmp_path):
        calls = "rename,renameat,renameat2"
        said = finished(self.fetch(server, tmp_path, f"{calls}:error=EACCES", trace=calls))
        assert said["outcomes"][0][1] == "StoreError"
        assert "Permission denied" in said["outcomes"][0][2]
        assert said["there"] == {"a.bin": digest(OLD)}

    def test_a_rename_to_another_filesystem_is_done_by_copying_beside_the_name(self, server, tmp_path):
        calls = "rename,renameat,renameat2"
        said = finished(self.fetch(server, tmp_path, f"{calls}:error=EXDEV", trace=calls))
        assert said["outcomes"][0][0] == "stored"
        assert said["there"] == {"a.bin": digest(DATA)}

    def test_nothing_broken_is_the_new_file(self, server, tmp_path):
        said = finished(self.fetch(server, tmp_path, "", trace="write", settings={"fsync": True}))
        assert said["there"] == {"a.bin": digest(DATA)}

    def test_killed_inside_a_write(self, server, tmp_path):
        server.always("/a.bin", Drip(size=100_000, delay=0.06))
        process = self.fetch(
            server, tmp_path, "write:signal=SIGKILL:when=4", trace="write", settings={"part_size": 100_000}
        )
        assert process.returncode != 0
        assert (tmp_path / "a.bin").read_text() == OLD
        server.always("/a.bin", Drip(size=1_000_000, delay=0))
        said = finished(run([], tmp_path, server, if_exists="overwrite"))
        assert said["there"] == {"a.bin": digest(DATA)}
        assert said["moved"] < len(DATA)
