"""The handles that ``splashdown.connect`` gives."""

import pytest
from scripted_api import Answer, ScriptedApi

import splashdown
from splashdown.builtins.openeo import jobs
from splashdown.errors import JobFailed, OptionError, ResolveError, UsageError

API = "/openeo/1.2"


@pytest.fixture
def backend(api: ScriptedApi, monkeypatch):
    monkeypatch.setattr(jobs, "_FIRST_PAUSE", 0.001)
    monkeypatch.setattr(jobs, "_LONGEST_PAUSE", 0.001)
    api.script["/.well-known/openeo"] = Answer({"versions": [{"url": f"{api.url}{API}/", "api_version": "1.2.0"}]})
    api.script[f"{API}/"] = Answer({"api_version": "1.2.0"})
    return splashdown.connect(api.url, auth="basic//T")


def test_the_api_is_discovered_without_sending_credentials(api: ScriptedApi, backend):
    assert backend.url == f"{api.url}{API}"
    assert backend.api_version == "1.2.0"
    assert all("Authorization" not in asked.headers for asked in api.asked)


def test_jobs_are_listed_page_by_page_as_they_are_needed(api: ScriptedApi, backend):
    def page(*ids, following=None):
        links = [{"rel": "next", "href": following}] if following else []
        return Answer({"jobs": [{"id": each, "status": "finished"} for each in ids], "links": links})

    api.script[f"{API}/jobs"] = page("a", "b", following="jobs?page=2")
    api.script[f"{API}/jobs?page=2"] = page("c")
    assert [job.id for job in backend.jobs()] == ["a", "b", "c"]
    api.asked.clear()
    assert [job.id for job in backend.jobs(2)] == ["a", "b"]
    assert len(api.asked) == 1


def test_a_next_page_on_another_host_gets_no_request(api: ScriptedApi, backend):
    links = [{"rel": "next", "href": f"{api.other_name}/steal"}]
    api.script[f"{API}/jobs"] = Answer({"jobs": [], "links": links})
    with pytest.raises(ResolveError, match="another host"):
        list(backend.jobs())
    assert "/steal" not in api.paths()


def test_a_job_tells_its_status_log_and_results(api: ScriptedApi, backend):
    api.script[f"{API}/jobs/j%2F1"] = Answer({"id": "j/1", "status": "finished"})
    entries = [{"level": "debug", "message": "d"}, {"level": "error", "message": "e"}, {"level": "odd", "message": "o"}]
    api.script[f"{API}/jobs/j%2F1/logs"] = Answer({"logs": entries})
    api.script[f"{API}/jobs/j%2F1/results"] = Answer(
        {"type": "Collection", "id": "j/1", "assets": {"a": {"href": "/a"}}}
    )
    job = backend.job("j/1")
    assert job.status() == "finished"
    assert [entry["message"] for entry in job.logs()] == ["d", "e", "o"]
    assert [entry["message"] for entry in job.logs("warning")] == ["e", "o"]
    results = job.get_results()
    assert (results.id, [asset.key for asset in results]) == ("j/1", ["a"])
    assert "finished" in repr(job)


def test_the_results_use_the_sign_in_of_the_handle(api: ScriptedApi, backend):
    api.script[f"{API}/credentials/basic"] = Answer({"access_token": "once"})
    api.script[f"{API}/jobs/j1"] = Answer({"id": "j1", "status": "finished"})
    api.script[f"{API}/jobs/j1/results"] = Answer({"type": "Collection", "id": "j1", "assets": {}})
    job = splashdown.connect(api.url, auth=("john", "secret")).job("j1")
    job.status()
    job.get_results()
    assert len(api.sent(f"{API}/credentials/basic", "Authorization")) == 1


def test_waiting_returns_the_finished_job_and_tells_about_the_way(api: ScriptedApi, backend):
    api.script[f"{API}/jobs/j1"] = [Answer({"status": "running", "progress": 5}), Answer({"status": "finished"})]
    told = []
    assert backend.job("j1").wait(notify=told.append).metadata["status"] == "finished"
    assert told == ["job j1: running (5 %)"]


def test_waiting_for_a_job_that_fails_raises_its_errors(api: ScriptedApi, backend):
    api.script[f"{API}/jobs/j1"] = Answer({"status": "error"})
    api.script[f"{API}/jobs/j1/logs"] = Answer({"logs": [{"level": "error", "message": "boom"}]})
    with pytest.raises(JobFailed, match="boom"):
        backend.job("j1").wait()


def test_an_address_without_an_api_is_one_clear_error(api: ScriptedApi):
    api.script["/"] = Answer({"hello": "world"})
    with pytest.raises(ResolveError, match="not an openEO API"):
        splashdown.connect(api.url)


@pytest.mark.parametrize("address", ["", "  ", "ftp://x", "https://", "https://u:p@x.example", "http://[::1"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(UsageError):
        splashdown.connect(address)


def test_an_unknown_level_is_refused(backend):
    with pytest.raises(OptionError, match="warning"):
        backend.job("j").logs("warn")
