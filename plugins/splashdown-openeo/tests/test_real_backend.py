"""The client and the drop-in side by side on a real openEO back-end: every shape of results, byte for byte."""

from __future__ import annotations

import re
import secrets
import threading
from contextlib import nullcontext
from itertools import product

import openeo
import openeo.rest.job
import pandas as pd
import pytest
import requests
import splashdown_openeo
from openeo.extra.job_management import CsvJobDatabase, MultiBackendJobManager
from openeo_backend import Backend, JobIds, landed

import splashdown

VERSIONS = ["1.0", "1.1", "1.2"]
FINISHED = [JobIds.plain, JobIds.single, JobIds.json, JobIds.items, JobIds.items_only, JobIds.sub_folder, JobIds.many]
#: What differs from one reading of a signed result to the next.
SIGNATURE = re.compile(rb"(?<=/)[0-9a-f]{32}(?=[/?])|expires=\d+")


@pytest.fixture(scope="module", params=["signed", "unsigned"])
def server(request) -> Backend:
    return request.getfixturevalue(f"{request.param}_backend")


def connect(server: Backend, version: str = "1.2") -> openeo.Connection:
    return openeo.connect(f"{server.url}/openeo/{version}", retry=False).authenticate_basic(*server.auth)


def tree(folder):
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): SIGNATURE.sub(b"*", path.read_bytes()) for path in found}


def both(job, tmp_path, call):
    """What the call returns and leaves, by the client and by ours; an exception by its type and text."""
    seen = []
    for classes, name in ((openeo.rest.job, "client"), (splashdown_openeo, "ours")):
        folder = tmp_path / name
        folder.mkdir()
        try:
            paths = call(classes.JobResults(job), folder)
            value = [path.relative_to(folder).as_posix() for path in paths]
        except openeo.rest.OpenEoClientException as error:
            value = (type(error).__name__, re.sub(r"\(ref: .*\)", "", str(error)))
        seen.append((value, tree(folder)))
    return seen


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("job_id", FINISHED)
def test_download_files_gives_the_same_files(server, tmp_path, job_id, version):
    job = connect(server, version).job(job_id)
    client, ours = both(job, tmp_path, lambda results, folder: results.download_files(folder))
    assert ours == client
    assert set(server.content(job_id).values()) <= set(ours[1].values()) or job_id == JobIds.items_only


@pytest.mark.parametrize("job_id", [JobIds.created, JobIds.running, JobIds.error, JobIds.canceled, "nobody-knows"])
@pytest.mark.parametrize("version", VERSIONS)
def test_jobs_without_results_raise_the_same(server, tmp_path, job_id, version):
    job = connect(server, version).job(job_id)
    client, ours = both(job, tmp_path, lambda results, folder: results.download_files(folder))
    assert ours == client
    assert ours[0][0] == "OpenEoApiError"


@pytest.mark.parametrize("options", [{}, {"rewrite_references": False}, {"add_original_hrefs": True}])
@pytest.mark.parametrize("job_id", FINISHED)
def test_download_as_collection_has_what_the_client_has_and_loses_nothing(server, tmp_path, job_id, options):
    job = connect(server).job(job_id)
    client, ours = both(job, tmp_path, lambda results, folder: results.download_as_collection(folder, **options))
    documents = {name for name in client[1] if name.endswith(".json") and name != "timeseries.json"}
    assert {name: ours[1][name] for name in client[1] if name not in documents} == {
        name: content for name, content in client[1].items() if name not in documents
    }
    assert documents <= set(ours[1])
    assert set(server.content(job_id).values()) <= set(ours[1].values())


def test_the_assets_that_the_client_loses_are_there(server, tmp_path):
    job = connect(server).job(JobIds.sub_folder)
    client, ours = both(job, tmp_path, lambda results, folder: results.download_as_collection(folder))
    content = server.content(JobIds.sub_folder)
    assert not set(content.values()) & set(client[1].values())
    assert set(content.values()) <= set(ours[1].values())
    assert len(ours[1]) == len(content) + 1


