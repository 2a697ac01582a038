"""The built-in resolvers of jobs keep the contract."""

import pytest

from splashdown._demo import demo_service
from splashdown.builtins.openeo import OpenEOResolver
from splashdown.testing import ResolverContract


@pytest.fixture(scope="module")
def service():
    with demo_service() as running:
        yield running


class TestOpenEOResolver(ResolverContract):
    @pytest.fixture
    def resolver(self):
        return OpenEOResolver()

    @pytest.fixture
    def source(self, service):
        return service.job_url

    @pytest.fixture
    def missing(self, service):
        return f"{service.api}/jobs/not-there"
