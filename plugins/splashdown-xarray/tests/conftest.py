"""What the tests of this plugin share."""

from __future__ import annotations

import pytest
import splashdown_xarray
from fault_server import FaultServer

from splashdown import RetryPolicy, Settings
from splashdown.model import Asset, ResultSet
from splashdown.results import JobResults
from splashdown.session import Session


@pytest.fixture
def server():
    with FaultServer() as running:
        yield running


@pytest.fixture
def asset_of():
    """The asset of an href, in a session that has this plugin alone."""
    settings = Settings(retry=RetryPolicy(attempts=2, base=0.01))
    with Session(plugins=(splashdown_xarray,), discover=False, strict=True, settings=settings) as session:

        def make(href, media_type=None):
            asset = Asset(key="cube", href=href, media_type=media_type)
            return JobResults(session, ResultSet(id="j", kind="job", assets=[asset], document={})).get_asset()

        yield make
