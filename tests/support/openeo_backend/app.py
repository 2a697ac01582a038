"""The back-end itself: runs in its own environment, with ``openeo-driver``. Config and WSGI app in one module."""

import datetime as dt
import os
import shutil
import threading
from collections import Counter
from pathlib import Path

import attrs
from openeo_driver.backend import BatchJobMetadata, BatchJobResultMetadata, BatchJobs
from openeo_driver.dummy.dummy_backend import DummyBackendImplementation, DummyBatchJobs
from openeo_driver.dummy.dummy_config import config as dummy_config
from openeo_driver.errors import JobNotFinishedException, JobNotFoundException
from openeo_driver.urlsigning import UrlSigner
from openeo_driver.views import build_app

FILES = Path(os.environ["BACKEND_FILES"])
SAMPLES = Path(os.environ["BACKEND_SAMPLES"])
ELSEWHERE = os.environ["BACKEND_ELSEWHERE"]
EXPIRATION = os.environ["BACKEND_EXPIRATION"]
USER = "john"
CREATED = dt.datetime(2023, 7, 1, 9, 0, tzinfo=dt.UTC)
TIFF = "image/tiff; application=geotiff"
FIRST, SECOND = "openEO_2023-06-01Z.tif", "openEO_2023-06-11Z.tif"
TYPES = {".tif": TIFF, ".json": "application/json", ".png": "image/png", ".txt": "text/plain"}

config = attrs.evolve(
    dummy_config, url_signer=UrlSigner(secret="not a secret", expiration=int(EXPIRATION)) if EXPIRATION else None
)

#: The files of each finished job: name in the job -> sample.
JOBS = {
    "j-plain": {name: name for name in (FIRST, SECOND, "timeseries.json", "thumbnail.png")},
    "j-single": {FIRST: FIRST},
    "j-json": {"timeseries.json": "timeseries.json"},
    "j-items": {name: name for name in (FIRST, SECOND, "timeseries.json")},
    "j-items-only": {name: name for name in (FIRST, SECOND)},
    "j-sub": {"sub/mosaic.tif": FIRST, "timeseries.json": "timeseries.json"},
    "j-elsewhere": {FIRST: FIRST, "timeseries.json": "timeseries.json"},
    "j-many": {f"part-{n:02}.txt": None for n in range(30)},
}
STATES = {f"j-{state}": state for state in ("created", "queued", "running", "error", "canceled")}


def asset(job_id, name, path):
    described = {
        "href": str(path),
        "output_dir": str(FILES / job_id),
        "type": TYPES[path.suffix],
        "roles": ["thumbnail"] if path.suffix == ".png" else ["data"],
        "file:size": path.stat().st_size,
    }
    if job_id == "j-elsewhere":
        described[BatchJobs.ASSET_PUBLIC_HREF] = f"{ELSEWHERE}/{job_id}/{name}"
    return described


class Jobs(DummyBatchJobs):
    def __init__(self):
        super().__init__()
        self._looks = Counter()
        self._lock = threading.Lock()
        for job_id, names in JOBS.items():
            self._add(job_id, "finished")
            self._write(job_id, names)
        for job_id, state in STATES.items():
            self._add(job_id, state)

    def _add(self, job_id, status, **more):
        info = BatchJobMetadata(
            id=job_id,
            status=status,
            created=CREATED,
            title=f"Test job {job_id}",
            bbox=[3.0, 51.2, 3.1, 51.3],
            start_datetime=dt.datetime(2023, 6, 1, tzinfo=dt.UTC),
            end_datetime=dt.datetime(2023, 6, 12, tzinfo=dt.UTC),
            **more,
        )
        self._job_registry[(USER, job_id)] = info
        return info

    def _write(self, job_id, names):
        for name, sample in names.items():
            path = FILES / job_id / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if sample:
                shutil.copyfile(SAMPLES / sample, path)
            else:
                path.write_text(f"{job_id} {name}\n" * 500)

    def get_job_info(self, job_id, user_id):
        kind, _, name = job_id.removeprefix("j-").partition("-")
        if kind not in {"finishing", "failing"} or not name:
            return super().get_job_info(job_id, user_id)
        if user_id != USER:
            raise JobNotFoundException(job_id)
        states = ("queued", "running", "finished") if kind == "finishing" else ("running", "error")
        with self._lock:
            look = self._looks[job_id]
            self._looks[job_id] += 1
        state = states[min(look, len(states) - 1)]
        if look == 0:
            self._write(job_id, {FIRST: FIRST})
        return self._add(job_id, state, progress=50.0 if state == "running" else None)

    def get_result_assets(self, job_id, user_id):
        info = self._get_job_info(job_id=job_id, user_id=user_id)
        if info.status != "finished":
            raise JobNotFinishedException
        folder = FILES / job_id
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        return {str(path.relative_to(folder)): asset(job_id, str(path.relative_to(folder)), path) for path in paths}

    def get_result_metadata(self, job_id, user_id):
        assets = self.get_result_assets(job_id, user_id)
        if job_id not in {"j-items", "j-items-only"}:
            return BatchJobResultMetadata(assets=assets)
        items = {
            name.removesuffix(".tif"): {
                "assets": {name: described},
                "datetime": f"{name[7:17]}T00:00:00Z",
                "bbox": [3.0, 51.2, 3.1, 51.3],
                "geometry": {"type": "Point", "coordinates": [3.05, 51.25]},
            }
            for name, described in assets.items()
            if name.endswith(".tif")
        }
        return BatchJobResultMetadata(assets=assets if job_id == "j-items" else {}, items=items)

    def get_log_entries(self, job_id, *, user_id, offset=None, limit=None, level="debug"):
        self._get_job_info(job_id=job_id, user_id=user_id)
        yield {"id": "1", "level": "info", "message": "the job was started"}
        if job_id == "j-error" or job_id.startswith("j-failing"):
            yield {"id": "2", "level": "error", "code": "OutOfMemory", "message": "The worker ran out of memory."}


def create_app():
    implementation = DummyBackendImplementation()
    implementation.batch_jobs = Jobs()
    return build_app(backend_implementation=implementation)
