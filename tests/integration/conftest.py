"""Back-ends for the integration tests, started once a session and only when a test asks for them."""

import pytest
from openeo_backend import Backend, running_backend
from scripted_api import Answer, Asked, ScriptedApi, scripted_api

from splashdown._demo.files import answer_file


@pytest.fixture(scope="session")
def elsewhere():
    """Another host that holds the files of ``j-elsewhere`` and rejects requests with credentials."""
    with scripted_api() as host:
        yield host


@pytest.fixture(scope="session")
def backend(elsewhere: ScriptedApi):
    """Unsigned asset URLs: they need the bearer token."""
    with running_backend(elsewhere=elsewhere.other_name) as running:
        _serve(elsewhere, running)
        yield running


@pytest.fixture(scope="session")
def signed_backend():
    with running_backend(expiration=3600) as running:
        yield running


@pytest.fixture(scope="session")
def short_backend():
    """Signed URLs that are good for two seconds."""
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
