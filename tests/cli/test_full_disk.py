"""A disk that fills up in the middle of a run: the report is whole, and all that landed stays known."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fault_server import FaultServer
from machine import own_mounts
from stac_item import stac_item

PROGRAM = Path(sys.executable).with_name("splashdown")
#: The disk is another file system for this shell and its children alone, so that results are copied out of it.
SCRIPT = """
mount -t tmpfs -o size="$1" tmpfs out || exit 9
for source in $2; do
  "$0" download "$source" out --json --jobs 2 >report.json 2>errors.txt
  echo $? >code.txt
done
"$0" verify out --json >verify.json
ls out >names.txt
cp out/item.json receipt.json 2>/dev/null || true
"""


@pytest.fixture
def server():
    with FaultServer() as running:
        yield running


@pytest.fixture
def fill(server, tmp_path):
    """Download sources one after the other onto a small disk; what the last one said, and what is there then."""

    def run(size, *sources):
        for number, sizes in enumerate(sources):
            for name, count in sizes.items():
                server.add(f"/{name}", name[:1].encode() * count)
            assets = {name: {"href": f"{server.url}/{name}"} for name in sizes}
            (tmp_path / f"{number}.json").write_text(json.dumps(stac_item(assets)))
        (tmp_path / "out").mkdir()
        names = " ".join(f"{number}.json" for number in range(len(sources)))
        done = subprocess.run(
            [*own_mounts(), "sh", "-c", SCRIPT, str(PROGRAM), size, names],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == 0, done.stderr
        return Said(tmp_path)

    return run


class Said:
    def __init__(self, folder):
        self.code = int((folder / "code.txt").read_text())
        self.errors = (folder / "errors.txt").read_text()
        self.report = json.loads((folder / "report.json").read_text())
        self.states = {one["name"]: one["state"] for one in json.loads((folder / "verify.json").read_text())["files"]}
        self.names = set((folder / "names.txt").read_text().split())
        receipt = folder / "receipt.json"
        self.described = None
        if receipt.exists():
            entries = json.loads(receipt.read_text())["assets"].items()
            self.described = {name for name, entry in entries if "splashdown:key" in entry}

    def named(self, *statuses):
        return {one["name"] for one in self.report["outcomes"] if one["status"] in statuses}


def test_the_report_says_what_failed_landed_and_was_there(fill):
    said = fill("1m", {"a.bin": 100_000}, {"a.bin": 100_000, "b.bin": 5_000_000, "c.bin": 50_000, "d.bin": 3_000_000})
    assert said.code == 1
    assert said.named("failed") == {"b.bin", "d.bin"}
    assert said.named("stored") == {"c.bin"}
    assert said.named("skipped") == {"a.bin"}
    assert "2 of 4 assets failed, 1 landed, 1 was there already" in said.errors
    assert said.described == {"a.bin", "c.bin"}
    assert said.states == {"a.bin": "ok", "c.bin": "ok"}


def test_room_for_the_receipt_is_kept_while_files_fill_the_disk(fill):
    said = fill("2m", {f"{number:03}.bin": 3_000 for number in range(300)})
    landed = said.named("stored")
    assert 50 < len(landed) < 300
    assert said.code == 5  # the first eight failures show that the others would fail too
    assert said.named("failed", "not_tried") | landed == {f"{number:03}.bin" for number in range(300)}
    assert said.described == landed
    assert said.states == dict.fromkeys(landed, "ok")
    assert said.names == landed | {"item.json"}


def test_without_room_for_a_receipt_what_landed_is_known_all_the_same(fill):
    said = fill("600k", {f"{number:03}.bin": 3_000 for number in range(300)})
    landed = said.named("stored")
    assert len(landed) > 10
    assert said.code == 5
    assert "No space left" in said.report["metadata_error"]
    assert said.described is None
    assert said.states == dict.fromkeys(landed, "ok")
