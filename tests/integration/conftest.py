"""What the integration tests call the servers that they share with the plugins' tests."""

import pytest
from openeo_backend import Backend


@pytest.fixture(scope="session")
def backend(unsigned_backend: Backend) -> Backend:
    return unsigned_backend
