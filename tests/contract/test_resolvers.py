"""The built-in resolvers keep the contract that every outside resolver keeps."""

import json

import pytest
from stac_item import stac_item

from splashdown._demo import demo_service
from splashdown.builtins.openeo import OpenEOResolver
from splashdown.builtins.several import SeveralResolver
from splashdown.builtins.stac import StacResolver
from splashdown.errors import UsageError
from splashdown.model import ResultSet
from splashdown.testing import ResolverContract, make_asset, make_session


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


ITEM = stac_item({"a.tif": {"href": "a.tif"}, "b.tif": {"href": "https://host.example/b.tif"}})


class TestStacResolver(ResolverContract):
    @pytest.fixture
    def resolver(self):
        return StacResolver()

    @pytest.fixture
    def source(self, tmp_path):
        path = tmp_path / "item.json"
        path.write_text(json.dumps(ITEM))
        return str(path)

    @pytest.fixture
    def missing(self, tmp_path):
        return str(tmp_path / "missing.json")


class TestStacResolverOfDocumentsInMemory(TestStacResolver):
    @pytest.fixture
    def source(self):
        return {**ITEM, "assets": {"b.tif": ITEM["assets"]["b.tif"]}}

    @pytest.fixture
    def missing(self):
        return {**ITEM, "type": "Something"}


class TestSeveralResolver(ResolverContract):
    @pytest.fixture
    def resolver(self):
        return SeveralResolver()

    @pytest.fixture
    def source(self):
        return ["https://host.example/a.json", "https://host.example/b.json"]

    @pytest.fixture
    def missing(self):
        return ["https://host.example/c.json", "https://host.example/d.json"]

    @pytest.fixture
    def sources(self, source):
        return {
            url: ResultSet(id=url[-6], kind="items", assets=(make_asset("a.bin"),), document={"id": url[-6]})
            for url in source
        }

    def test_an_unknown_option_is_refused(self):
        # It passes options on; who opens the single sources judges them.
        with pytest.raises(UsageError, match="no_such_option"):
            make_session().open([ITEM["id"] + ".json", "two.json"], no_such_option=1)
