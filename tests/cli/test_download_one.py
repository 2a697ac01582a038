"""`splashdown download --key`: one asset, to a file or into a folder, planned or moved, and the report of it."""

import json

KEY = "timeseries.json"


def test_the_target_is_the_file_or_an_existing_folder(splashdown_command, demo_job, tmp_path):
    (tmp_path / "folder").mkdir()
    named = splashdown_command("download", demo_job, "series.json", "--key", KEY, cwd=tmp_path)
    inside = splashdown_command("download", demo_job, "folder", "--key", KEY, cwd=tmp_path)
    assert (named.stdout, inside.stdout) == ("series.json\n", f"folder/{KEY}\n")
    assert (tmp_path / "series.json").read_bytes() == (tmp_path / "folder" / KEY).read_bytes()


def test_a_plan_holds_that_asset_alone_and_moves_nothing(splashdown_command, demo_job, tmp_path):
    done = splashdown_command("download", demo_job, "x/series.json", "--key", KEY, "--dry-run", "--json", cwd=tmp_path)
    (transfer,) = json.loads(done.stdout)["transfers"]
    assert (transfer["key"], transfer["name"]) == (KEY, "series.json")
    assert list(tmp_path.iterdir()) == []


def test_json_is_the_report_of_every_download(splashdown_command, demo_job, tmp_path):
    one = json.loads(splashdown_command("download", demo_job, tmp_path / "a", "--key", KEY, "--json").stdout)
    every = json.loads(splashdown_command("download", demo_job, tmp_path / "b", "--json").stdout)
    assert one.keys() == every.keys()
    assert [(o["key"], o["status"]) for o in one["outcomes"]] == [(KEY, "stored")]


def test_quiet_says_nothing_and_a_failure_once(splashdown_command, tmp_path):
    item = {"type": "Feature", "stac_version": "1.0.0", "id": "i", "geometry": None, "properties": {}, "links": []}
    source = tmp_path / "item.json"
    source.write_text(json.dumps(item | {"assets": {"a": {"href": "./gone.tif"}}}))
    for more in ([], ["--key", "a"]):
        done = splashdown_command("download", source, tmp_path / "out", "--quiet", *more)
        assert (done.returncode, done.stdout) == (1, "")
        failed, error = done.stderr.splitlines()
        assert failed.startswith("Failed: i/a: ")
        assert error == "Error: 1 of 1 asset failed; run the same command again for the rest"
        loud = splashdown_command("download", source, tmp_path / "out", *more)
        assert len([line for line in loud.stderr.splitlines() if "gone.tif" in line]) == 1
