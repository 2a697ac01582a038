"""Several processes that know nothing of each other save into one target: none fails, and nothing is forgotten."""

from __future__ import annotations

import json
import os
import random
import threading
import time

import pytest
from fault_server import FaultServer
from faults import Drip
from scene import (
    HIDDEN,
    MINE,
    THIS_MACHINE,
    Folder,
    Machine,
    Prefix,
    Source,
    complaint,
    multihash,
    start,
    verified,
    wrong_with_the_end,
)

import splashdown
from splashdown import Settings
from splashdown._receipts.memory import TargetMemory
from splashdown.builtins.local import LocalSink
from splashdown.model import StoredRecord

HOURS = 7200.0
OTHER_MACHINE = "0123456789ab"


@pytest.fixture
def server():
    with FaultServer() as running:
        yield running


@pytest.fixture(scope="module")
def client(weed):
    import boto3
    from botocore.config import Config

    made = boto3.session.Session().client(
        "s3",
        endpoint_url=weed.url,
        region_name="us-east-1",
        aws_access_key_id=weed.access_key,
        aws_secret_access_key=weed.secret_key,
        config=Config(s3={"addressing_style": "path"}),
    )
    made.create_bucket(Bucket="writers")
    yield made
    made.close()


@pytest.fixture(params=["disk", "s3"])
def target(request, tmp_path, monkeypatch):
    """A folder or a prefix, with a file of the user's own in it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    if request.param == "disk":
        made = Folder(tmp_path / "out")
    else:
        for name, value in request.getfixturevalue("weed").environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        made = Prefix(request.getfixturevalue("client"), "writers", f"{tmp_path.name}/")
    made.put(MINE, b"not from here")
    return made


@pytest.fixture
def source(server, tmp_path):
    """Makes sources that are one item, each as another process sees it."""

    def make(name="one", drip=0.0):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        return Source(server=server, path=folder / "x.json", drip=drip)

    return make


def run(source, target, machine=THIS_MACHINE):
    return start("download", str(source.save()), target.url, "--quiet", "--json", machine=machine)


def held(server, path):
    """Let the server send the beginning of a file, and the rest when the event is set."""
    go = threading.Event()
    server.always(path, lambda handler, answer: handler.send(answer, pause=lambda: go.wait(60)))
    return go


def hidden(target):
    return [name for name in target.names() if name.startswith(HIDDEN)]


class TestClocks:
    """Machines that share a target disagree about the time by two hours."""

    @pytest.fixture
    def under_way(self, server, source, target):
        """A process of another machine that has stored one file and is in the middle of the next."""
        one = source()
        one.put("done.bin", b"done")
        one.put("held.bin", bytes(range(256)) * 800)
        go = held(server, "/x/held.bin")

        def begin(skew):
            process = run(one, target, Machine(skew=skew, number=OTHER_MACHINE))
            seen = server.wait_for(
                lambda seen: (
                    process.poll() is not None
                    or ("done.bin" in target.names() and any(each.sent for each in seen if "held" in each.path))
                ),
                tick=0.05,
            )
            assert process.poll() is None, (seen, process.communicate())
            return one, go, process

        yield begin
        go.set()

    @pytest.mark.parametrize(("theirs", "mine"), [(0, HOURS), (0, -HOURS), (-HOURS, 0)])
    def test_no_active_run_loses_its_files_to_another(self, under_way, source, target, theirs, mine):
        one, go, process = under_way(theirs)
        left = hidden(target)
        two = source("two")
        two.put("other.bin", b"other")
        assert complaint(run(two, target, Machine(skew=mine))) == ""
        assert set(left) <= set(hidden(target))
        go.set()
        assert complaint(process) == ""
        assert wrong_with_the_end(target, one.contents | two.contents) == []

    @pytest.mark.parametrize("target", ["disk"], indirect=True)
    @pytest.mark.parametrize("mine", [HOURS, -HOURS])
    def test_what_a_dead_run_left_is_taken_over(self, under_way, server, source, target, mine):
        one, _, process = under_way(0)
        # The server may have sent bytes before the file was begun.
        server.wait_for(lambda _: any(name.endswith(".part") for name in hidden(target)), tick=0.05)
        process.kill()
        process.communicate()
        for name in hidden(target):
            os.utime(target.path / name, (time.time() - 300,) * 2)
        two = source("two")
        two.put("other.bin", b"other")
        assert complaint(run(two, target, Machine(skew=mine))) == ""
        assert hidden(target) == []
        del one.contents["held.bin"]
        assert wrong_with_the_end(target, one.contents | two.contents) == []


@pytest.mark.parametrize("count", [2, pytest.param(4, marks=pytest.mark.slow), pytest.param(8, marks=pytest.mark.slow)])
def test_processes_that_store_the_same_or_other_files_lose_no_entry(source, target, count):
    draw = random.Random(count)
    shared = source("shared", drip=0.01)
    for number in range(6):
        shared.put(f"{number}.bin", draw.randbytes(draw.randint(1, 200_000)))
    for _ in range(2):  # the second time all of it has changed
        assert [complaint(one) for one in [run(shared, target) for _ in range(count)]] == [""] * count
        assert wrong_with_the_end(target, shared.contents) == []
        for name in shared.contents:
            shared.put(name, draw.randbytes(draw.randint(1, 200_000)))
    everything = dict(shared.contents)
    own = [source(f"own-{number}") for number in range(count)]
    for number, one in enumerate(own):
        for each in range(3):
            one.put(f"{number}-{each}.bin", draw.randbytes(draw.randint(1, 50_000)))
        everything |= one.contents
    assert [complaint(one) for one in [run(each, target) for each in (shared, *own)]] == [""] * (count + 1)
    assert wrong_with_the_end(target, everything) == []
    assert_nothing_changes(source, target, everything)


def assert_nothing_changes(source, target, contents):
    """One more run over everything stores nothing, and leaves every byte as it was."""
    last = source("last")
    last.contents = dict(contents)
    said = {}
    for _ in range(2):  # the first one writes one receipt for all of what several runs have listed
        before = {name: target.read(name) for name in target.names() if not name.startswith(HIDDEN)}
        out, errors = run(last, target).communicate(timeout=60)
        said = {one["status"] for one in json.loads(out)["outcomes"]}
        assert said == {"skipped"}, errors
    assert {name: target.read(name) for name in target.names() if not name.startswith(HIDDEN)} == before


def test_a_file_that_two_processes_send_at_once_is_one_of_both(server, source, target):
    """The file is replaced under both, and each believes the other."""
    one = source()
    one.put("a.bin", b"first version")
    assert complaint(run(one, target)) == ""
    one.put("a.bin", bytes(300_000))
    server.always("/x/a.bin", Drip(size=64 * 1024, delay=0.05))
    assert [complaint(each) for each in [run(one, target) for _ in range(3)]] == ["", "", ""]
    assert wrong_with_the_end(target, one.contents) == []


def test_the_receipt_describes_the_version_that_another_run_put_last(server, source, tmp_path):
    """Another run replaces a file after this one has stored it, and ends, or is killed, first."""
    one, out = source(), tmp_path / "out"
    one.put("a.bin", b"old version")
    one.put("b.bin", b"later")
    new = b"the version that came meanwhile"

    def replaced(handler, answer):
        server.wait_for(lambda _: (out / "a.bin").exists(), tick=0.02)
        with TargetMemory(LocalSink(out)) as other:
            record = StoredRecord(size=len(new), checksum=multihash(new), identity=(None, "a.bin"))
            other.storing({"a.bin": record})
            (out / "a.bin").write_bytes(new)
        handler.send(answer)

    server.always("/x/b.bin", replaced)
    splashdown.open(one.save()).download_files(out, settings=Settings(jobs=1))
    entry = json.loads((out / "item.json").read_text())["assets"]["a.bin"]
    assert (entry["file:size"], entry["file:checksum"]) == (len(new), multihash(new))
    assert verified(Folder(out)).ok
