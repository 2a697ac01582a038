"""The how-to page, line for line, against a back-end with faults and a real bucket."""

from __future__ import annotations

import re
from pathlib import Path

import boto3
import openeo
import pandas as pd
import pytest
from s3_store import remove_bucket

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "openeo-client.md"
TIFF = bytes(range(256)) * 400


@pytest.fixture
def bucket(weed, monkeypatch):
    """The bucket ``bucket`` of a store that splashdown-s3 finds by the environment."""
    for name, value in {**weed.environment, "AWS_EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", region_name="us-east-1")
    client.create_bucket(Bucket="bucket")
    yield client
    remove_bucket(client, "bucket")
    client.close()


def names(client, prefix):
    return sorted(entry["Key"] for entry in client.list_objects_v2(Bucket="bucket", Prefix=prefix).get("Contents", []))


def test_every_block_of_the_page_runs_and_does_what_it_says(backend, bucket, tmp_path, monkeypatch):
    links = {f"openEO_2023-06-{day}Z.tif": backend.add(f"/dl/{day}", TIFF) for day in ("01", "11")}
    backend.files["/dl/01"].script = [("cut", 1000), 500]
    results = {"type": "Feature", "stac_version": "1.0.0", "id": "j-2309", "assets": {}, "links": []}
    results["assets"] = {key: {"href": href} for key, href in links.items()}
    backend.json("/jobs/j-2309/results", results)
    backend.json("/jobs/j-2309", {"id": "j-2309", "status": "finished"})
    connection = backend.connection()
    monkeypatch.setattr(connection, "authenticate_oidc", lambda: connection)
    monkeypatch.setattr(openeo, "connect", lambda url: connection)
    monkeypatch.chdir(tmp_path)
    page = {"__name__": "page"}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), page)

    assert {path.name for path in (tmp_path / "out").iterdir()} == {"first.tif", *_all(links)}
    assert (tmp_path / "out" / "first.tif").read_bytes() == TIFF
    assert names(bucket, "j-2309/") == [f"j-2309/{name}" for name in sorted(_all(links))]
    stored = bucket.get_object(Bucket="bucket", Key="j-2309/openEO_2023-06-01Z.tif")["Body"].read()
    assert stored == TIFF

    jobs = pd.DataFrame({"id": ["j-2309"], "status": ["running"], "backend_name": ["example"], "start_time": [None]})
    backend.files["/dl/11"].script = [404] * 9
    manager = page["manager"]
    manager.poll_sleep = 0
    manager.run_jobs(df=jobs, start_job=None, job_db=tmp_path / "jobs.csv")
    assert list(manager.missing) == ["j-2309"]
    backend.files["/dl/11"].script = []
    manager.run_jobs(job_db=tmp_path / "jobs.csv")
    assert not manager.missing
    assert names(bucket, "results/") == [f"results/j-2309/{name}" for name in sorted(_all(links))]


def _all(links):
    return {*links, "job-results.json"}
