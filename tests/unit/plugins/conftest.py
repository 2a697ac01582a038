import sys
from functools import partial
from importlib import metadata

import pytest

from splashdown._plugins import installed


@pytest.fixture
def site(tmp_path, monkeypatch):
    """The only folder with installed distributions, first on the path; what it brought is forgotten afterwards."""

    monkeypatch.setattr(installed, "distributions", partial(metadata.distributions, path=[str(tmp_path)]))
    monkeypatch.syspath_prepend(str(tmp_path))
    # A plugin that another test has imported must not stand in for the one of the same name that is installed here.
    for name in [name for name in sys.modules if name.startswith("splashdown_")]:
        monkeypatch.delitem(sys.modules, name)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]
