"""The library on a real back-end: results as a user gets them, byte for byte."""

import json

import pytest
from openeo_backend import Backend, JobIds, landed

import splashdown
from splashdown.errors import AuthError, JobFailed, JobNotFinished

SHAPES = [JobIds.plain, JobIds.single, JobIds.json, JobIds.items, JobIds.items_only, JobIds.many, JobIds.elsewhere]


@pytest.mark.parametrize("version", ["1.0", "1.2"])
@pytest.mark.parametrize("job", SHAPES)
def test_every_shape_lands_byte_for_byte(backend: Backend, tmp_path, version, job):
    if version == "1.0" and job == JobIds.items_only:
        job = JobIds.single  # the Feature shape has no items
    results = splashdown.open(backend.job(job, version), auth=backend.auth)
    paths = results.download_files(tmp_path / "out")
    assert landed(tmp_path / "out") == backend.content(job)
    assert paths[-1].name == "job-results.json"


def test_the_asset_in_a_sub_folder_lands_too(backend: Backend, tmp_path):
    splashdown.open(backend.job(JobIds.sub_folder), auth=backend.auth).download_files(tmp_path)
    content = backend.content(JobIds.sub_folder)
    assert sorted(landed(tmp_path).values()) == sorted(content.values())


@pytest.mark.parametrize("job", [JobIds.plain, JobIds.items])
def test_signed_assets_land_and_leave_no_signature_behind(signed_backend: Backend, tmp_path, job):
    splashdown.open(signed_backend.job(job), auth=signed_backend.auth).download_files(tmp_path)
    assert landed(tmp_path) == signed_backend.content(job)
    assert "expires=" not in (tmp_path / "job-results.json").read_text()


def test_links_that_expired_while_nobody_looked_are_renewed(short_backend: Backend, tmp_path):
    import time

    results = splashdown.open(short_backend.job(JobIds.plain), auth=short_backend.auth)
    expires = results.result_set.expires
    assert expires is not None
    time.sleep(max(0.0, expires + 1.1 - time.time()))  # only the back-end's clock ends a link
    results.download_files(tmp_path)
    assert landed(tmp_path) == short_backend.content(JobIds.plain)


def test_nothing_is_fetched_twice(backend: Backend, tmp_path):
    results = splashdown.open(backend.job(JobIds.plain), auth=backend.auth)
    results.download_files(tmp_path)
    again = splashdown.open(backend.job(JobIds.plain), auth=backend.auth).run("download_files", target=tmp_path)
    assert again.report.bytes_moved == 0


def test_assets_load_over_the_back_ends_own_credentials(backend: Backend):
    results = splashdown.open(backend.job(JobIds.plain), auth=backend.auth)
    content = backend.content(JobIds.plain)
    assert results.load_json("timeseries.json") == json.loads(content["timeseries.json"])
    assert results.get_asset("thumbnail.png").load_bytes() == content["thumbnail.png"]


def test_a_handle_leads_from_the_address_to_the_files(backend: Backend, tmp_path):
    job = splashdown.connect(backend.url, auth=backend.auth).job(JobIds.plain)
    assert job.status() == "finished"
    assert [entry["level"] for entry in job.logs()] == ["info"]
    job.get_results().download_files(tmp_path)
    assert landed(tmp_path) == backend.content(JobIds.plain)


def test_jobs_are_listed_over_pages(backend: Backend):
    from splashdown.builtins.openeo.jobs import pages, pages_of_jobs

    handle = splashdown.connect(backend.url, auth=backend.auth)
    ids = [job.id for job in handle.jobs()]
    assert {JobIds.plain, JobIds.error, JobIds.running} <= set(ids)
    paged = [entry["id"] for page in pages(handle._client, f"{handle.url}/jobs?limit=3") for entry in page.body["jobs"]]
    listed = [entry["id"] for page in pages_of_jobs(handle._client, handle.url) for entry in page]
    assert sorted(paged) == sorted(listed)


def test_a_job_is_waited_for(backend: Backend, tmp_path):
    job = JobIds.finishing("library")
    splashdown.open(backend.job(job), auth=backend.auth, wait=True).download_files(tmp_path)
    assert landed(tmp_path) == backend.content(job)


@pytest.mark.parametrize(
    ("job", "kind"), [(JobIds.running, JobNotFinished), (JobIds.created, JobNotFinished), (JobIds.error, JobFailed)]
)
def test_a_job_without_results_is_a_typed_error(backend: Backend, job, kind):
    with pytest.raises(kind):
        splashdown.open(backend.job(job), auth=backend.auth)


def test_missing_credentials_are_an_auth_error(backend: Backend):
    with pytest.raises(AuthError):
        splashdown.open(backend.job(JobIds.plain))
