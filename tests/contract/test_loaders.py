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


class TestPicture(LoaderContract):
    @pytest.fixture
    def spec(self):
        return SPECS["picture"]

    @pytest.fixture
    def good(self):
        header = b"\0\0\0\rIHDR" + (3).to_bytes(4) + (2).to_bytes(4)
        return b"\x89PNG\r\n\x1a\n" + header + bytes(9)

    def check(self, loaded):
        assert (loaded.width, loaded.height) == (3, 2)


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
