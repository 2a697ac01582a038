"""The built-in loaders keep the contract."""

import pytest

from splashdown.builtins.loaders import splashdown_loaders
from splashdown.testing import LoaderContract

SPECS = {spec.name: spec for spec in splashdown_loaders()}


class TestJson(LoaderContract):
    @pytest.fixture
    def spec(self):
        return SPECS["json"]

    @pytest.fixture
    def good(self):
        return b'{"type": "FeatureCollection", "features": []}'

    def check(self, loaded):
        assert loaded == {"type": "FeatureCollection", "features": []}


class TestText(LoaderContract):
    takes_anything = True

    @pytest.fixture
    def spec(self):
        return SPECS["text"]

    @pytest.fixture
    def good(self):
        return "grüße".encode()

    def check(self, loaded):
        assert loaded == "grüße"


class TestBytes(LoaderContract):
    takes_anything = True

    @pytest.fixture
    def spec(self):
        return SPECS["bytes"]

    @pytest.fixture
    def good(self):
        return b"\0\xff"

    def check(self, loaded):
        assert loaded == b"\0\xff"
