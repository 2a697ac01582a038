"""What fits into 80 columns, what a large run shows at its end, and how messages spell options."""

from __future__ import annotations

import io
import json
import re
import time

import pytest
from fault_server import FaultServer, File
from stac_item import stac_item

from splashdown._cli import render
from splashdown._cli.main import main
from splashdown._cli.plain_table import fitted
from splashdown._cli.spelling import spelled
from splashdown.builtins.progress.bars import ProgressBars
from splashdown.builtins.progress.tally import Tally
from splashdown.events import Progress, Retried, RunStarted, TransferFinished, TransferStarted
from splashdown.model import Asset, Outcome, Plan, RunReport, Transfer
from splashdown.model import Status as End

SCENES = [f"S2A_MSIL2A_202306{day:02}T105031_N0509_R051_T31UFS_20230601T143025/B04.tif" for day in range(1, 6)]


def plan(names, size=None):
    transfers = tuple(Transfer(asset=Asset(key=n, href=f"https://h.example/{n}", size=size), name=n) for n in names)
    return Plan(target="out", transfers=transfers)


def test_a_row_fits_the_screen_and_names_stay_different():
    rows = [[name, "1.2 MiB", "stored", "length, checksum"] for name in SCENES]
    cut = fitted(("file", "size", "status", "checked"), rows, 80)
    assert len({row[0] for row in cut}) == len(SCENES)
    assert max(sum(map(len, row)) for row in cut) <= 80 - 4 * 3
    assert [row[1:] for row in cut] == [row[1:] for row in rows]
    assert fitted(("file",), [[SCENES[0]]], 200) == [[SCENES[0]]]
    long = [[*row[:3], "391297 bytes, 391296 were stored" * 2] for row in rows]
    assert len({row[0] for row in fitted(("file", "size", "status", "checked"), long, 60)}) == len(SCENES)


ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_narrow_screen_has_files_a_second_retries_and_waiting(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    screen = Terminal()
    run = plan(SCENES, size=1000)
    bars = ProgressBars(screen)
    bars(RunStarted(plan=run))
    for transfer in run.transfers:
        bars(TransferStarted(transfer=transfer, size=1000, offset=0))
    bars(Retried(transfer=run.transfers[0], attempt=1, delay=60.0, error="503"))
    bars(TransferFinished(outcome=Outcome(transfer=run.transfers[1], status=End.STORED, size=1000, bytes_moved=1000)))
    bars._bars.live.refresh()
    bars._bars.stop()
    shown = ANSI.sub("", screen.getvalue()).rpartition("1/5 files, 1 waiting, ")[2].splitlines()
    assert shown[0].split()[0].endswith("/s")
    names = [line.split()[0] for line in shown[1:] if line.strip()]
    assert len(set(names)) == len(names) == 4
    assert all(len(line) <= 80 for line in shown)


def test_bars_are_drawn_by_the_clock_and_failures_stay_few(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    screen = Terminal()
    run = plan([f"f{number:04}.tif" for number in range(1000)], size=10)
    bars = ProgressBars(screen)
    bars._bars.live.auto_refresh = False
    bars(RunStarted(plan=run))
    drawn = screen.tell()
    for transfer in run.transfers[:500]:
        bars(TransferStarted(transfer=transfer, size=10, offset=0))
        bars(TransferFinished(outcome=Outcome(transfer=transfer, status=End.STORED, size=10, bytes_moved=10)))
    assert screen.tell() == drawn
    for transfer in run.transfers[500:]:
        bars(TransferFinished(outcome=Outcome(transfer=transfer, status=End.FAILED, error_type="E", error="gone")))
    bars._bars.stop()
    shown = ANSI.sub("", screen.getvalue())
    assert shown.count("failed: E: gone") == 50
    assert shown.count("more failures and retries are not shown here") == 1


def test_a_long_list_fits_the_terminal_too(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    screen = Terminal()
    monkeypatch.setattr("sys.stdout", screen)
    rows = [(f"{'long_common_name_' * 3}{number:05}.tif", "image/tiff", "1.2 MiB") for number in range(300)]
    render.table(("key", "type", "size"), rows, right=("size",))
    shown = screen.getvalue().splitlines()
    assert max(map(len, shown)) <= 60
    assert len({line.split()[0] for line in shown if ".tif" in line}) == 300


def test_a_plan_names_each_file_once_where_names_are_keys(source, tmp_path, capsys):
    assert main(["--no-plugins", "download", str(source), "out", "--dry-run"]) == 0
    assert capsys.readouterr().out.count("a.bin") == 1
    assert main(["--no-plugins", "download", str(source), "out", "--dry-run", "--layout", "x/{key}"]) == 0
    assert capsys.readouterr().out.count("a.bin") == 2
    assert main(["--no-plugins", "download", str(source), str(tmp_path / "out"), "--quiet"]) == 0
    item = json.loads(source.read_text())
    source.write_text(json.dumps(item | {"assets": {"b.bin": item["assets"]["a.bin"]}}))
    sync = ["--no-plugins", "sync", str(source), str(tmp_path / "out"), "--dry-run"]
    capsys.readouterr()
    assert main(sync) == 0
    assert "1 file not in the source any more: --delete removes" in capsys.readouterr().out
    assert main([*sync, "--delete"]) == 0
    assert "1 file not in the source any more would be removed" in capsys.readouterr().out


def test_who_waits_is_counted_until_bytes_come_again():
    now = [0.0]
    tally = Tally(lambda: now[0])
    run = plan(["a", "b"])
    tally(RunStarted(plan=run))
    for transfer in run.transfers:
        tally(Retried(transfer=transfer, attempt=1, delay=10.0, error="503"))
    assert tally.title == "0 of 2 files, 2 retries, 2 waiting"
    tally(Progress(transfer=run.transfers[0], done=1, size=5))
    assert tally.waiting == 1
    now[0] = 11.0
    assert tally.title == "0 of 2 files, 2 retries"


def test_a_large_run_ends_with_its_failures_and_their_messages(capsys):
    run = plan([f"f{number:03}.tif" for number in range(300)])
    outcomes = [
        Outcome(transfer=one, status=End.FAILED, error_type="HttpStatusError", error=f"{one.name}: 404 Not Found")
        if number % 150 == 7
        else Outcome(transfer=one, status=End.STORED, size=1)
        for number, one in enumerate(run.transfers)
    ]
    render.report_table(RunReport(plan=run, outcomes=outcomes))
    shown = capsys.readouterr().out
    assert "f007.tif: 404 Not Found" in shown
    assert "f157.tif" in shown
    assert "f008.tif" not in shown
    assert shown.endswith("2 failed, 298 stored\n")


OPTIONS = {
    "max_bytes": "--max-bytes",
    "bbox": "--bbox",
    "exclude": "--exclude",
    "include": "--include",
    "lazy": "--lazy",
}


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("more than max_bytes=1,024; raise max_bytes", "more than --max-bytes 1,024; raise --max-bytes"),
        ("dropped by the filter exclude=['*.png']: its key", "dropped by --exclude '*.png': its key"),
        ("dropped by the filter keys='a'", "dropped by --include 'a'"),
        ("read less (bbox=, window=), or lazily", "read less (--bbox, window=), or lazily"),
        ("read it with lazy=True", "read it with --lazy"),
        ("name one of json, text, for example load('bytes')", "name one of json, text, for example --loader bytes"),
        ("GET https://h.example/a?...: 403; key=value", "GET https://h.example/a?...: 403; key=value"),
    ],
)
def test_a_message_names_the_options_of_the_command(message, said):
    assert spelled(message, OPTIONS) == said


@pytest.fixture
def source(tmp_path):
    with FaultServer() as server:
        server.files["/a.bin"] = File(b"x" * 60_000)
        path = tmp_path / "item.json"
        path.write_text(json.dumps(stac_item({"a.bin": {"href": f"{server.url}/a.bin"}})))
        yield path


def test_errors_and_plans_of_commands_have_no_python_in_them(source, capsys):
    assert main(["--no-plugins", "load", str(source), "a.bin", "--loader", "bytes", "--max-bytes", "10"]) == 1
    assert "max_bytes" not in capsys.readouterr().err
    assert main(["--no-plugins", "download", str(source), "out", "--dry-run", "--exclude", "a*"]) == 0
    shown = capsys.readouterr()
    assert "exclude=" not in shown.out + shown.err


def test_a_list_of_nothing_has_exit_code_3_in_every_format(source, capsys):
    for form in ("table", "json", "csv", "urls"):
        assert main(["--no-plugins", "ls", str(source), "--include", "no", "--format", form]) == 3
    assert main(["--no-plugins", "ls", str(source)]) == 0
    assert "0 assets" in capsys.readouterr().out


def test_a_limited_run_takes_its_time(source, tmp_path):
    begun = time.monotonic()
    assert main(["--no-plugins", "download", str(source), str(tmp_path / "out"), "--limit-rate", "100k"]) == 0
    assert time.monotonic() - begun >= 0.34  # of 0.6 s, a quarter of a second may come at once
    assert (tmp_path / "out/a.bin").read_bytes() == b"x" * 60_000


@pytest.mark.parametrize("rate", ["fast", "0", "-5"])
def test_a_rate_that_is_not_one_is_refused(source, rate, capsys):
    assert main(["--no-plugins", "download", str(source), "out", "--limit-rate", rate]) == 2
    assert "write for example 500k, 5MB or 1MiB" in capsys.readouterr().err