@pytest.mark.parametrize(
    ("version", "job_id"),
    # The Feature of API 1.0 has no links to items.
    [each for each in product(VERSIONS, FINISHED) if each != ("1.0", JobIds.items_only)],
)
def test_open_lands_every_file_of_a_job(server, tmp_path, job_id, version):
    splashdown.open(connect(server, version).job(job_id)).download_files(tmp_path)
    landed = {path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert set(server.content(job_id).values()) <= landed


def test_open_tells_the_state_of_a_job_and_waits(server):
    connection = connect(server)
    with pytest.raises(splashdown.JobNotFinished, match="running"):
        splashdown.open(connection, job_id=JobIds.running)
    with pytest.raises(splashdown.JobFailed, match="ran out of memory"):
        splashdown.open(connection, job_id=JobIds.error)
    with pytest.raises(splashdown.JobNotFound):
        splashdown.open(connection, job_id="nobody-knows")
    name = JobIds.finishing(f"client-{secrets.token_hex(6)}")
    assert len(splashdown.open(connection, job_id=name, wait=True)) == 1


def test_loading_gives_the_same(server):
    job = connect(server).job(JobIds.json)
    client, ours = openeo.rest.job.JobResults(job).get_asset(), splashdown_openeo.JobResults(job).get_asset()
    assert ours.load_json() == client.load_json()
    assert ours.load_bytes() == client.load_bytes() == next(iter(server.content(JobIds.json).values()))


def test_the_clients_job_manager_runs_jobs_to_their_end_and_downloads_the_same(server, tmp_path):
    """Started by us, watched by the client: queued, running, finished."""
    seen, number = [], secrets.token_hex(6)
    for install, name in ((nullcontext, "client"), (splashdown_openeo.installed, "ours")):
        job_id = JobIds.finishing(f"{name}-{number}")
        manager = MultiBackendJobManager(poll_sleep=0, root_dir=tmp_path / name)
        manager.add_backend("b", connection=connect(server))
        jobs = pd.DataFrame({"id": [job_id], "status": ["queued"], "backend_name": ["b"], "start_time": [None]})
        with install():
            stats = manager.run_jobs(df=jobs, start_job=None, job_db=tmp_path / f"{name}.csv")
        assert stats["job download"] == 1
        files = tree(tmp_path / name / f"job_{job_id}")
        seen.append({path.replace(job_id, "ID"): body.replace(job_id.encode(), b"ID") for path, body in files.items()})
    assert seen[0] == seen[1]
    assert set(seen[0].values()) & set(server.content(JobIds.single).values())


def test_the_landing_job_manager_lands_what_finishes_and_keeps_logs(server, tmp_path):
    number = secrets.token_hex(6)
    ids = [JobIds.finishing(number), JobIds.failing(number), JobIds.many]
    manager = splashdown_openeo.LandingJobManager(tmp_path / "out", poll_sleep=0, root_dir=tmp_path / "logs")
    manager.add_backend("b", connection=connect(server))
    jobs = pd.DataFrame({"id": ids, "status": "queued", "backend_name": "b", "start_time": None})
    manager.run_jobs(df=jobs, job_db=tmp_path / "jobs.csv")
    assert not manager.missing
    assert {job: one.state for job, one in manager.outcomes.items()} == {ids[0]: "landed", ids[2]: "landed"}
    for job in (ids[0], ids[2]):
        assert landed(tmp_path / "out" / job) == server.content(job)
    assert "memory" in (tmp_path / "logs" / f"job_{ids[1]}" / f"job_{ids[1]}_errors.json").read_text()
    assert not (tmp_path / "out" / ids[1]).exists()


def test_a_manager_lands_what_a_run_that_was_killed_had_finished(server, tmp_path):
    """The client has noted a job as finished before it calls anybody."""
    ids = [JobIds.plain, JobIds.single, JobIds.error]
    jobs = pd.DataFrame({"id": ids, "status": ["finished", "finished", "error"], "backend_name": "b"})
    CsvJobDatabase(tmp_path / "jobs.csv").initialize_from_df(jobs)
    for states in ({"landed"}, {"present"}):
        manager = splashdown_openeo.LandingJobManager(tmp_path / "out", poll_sleep=0, root_dir=tmp_path)
        manager.add_backend("b", connection=connect(server))
        manager.run_jobs(job_db=tmp_path / "jobs.csv")
        assert {str(one.state) for one in manager.outcomes.values()} == states
    for job in ids[:2]:
        assert landed(tmp_path / "out" / job) == server.content(job)


def test_a_manager_goes_on_after_results_that_cannot_land(server, tmp_path):
    (tmp_path / "out").write_text("a file where a folder has to be")
    manager = splashdown_openeo.LandingJobManager(tmp_path / "out", poll_sleep=0, root_dir=tmp_path, layout="{nonsense")
    manager.add_backend("b", connection=connect(server))
    jobs = pd.DataFrame({"id": [JobIds.plain, JobIds.single], "status": "queued", "backend_name": "b"})
    manager.run_jobs(df=jobs, job_db=tmp_path / "jobs.csv")
    assert set(manager.missing) == {JobIds.plain, JobIds.single}


def test_short_lived_links_are_renewed(short_backend, tmp_path):
    results = splashdown_openeo.JobResults(connect(short_backend).job(JobIds.plain))
    results.get_metadata()
    pause = threading.Event()
    while requests.get(results.get_assets()[0].href, timeout=10).status_code != 410:
        pause.wait(0.2)
    results.download_files(tmp_path)
    assert set(short_backend.content(JobIds.plain).values()) <= {path.read_bytes() for path in tmp_path.iterdir()}


def test_credentials_do_not_follow_to_another_host(unsigned_backend, other_host, tmp_path):
    before = len(other_host.asked)
    job = connect(unsigned_backend).job(JobIds.elsewhere)
    splashdown_openeo.JobResults(job).download_files(tmp_path / "drop-in")
    splashdown.open(job).download_files(tmp_path / "open")
    seen = [asked.headers.get("Authorization") for asked in other_host.asked[before:]]
    assert len(seen) >= 4
    assert set(seen) == {None}
