"""Jobs of a real back-end that land in a bucket: a list of jobs, and a watch, each twice."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from openeo_backend import Backend, JobIds

COMMAND = str(Path(sys.executable).with_name("splashdown"))


@pytest.fixture
def splashdown(unsigned_backend: Backend, reached):
    """The installed command, with credentials of the back-end and of the store in its environment."""
    user, password = unsigned_backend.auth

    def run(*arguments):
        environment = {**os.environ, "SPLASHDOWN_USER": user, "SPLASHDOWN_PASSWORD": password}
        return subprocess.run(
            [COMMAND, *map(str, arguments)], env=environment, capture_output=True, text=True, timeout=200, check=False
        )

    return run


def stored(plain, bucket, prefix):
    """The objects below a prefix that are files of a job, by name; documents of the receipt are left out."""
    listed = plain.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    names = [one["Key"] for one in listed if not one["Key"].endswith(".json") and "/." not in one["Key"]]
    return {name.removeprefix(prefix): plain.get_object(Bucket=bucket, Key=name)["Body"].read() for name in names}


def test_a_list_of_jobs_lands_in_a_bucket_and_again_only_what_is_lost(
    splashdown, unsigned_backend, plain, bucket, tmp_path
):
    jobs = [JobIds.plain, JobIds.single]
    rows = tmp_path / "jobs.csv"
    rows.write_text("id\n" + "".join(f"{job}\n" for job in jobs))
    given = [
        "download",
        "--jobs-from",
        rows,
        f"s3://{bucket}/nightly/",
        "--backend",
        f"{unsigned_backend.url}/openeo/1.2",
    ]
    first = splashdown(*given)
    assert first.returncode == 0, first.stderr
    for job in jobs:
        files = {name: data for name, data in unsigned_backend.content(job).items() if not name.endswith(".json")}
        assert stored(plain, bucket, f"nightly/{job}/") == files
    lost = next(iter(stored(plain, bucket, f"nightly/{JobIds.single}/")))
    plain.delete_object(Bucket=bucket, Key=f"nightly/{JobIds.single}/{lost}")
    again = splashdown(*given)
    assert again.returncode == 0, again.stderr
    assert lost in stored(plain, bucket, f"nightly/{JobIds.single}/")


@pytest.mark.slow  # it lands every job of the account
def test_a_watch_lands_each_job_in_a_bucket_once(splashdown, unsigned_backend, plain, bucket):
    given = ["watch", unsigned_backend.url, f"s3://{bucket}/", "--once"]
    first = splashdown(*given)
    assert first.returncode == 0, first.stderr
    for job in (JobIds.plain, JobIds.single):
        assert f"{job} (Test job {job}): landed" in first.stdout
        assert stored(plain, bucket, f"{job}/")
    assert splashdown(*given).stdout == ""
