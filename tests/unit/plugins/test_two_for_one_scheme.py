"""Two installed packages that claim s3://: nobody wins by accident, and one can be picked for each call."""

import json

import pytest
from installs import SINK, install
from stac_item import stac_item

from splashdown import Session
from splashdown.errors import ConflictError, NoProviderError

RIVAL = """
    from splashdown.hookspecs import hookimpl
    from splashdown.specs import SinkSpec, TransportSpec
    from splashdown.testing import FakeTransport, MemorySink

    store = {}

    @hookimpl
    def splashdown_sinks():
        yield SinkSpec(name="bucket", schemes=("s3",), create=lambda target, options: MemorySink(store))

    @hookimpl
    def splashdown_transports():
        yield TransportSpec(name="bucket", schemes=("s3",), create=lambda options: FakeTransport({"s3://b/a.txt": b"x"}))
"""
ITEM = stac_item({"a.txt": {"href": "s3://b/a.txt"}})


@pytest.fixture(autouse=True)
def rivals(site):
    for name in ("ocean-store", "river-store"):
        install(site, name, RIVAL, name=f"{name}-plugin", version="2.1")


def open_item(session, folder):
    """An item on disk with one file beside it."""
    (folder / "a.txt").write_text("text")
    (folder / "item.json").write_text(json.dumps({**ITEM, "assets": {"a.txt": {"href": "a.txt"}}}))
    return session.open(folder / "item.json")


def test_a_target_that_two_packages_take_names_both_and_the_ways_out(tmp_path):
    with Session(config=False) as session, pytest.raises(ConflictError) as caught:
        open_item(session, tmp_path).download_files("s3://bucket/prefix/")
    text = str(caught.value)
    assert "'ocean-store-plugin' (ocean-store 2.1) and 'river-store-plugin' (river-store 2.1)" in text
    assert "pick one with 'ocean-store:s3://' or 'river-store:s3://'" in text
    assert "disable 'ocean-store-plugin' or 'river-store-plugin'" in text


def test_one_is_picked_for_a_call_by_its_distribution(tmp_path):
    with Session(config=False) as session:
        landed = open_item(session, tmp_path).download_files("river-store:s3://bucket/prefix/")
    import ocean_store
    import river_store

    assert river_store.store["a.txt"] == b"text"
    assert len(river_store.store) == len(landed) == 2
    assert ocean_store.store == {}


@pytest.mark.parametrize("how", [{"disable": ["ocean-store"]}, {"only": ["river-store-plugin"]}])
def test_one_is_left_by_switching_off_the_other(tmp_path, how):
    with Session(config=False, **how) as session:
        open_item(session, tmp_path).download_files("s3://bucket/prefix/")


def test_an_href_that_two_packages_read_says_to_disable_one():
    with Session(config=False) as session, pytest.raises(ConflictError) as caught:
        session.transport("s3://b/a.txt")
    assert str(caught.value).endswith("disable 'ocean-store-plugin' or 'river-store-plugin'")
    with Session(config=False, disable=["ocean-store"]) as session:
        assert session.open(ITEM).get_asset("a.txt").load_bytes() == b"x"


def test_what_claims_nothing_else_is_not_disturbed(tmp_path):
    with Session(config=False) as session:
        open_item(session, tmp_path).download_files(tmp_path / "out")
    assert (tmp_path / "out" / "a.txt").read_text() == "text"


def test_a_session_in_a_notebook_finds_what_was_installed_since(site, tmp_path):
    with Session(config=False) as session:
        with pytest.raises(NoProviderError, match="no plugin stores to shelf://"):
            session.sink("shelf://top")
        install(site, "shelf-store", SINK)
        session.refresh()
        assert session.sink("shelf://top")
