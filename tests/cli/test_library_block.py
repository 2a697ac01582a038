"""The lines of the README and the tutorial, one by one, on a finished job."""

from pathlib import Path

import pytest

import splashdown
from splashdown.errors import MultipleAssetsError, NoAssetError, OptionError, TargetError, UnknownKeyError, UsageError


@pytest.fixture
def results(demo_job):
    return splashdown.open(demo_job)


def test_results_show_their_kind_and_id(results):
    assert repr(results).startswith("<JobResults for job '")


def test_metadata_is_the_stac_document(results):
    assert results.get_metadata()["type"] in {"Collection", "Feature"}


def test_assets_tell_what_the_metadata_says(results):
    for asset in results.get_assets():
        assert asset.key
        assert asset.href.startswith("http://127.0.0.1:")
        assert asset.media_type == asset.metadata["type"]
        assert asset.size == asset.metadata["file:size"]
        assert asset.checksum == asset.metadata["file:checksum"]
        assert asset.roles


def test_all_files_land_byte_for_byte_with_their_metadata(results, tmp_path):
    paths = results.download_files(tmp_path / "out")
    assert sorted(p.name for p in paths) == sorted([a.name for a in results] + ["job-results.json"])
    for asset in results:
        assert (tmp_path / "out" / asset.name).read_bytes() == asset.load_bytes()


def test_the_current_folder_is_the_default(results, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results.download_files()
    assert (tmp_path / "job-results.json").is_file()


def test_one_file_goes_where_it_is_named_outright(results, tmp_path):
    key = results.get_assets()[0].key
    path = results.download_file(tmp_path / "data/out/result.tiff", name=key)
    assert path == tmp_path / "data/out/result.tiff"
    assert path.read_bytes() == results.get_asset(key).load_bytes()
    assert results.download_file(tmp_path / "data/out/result.tiff", key=key) == path


def test_each_asset_can_be_saved_under_a_name_made_from_its_own(results, tmp_path):
    saved = [
        asset.download(f"{tmp_path}/data/out/result-v2-" + asset.name)
        for asset in results.get_assets()
        if asset.metadata["type"].startswith("image/tiff")
    ]
    assert len(saved) == 2
    assert all(path.is_file() for path in saved)


def test_an_asset_loads_as_json_as_bytes_and_by_its_type(results):
    asset = next(a for a in results if a.media_type == "application/json")
    assert asset.load_json() == asset.load() == results.load_json(asset.key)
    assert isinstance(asset.load_bytes(), bytes)


def test_a_selection_downloads_only_what_it_holds(results, tmp_path):
    results.select(keys="*.tif*", roles="data", types="image/tiff").download_files(tmp_path / "tif")
    landed = {p.name for p in (tmp_path / "tif").iterdir() if not p.name.startswith(".")}
    wanted = {a.name for a in results if a.media_type.startswith("image/tiff")}
    assert landed == wanted | {"job-results.json"}


def test_a_session_of_chosen_plugins_leaves_no_trace_elsewhere(demo_job):
    session = splashdown.Session(plugins=[], discover=False, disable=["s3"])
    assert len(session.open(demo_job)) == 4


def test_one_file_of_several_without_a_key_names_the_keys_and_the_way_out(results, tmp_path):
    with pytest.raises(MultipleAssetsError, match="download_files") as caught:
        results.download_file(tmp_path / "x")
    assert set(caught.value.keys) == {a.key for a in results}


def test_an_unknown_key_names_close_ones(results):
    key = results.get_assets()[0].key
    with pytest.raises(UnknownKeyError, match="did you mean"):
        results.download_file(key=key[:-1] + "x")


def test_a_selection_of_nothing_says_which_filter_left_nothing(results, tmp_path):
    with pytest.raises(NoAssetError, match="keys='nothing'"):
        results.select(keys="nothing").download_files(tmp_path)


def test_a_file_where_a_folder_is_needed_is_named(results, tmp_path):
    target = tmp_path / "file"
    target.write_text("mine")
    with pytest.raises(TargetError, match="is a file"):
        results.download_files(target)
    assert target.read_text() == "mine"


def test_a_file_that_somebody_else_put_there_is_not_replaced(results, tmp_path):
    asset = results.get_assets()[0]
    Path(tmp_path / asset.name).write_text("mine")
    with pytest.raises(splashdown.DownloadError) as caught:
        results.download_files(tmp_path)
    assert [o.asset.key for o in caught.value.report.failed] == [asset.key]
    assert Path(tmp_path / asset.name).read_text() == "mine"


def test_results_are_asked_for_a_key_as_a_dict_is(results):
    assert "timeseries.json" in results
    assert "2023-06-01/openEO_2023-06-01Z.tif" in results
    assert "none.json" not in results
    assert results["timeseries.json"] in results
    assert results["timeseries.json"] not in results.select(types="image/tiff")
    with pytest.raises(KeyError, match=r"none\.json"):
        results["none.json"]


def test_an_asset_is_not_asked_for_by_its_place(results):
    with pytest.raises(UsageError, match=r"expected an asset key \(str\), got 0"):
        results[0]


def test_a_policy_that_is_none_names_those_there_are(results, tmp_path):
    with pytest.raises(OptionError, match="one of auto, skip, overwrite, error, rename, not 'maybe'"):
        results.download_files(tmp_path / "out", if_exists="maybe")


def test_the_home_folder_may_be_written_as_in_a_shell(results, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert results.select(keys="*.json").download_files("~/out")[0] == tmp_path / "out/timeseries.json"
    assert results.download_file("~/one.json", key="timeseries.json") == tmp_path / "one.json"
    assert results.download_file("~/out/", key="thumbnail.png") == tmp_path / "out/thumbnail.png"
    with pytest.raises(TargetError, match="is a file"):
        results.download_files("~/one.json")
    assert results.run("verify", target="~/out").files
    assert not (tmp_path / "~").exists()


def test_a_target_is_verified_by_the_document_saved_in_it(results, tmp_path):
    results.download_files(tmp_path / "out")
    assert splashdown.open(tmp_path / "out/job-results.json").run("verify", target=tmp_path / "out").ok


def test_the_name_of_nobody_after_a_tilde_is_a_name(results, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results.download_files("~nobody-of-this-name/out")
    assert (tmp_path / "~nobody-of-this-name" / "out" / "job-results.json").exists()
