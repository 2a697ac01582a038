"""``results.run``: an action by its name, with its options."""

from dataclasses import dataclass

import pytest
from stac_item import stac_item

from splashdown import hookimpl
from splashdown.errors import OptionError
from splashdown.specs import ActionSpec
from splashdown.testing import make_session


@dataclass(frozen=True, kw_only=True)
class TallyOptions:
    key: str
    by: str = "type"


class TallyPlugin:
    @hookimpl
    def splashdown_actions(self):
        yield ActionSpec(name="tally", run=lambda results, *, key, by="type": (key, by), options=TallyOptions)


@pytest.fixture
def results():
    with make_session(TallyPlugin()) as session:
        yield session.open(stac_item({"a.tif": {"href": "https://host.example/a.tif"}}))


def test_an_action_gets_its_options(results):
    assert results.run("tally", key="a") == ("a", "type")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "'tally' needs the option 'key'; pass it or set SPLASHDOWN_TALLY_KEY"),
        ({"key": "a", "keys": 1}, "the action 'tally' has no option 'keys'; did you mean 'key'?"),
        ({"key": "a", "zzz": 1}, "the action 'tally' has no option 'zzz'; it has: key, by"),
    ],
)
def test_an_option_that_is_missing_or_unknown_is_told(results, options, text):
    with pytest.raises(OptionError) as told:
        results.run("tally", **options)
    assert str(told.value) == text
