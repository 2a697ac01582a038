"""`splashdown demo` does the whole way in one process."""

import json


def test_the_demo_lands_the_job_and_shows_what_it_did(splashdown_command, tmp_path):
    result = splashdown_command("demo", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    receipt = json.loads((tmp_path / "out" / "job-results.json").read_text())
    for asset in receipt["assets"].values():
        stored = tmp_path / "out" / asset["href"]
        assert stored.stat().st_size == asset["file:size"]
        assert stored.name in result.stdout
    assert "splashdown download" in result.stdout
    assert "Traceback" not in result.stderr


def test_the_demo_fetches_nothing_the_second_time(splashdown_command, tmp_path):
    splashdown_command("demo", tmp_path / "out")
    again = splashdown_command("demo", tmp_path / "out")
    assert again.returncode == 0
    assert again.stdout.count("skipped") == 4
    assert "stored" not in again.stdout


def test_what_landed_can_be_listed_when_the_back_end_is_gone(splashdown_command, tmp_path):
    splashdown_command("demo", tmp_path / "out")
    listed = splashdown_command("ls", tmp_path / "out/job-results.json")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "timeseries.json" in listed.stdout
