"""Several sources in one call: a folder each, one run, failures collected."""

import hashlib
import json

import pytest
from scripted_api import Answer, ScriptedApi

import splashdown
from splashdown.errors import DownloadError, JobNotFinished, UsageError
from splashdown.events import RunStarted
from splashdown.session import Session

API = "/openeo/1.2"


def job(api: ScriptedApi, id: str, **files: bytes) -> str:
    assets = {
        name.replace("_", "."): {
            "href": f"/files/{id}/{name}?sig=s3cret",
            "file:size": len(content),
            "file:checksum": "1220" + hashlib.sha256(content).hexdigest(),
        }
        for name, content in files.items()
    }
    api.script[f"{API}/jobs/{id}/results"] = Answer({"type": "Collection", "id": id, "assets": assets})
    for name, content in files.items():
        api.script[f"/files/{id}/{name}"] = Answer(content)
    return f"{api.url}{API}/jobs/{id}"


@pytest.fixture
def session():
    with Session(discover=False) as running:
        yield running


def landed(folder) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.suffix == ".tif"}


def test_each_job_gets_a_folder_and_a_receipt_and_there_is_one_run(api: ScriptedApi, session, tmp_path):
    urls = [job(api, "a", x_tif=b"ax", y_tif=b"ay"), job(api, "b", x_tif=b"bx")]
    runs = []
    session.open(urls).download_files(
        tmp_path, listeners=[lambda e: runs.append(e) if isinstance(e, RunStarted) else None]
    )
    assert landed(tmp_path) == {"a/x.tif": b"ax", "a/y.tif": b"ay", "b/x.tif": b"bx"}
    assert len(runs) == 1
    for name in ("a", "b"):
        document = json.loads((tmp_path / name / "job-results.json").read_text())
        assert document["id"] == name
        assert document["assets"]["x.tif"]["href"] == "./x.tif"
        assert "s3cret" not in json.dumps(document)


def test_what_is_complete_is_not_fetched_again(api: ScriptedApi, session, tmp_path):
    urls = [job(api, "a", x_tif=b"ax"), job(api, "b", x_tif=b"bx")]
    session.open(urls).download_files(tmp_path)
    api.asked.clear()
    session.open(urls).download_files(tmp_path)
    assert not [path for path in api.paths() if path.startswith("/files")]
    assert json.loads((tmp_path / "b/job-results.json").read_text())["assets"]["x.tif"]["href"] == "./x.tif"


def test_a_job_that_is_not_finished_does_not_stop_the_others(api: ScriptedApi, session, tmp_path):
    good = job(api, "a", x_tif=b"ax")
    api.script[f"{API}/jobs/b/results"] = Answer({"code": "JobNotFinished", "message": "no"}, 400)
    results = session.open([good, f"{api.url}{API}/jobs/b"])
    with pytest.raises(DownloadError, match=r"jobs/b.*JobNotFinished"):
        results.download_files(tmp_path)
    assert landed(tmp_path) == {"a/x.tif": b"ax"}


def test_when_no_job_has_results_the_first_error_is_raised(api: ScriptedApi, session):
    api.script[f"{API}/jobs/b/results"] = Answer({"code": "JobNotFinished", "message": "no"}, 400)
    with pytest.raises(JobNotFinished):
        session.open([f"{api.url}{API}/jobs/b", f"{api.url}{API}/jobs/c"])


def test_an_asset_that_fails_is_reported_with_its_job(api: ScriptedApi, session, tmp_path):
    urls = [job(api, "a", x_tif=b"ax"), job(api, "b", x_tif=b"bx")]
    api.script["/files/b/x_tif"] = Answer({}, 404)
    with pytest.raises(DownloadError) as caught:
        session.open(urls).download_files(tmp_path)
    (failed,) = caught.value.report.failed
    assert failed.asset.label == "b/x.tif"
    assert landed(tmp_path) == {"a/x.tif": b"ax"}


def test_filters_and_keys_work_over_all_jobs(api: ScriptedApi, session, tmp_path):
    results = session.open([job(api, "a", x_tif=b"ax", y_tif=b"ay"), job(api, "b", x_tif=b"bx")])
    assert results.get_asset("b/x.tif").load_bytes() == b"bx"
    path = results.download_file(tmp_path / "one.tif", key="y.tif")
    assert path.read_bytes() == b"ay"


def test_jobs_of_the_same_id_get_folders_of_their_own(api: ScriptedApi, session, tmp_path):
    url = job(api, "a", x_tif=b"ax")
    session.open([url, url + "/results"]).download_files(tmp_path)
    assert landed(tmp_path) == {"a/x.tif": b"ax", "a-2/x.tif": b"ax"}


def test_one_password_is_not_shown_to_several_back_ends(api: ScriptedApi, session):
    with pytest.raises(UsageError, match="several back-ends"):
        session.open([f"{api.url}{API}/jobs/a", f"{api.other_name}{API}/jobs/a"], auth=("john", "secret"))
    assert api.asked == []


def test_handles_of_jobs_bring_their_own_sign_in(api: ScriptedApi, tmp_path):
    api.script[f"{API}/"] = Answer({"api_version": "1.2.0"})
    job(api, "a", x_tif=b"ax")
    handle = splashdown.connect(api.url + API, auth="basic//T").job("a")
    assert [asset.key for asset in splashdown.open([handle])] == ["x.tif"]
    assert api.sent(f"{API}/jobs/a/results", "Authorization") == ["Bearer basic//T"]


def test_expired_hrefs_of_one_job_are_renewed_in_the_common_run(api: ScriptedApi, session, tmp_path):
    good, short = job(api, "a", x_tif=b"ax"), job(api, "b", x_tif=b"bx")
    fresh = api.script[f"{API}/jobs/b/results"]
    stale = Answer({"type": "Collection", "id": "b", "assets": {"x.tif": {"href": "/files/b/stale?sig=old"}}})
    api.script[f"{API}/jobs/b/results"] = [stale, fresh]
    api.script["/files/b/stale"] = Answer({"code": "ResultLinkExpired", "message": "expired"}, 410)
    session.open([good, short]).download_files(tmp_path)
    assert landed(tmp_path) == {"a/x.tif": b"ax", "b/x.tif": b"bx"}
