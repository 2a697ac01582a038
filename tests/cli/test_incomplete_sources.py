"""What a source could not give is told by every command that moves files, and its exit code says so."""

import json

import pytest
from stac_item import stac_item


@pytest.fixture
def catalog(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "a.json").write_text(json.dumps(stac_item({"data": {"href": "a.txt"}, "none": {}}, id="a")))
    links = [{"rel": "item", "href": name} for name in ("a.json", "gone.json")]
    root = {"type": "Catalog", "stac_version": "1.0.0", "id": "c", "description": "d", "links": links}
    path = tmp_path / "catalog.json"
    path.write_text(json.dumps(root))
    return path


@pytest.mark.parametrize("command", ["download", "sync"])
@pytest.mark.parametrize("style", [[], ["--quiet"], ["--json"]])
def test_a_linked_document_that_cannot_be_read_is_a_failure_and_the_rest_lands(
    splashdown_command, catalog, tmp_path, command, style
):
    done = splashdown_command(command, catalog, tmp_path / "out", *style)
    assert done.returncode == 1
    assert done.stderr.count("gone.json") == 1
    assert "Error: 1 source or linked document could not be read" in done.stderr
    assert "Warning: item 'a': the asset 'none' was left out: it has no href" in done.stderr
    assert (tmp_path / "out/data-a.txt").read_text() == "a"
    if style == ["--json"]:
        report = json.loads(done.stdout)
        assert not report["ok"]
        assert "gone.json" in report["unresolved"][0]
        assert len(report["warnings"]) == 2
        assert report["metadata"] == str(tmp_path / "out/catalog.json")


@pytest.mark.parametrize("command", ["download", "sync"])
def test_a_dry_run_names_what_the_run_would_fail_for(splashdown_command, catalog, tmp_path, command):
    done = splashdown_command(command, catalog, tmp_path / "out", "--dry-run")
    assert done.returncode == 0
    assert done.stderr.count("Warning: a linked document was left out") == done.stderr.count("gone.json") == 1


def test_one_asset_that_is_there_does_not_need_the_other_documents(splashdown_command, catalog, tmp_path):
    assert splashdown_command("download", catalog, tmp_path / "a.out", "--key", "data").returncode == 0
    (tmp_path / "folder").mkdir()
    assert splashdown_command("download", catalog, tmp_path / "folder", "--key", "data").returncode == 0


def test_a_root_that_lists_assets_itself_does_not_need_its_links(splashdown_command, catalog, tmp_path):
    root = json.loads(catalog.read_text()) | {"type": "Collection", "assets": {"data": {"href": "a.txt"}}}
    catalog.write_text(json.dumps(root))
    done = splashdown_command("download", catalog, tmp_path / "out", "--quiet")
    assert (done.returncode, done.stderr.count("Warning: a linked document was left out")) == (0, 1)


def test_sync_tells_each_failure_and_keeps_the_form_of_its_report(splashdown_command, catalog, tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(stac_item({n: {"href": f"{n}.txt"} for n in "ab"}, id="a")))
    done = splashdown_command("sync", tmp_path / "a.json", tmp_path / "out", "--delete", "--jobs", "2", "--quiet")
    assert done.returncode == 1
    assert "Failed: a/b: TransferError" in done.stderr
    assert "1 of 2 assets failed" in done.stderr
    assert "Nothing was removed" in done.stderr
    report = json.loads(splashdown_command("sync", tmp_path / "a.json", tmp_path / "out", "--json").stdout)
    assert {"stale", "removed", "left", "metadata"} < set(report)


@pytest.mark.parametrize("option", ["--wait", "--partial"])
def test_options_of_jobs_are_for_jobs(splashdown_command, catalog, option):
    done = splashdown_command("download", catalog, "out", option)
    assert done.returncode == 2
    assert f"{option} is for openEO jobs" in done.stderr
