"""Servers that tests of the core and of several plugins need. Each is started once a process, when a test asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from openeo_backend import Backend, running_backend
from scripted_api import Answer, Asked, ScriptedApi, scripted_api
from seaweedfs import SeaweedFS, seaweedfs
from server_process import refusing_port

from splashdown._demo.files import answer_file


@pytest.fixture(scope="session")
def refusing_url() -> Iterator[str]:
    """The URL of a server that refuses connections."""
    with refusing_port() as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFS]:
    """An S3 store. Tests make buckets of their own there, and remove them."""
    with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as running:
        yield running


@pytest.fixture(scope="session")
def other_host() -> Iterator[ScriptedApi]:
    """Another host that holds the files of ``j-elsewhere`` and rejects requests with credentials."""
    with scripted_api() as host:
        yield host


@pytest.fixture(scope="session")
def unsigned_backend(other_host: ScriptedApi) -> Iterator[Backend]:
    """An openEO back-end with unsigned asset URLs: they need the bearer token."""
    with running_backend(elsewhere=other_host.other_name) as running:
        _serve(other_host, running)
        yield running


@pytest.fixture(scope="session")
def signed_backend() -> Iterator[Backend]:
    """An openEO back-end with signed asset URLs."""
    with running_backend(expiration=3600) as running:
        yield running


@pytest.fixture(scope="session")
def short_backend() -> Iterator[Backend]:
    """An openEO back-end with signed URLs that are good for two seconds."""
    with running_backend(expiration=2) as running:
        yield running


def _serve(host: ScriptedApi, backend: Backend) -> None:
    for name, content in backend.content("j-elsewhere").items():

        def answer(asked: Asked, content: bytes = content) -> Answer:
            if "Authorization" in asked.headers or "Cookie" in asked.headers:
                return Answer(b"no credentials, please", 400)
            answered = answer_file(content, "application/octet-stream", asked.headers)
            return Answer(answered.body, answered.status, answered.headers)

        host.script[f"/j-elsewhere/{name}"] = answer
