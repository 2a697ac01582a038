"""An openEO back-end that answers as a test says, with a file for each job; and the pauses that a run would make."""

from __future__ import annotations

import pytest
from scripted_api import Answer, Asked, ScriptedApi, scripted_api

from splashdown._landing import waiting


class Api:
    """An openEO back-end; each job has one file."""

    def __init__(self, server: ScriptedApi) -> None:
        self.server, self.url = server, server.url
        server.script["/.well-known/openeo"] = Answer(status=404)
        server.script["/"] = Answer({"api_version": "1.2.0", "endpoints": []})

    def job(self, job_id: str, *statuses: str) -> None:
        """A job with one status after the other, a look each; the results are there when the last one is finished."""
        self.server.script[f"/jobs/{job_id}"] = [self.status(job_id, one) for one in statuses or ("finished",)]
        unfinished = [Answer({"code": "JobNotFinished", "message": "not yet", "id": "r"}, 400)]
        asset = {"href": f"{self.url}/files/{job_id}", "type": "text/plain"}
        document = {
            "type": "Collection",
            "id": job_id,
            "stac_version": "1.0.0",
            "links": [],
            "assets": {"a.txt": asset},
        }
        self.server.script[f"/jobs/{job_id}/results"] = (unfinished if len(statuses) > 1 else []) + [Answer(document)]
        self.server.script[f"/files/{job_id}"] = lambda asked: self._file(job_id, asked)

    @staticmethod
    def _file(job_id: str, asked: Asked) -> Answer:
        if asked.headers.get("If-None-Match") == f'"{job_id}"':
            return Answer(status=304)
        return Answer(job_id.encode(), headers={"ETag": f'"{job_id}"'})

    @staticmethod
    def status(job_id: str, status: str) -> Answer:
        return Answer({"id": job_id, "status": status})

    def lists(self, **statuses: str) -> None:
        """What the back-end says of all jobs."""
        jobs = [{"id": job_id, "status": status} for job_id, status in statuses.items()]
        self.server.script["/jobs"] = Answer({"jobs": jobs, "links": []})

    def fails(self, job_id: str, status: int) -> None:
        self.server.script[f"/jobs/{job_id}/results"] = Answer({"code": "X", "message": "no", "id": "r"}, status)


@pytest.fixture
def api():
    with scripted_api() as server:
        yield Api(server)


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """The pauses that a run would make."""
    made: list[float] = []
    monkeypatch.setattr(waiting.Clock, "sleep", staticmethod(made.append))
    return made
