"""Putting the drop-in in the place of the client's classes, and the client's own code on top of it."""

from __future__ import annotations

import json
import warnings

import openeo
import openeo.rest.job
import openeo.testing.results
import pandas as pd
import pytest
import splashdown_openeo
from openeo.extra.job_management import MultiBackendJobManager

ORIGINAL = openeo.rest.job.JobResults


class OwnJob(openeo.BatchJob):
    pass


@pytest.fixture(autouse=True)
def clean():
    yield
    splashdown_openeo.uninstall()
    assert type(openeo.BatchJob("j1", None).get_results()) is ORIGINAL


def get_results():
    return openeo.BatchJob("j1", None).get_results()


def test_install_and_uninstall():
    assert type(get_results()) is ORIGINAL
    splashdown_openeo.install()
    assert type(get_results()) is splashdown_openeo.JobResults
    assert splashdown_openeo.is_installed()
    splashdown_openeo.uninstall()
    assert type(get_results()) is ORIGINAL
    assert not splashdown_openeo.is_installed()


def test_both_may_be_repeated():
    splashdown_openeo.uninstall()
    splashdown_openeo.install()
    splashdown_openeo.install()
    splashdown_openeo.uninstall()
    assert type(get_results()) is ORIGINAL


def test_a_with_block_does_both_also_after_an_error():
    def fail():
        with splashdown_openeo.installed():
            assert type(get_results()) is splashdown_openeo.JobResults
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert type(get_results()) is ORIGINAL


def test_a_with_block_leaves_what_was_installed_before():
    splashdown_openeo.install()
    with splashdown_openeo.installed():
        pass
    assert type(get_results()) is splashdown_openeo.JobResults


def test_what_somebody_else_has_put_there_stays():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(openeo.BatchJob, "get_results", lambda self: "mine")
        splashdown_openeo.uninstall()
        assert get_results() == "mine"


def test_subclasses_and_everything_that_uses_get_results_follow(backend, tmp_path):
    backend.results({"a.tif": backend.add("/dl/a", b"a" * 1000, script=[("cut", 10)])})
    job = backend.connection().job("j1")
    with splashdown_openeo.installed():
        assert job.download_result(tmp_path / "x.tif") == tmp_path / "x.tif"
        assert type(OwnJob("j1", None).get_results()) is splashdown_openeo.JobResults
    assert (tmp_path / "x.tif").read_bytes() == b"a" * 1000


def test_the_clients_test_helper_takes_them_for_job_results(backend, tmp_path):
    backend.results({"a.json": backend.add("/dl/a", b"{}")})
    (tmp_path / "expected").mkdir()
    (tmp_path / "expected" / "a.json").write_bytes(b"{}")
    (tmp_path / "expected" / "job-results.json").write_bytes(backend.files["/jobs/j1/results"].body)
    results = splashdown_openeo.JobResults(backend.connection().job("j1"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        openeo.testing.results.assert_job_results_allclose(results, tmp_path / "expected", tmp_path=tmp_path)


def test_the_clients_job_manager_downloads_with_it(backend, tmp_path, monkeypatch):
    content = b"a" * 300_000
    backend.results({"a.tif": backend.add("/dl/a", content, script=[("cut", 10), 500])})
    backend.json("/jobs/j1", {"id": "j1", "status": "finished", "title": "Job"})
    manager = MultiBackendJobManager(poll_sleep=0, root_dir=tmp_path)
    manager.add_backend("b", connection=backend.connection())
    jobs = pd.DataFrame({"id": ["j1"], "status": ["running"], "backend_name": ["b"], "start_time": [None]})
    with splashdown_openeo.installed():
        stats = manager.run_jobs(df=jobs, start_job=None, job_db=tmp_path / "jobs.csv")
    assert stats["job download"] == 1
    assert stats["files downloaded"] == 1
    folder = tmp_path / "job_j1"
    assert sorted(path.name for path in folder.iterdir()) == ["a.tif", "job-results.json", "job_j1.json"]
    assert (folder / "a.tif").read_bytes() == content
    assert json.loads((folder / "job_j1.json").read_bytes())["status"] == "finished"
