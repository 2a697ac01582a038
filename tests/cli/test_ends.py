"""However a command ends, it says what became of every asset."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fault_server import FaultServer
from faults import Stall
from stac_item import stac_item

DATA = bytes(300_000)


@pytest.fixture
def server():
    with FaultServer() as running:
        yield running


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_download_with_a_whole_report_and_a_receipt(server, tmp_path, number, code):
    server.add("/a.bin", b"small")
    server.add("/b.bin", DATA)
    server.script("/b.bin", Stall(100_000))
    source = tmp_path / "source.json"
    source.write_text(json.dumps(stac_item({f"{n}.bin": {"href": f"{server.url}/{n}.bin"} for n in "ab"})))
    target = tmp_path / "out"
    command = [str(Path(sys.executable).with_name("splashdown")), "download", str(source), str(target), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    server.wait_for(lambda seen: (target / "a.bin").exists() and len(seen) == 2, tick=0.05)
    process.send_signal(number)
    out, errors = process.communicate(timeout=30)
    assert process.returncode == code, errors
    report = json.loads(out)
    assert {one["name"]: one["status"] for one in report["outcomes"]} == {"a.bin": "stored", "b.bin": "not_tried"}
    assert report["interrupted"] == number.name
    assert "1 of 2 assets landed, 1 not tried" in errors
    described = json.loads((target / "item.json").read_text())["assets"]
    assert described["a.bin"]["href"] == "./a.bin"


def test_a_receipt_that_cannot_be_written_leaves_the_report_whole(tmp_path, capsys, monkeypatch):
    from splashdown._cli.main import main
    from splashdown._receipts import document
    from splashdown.errors import StoreError

    (tmp_path / "a.txt").write_text("a")
    source = tmp_path / "source.json"
    source.write_text(json.dumps(stac_item({"a.txt": {"href": "a.txt"}})))

    def full(*_):
        raise StoreError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(document, "write", full)
        assert main(["download", str(source), str(tmp_path / "out"), "--json"]) == 1
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert [one["status"] for one in report["outcomes"]] == ["stored"]
    assert "No space left" in report["metadata_error"]
    assert "No space left" in said.err
    assert main(["verify", str(tmp_path / "out")]) == 0
    assert main(["download", str(source), str(tmp_path / "out"), "--quiet"]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.txt", "item.json"]
