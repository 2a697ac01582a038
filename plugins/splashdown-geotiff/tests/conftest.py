"""What the tests of this plugin share."""

from __future__ import annotations

import pytest
import rioxarray  # noqa: F401 - registers the accessor `.rio`
import splashdown_geotiff
from fault_server import FaultServer
from raster_files import write_tiff

from splashdown import RetryPolicy, Settings
from splashdown.model import Asset, ResultSet
from splashdown.results import JobResults
from splashdown.session import Session
from splashdown.testing import MemoryHandle, make_asset


@pytest.fixture
def handle_of():
    """A handle over bytes; fields are those of the asset."""

    def make(content, key="x.tif", media_type="image/tiff; application=geotiff", **fields):
        return MemoryHandle(content, make_asset(key, media_type=media_type, **fields))

    return make


@pytest.fixture
def tiff(tmp_path, handle_of):
    """Write a file with GDAL; gives ``(handle, path)``."""

    def make(data, key="x.tif", asset=None, **profile):
        path = tmp_path / key
        return handle_of(write_tiff(path, data, **profile), key, **(asset or {})), path

    return make


@pytest.fixture
def server():
    """A web server on a socket that counts requests and bytes, and breaks as told."""
    with FaultServer() as running:
        yield running


@pytest.fixture
def results_of():
    """Results whose assets are these hrefs, by key."""
    settings = Settings(retry=RetryPolicy(attempts=3, base=0.01))
    with Session(plugins=(splashdown_geotiff,), discover=False, strict=True, settings=settings) as session:

        def make(media_type="image/tiff; application=geotiff", signer=None, **hrefs):
            assets = [Asset(key=key, href=href, media_type=media_type) for key, href in hrefs.items()]
            return JobResults(session, ResultSet(id="j-1", kind="job", assets=assets, document={}, signer=signer))

        yield make
