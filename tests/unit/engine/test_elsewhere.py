"""Alternate hrefs are a second source where the first one fails and the bytes can be shown to be the same."""

from __future__ import annotations

import hashlib

import pytest
from scripted_api import Answer, scripted_api
from stac_item import stac_item

import splashdown
from splashdown.errors import DownloadError, OptionError
from splashdown.events import Retried
from splashdown.model import Status

DATA = b"II*\0" + b"pixels" * 100
SUM = "1220" + hashlib.sha256(DATA).hexdigest()
FAST = splashdown.Settings(retry=splashdown.RetryPolicy(attempts=2, base=0.0))


@pytest.fixture
def api():
    with scripted_api() as running:
        yield running


def serve(api, *, first=None, second=None, **metadata):
    """An asset with an alternate on another origin."""
    alternate = metadata.pop("alternate", {"href": f"{api.other_name}/b.tif"})
    asset = {"href": f"{api.url}/a.tif", "type": "image/tiff", "alternate": {"mirror": alternate}, **metadata}
    api.script |= {
        "/item.json": Answer(stac_item({"a": asset})),
        "/a.tif": first or Answer(b"", 404),
        "/b.tif": second or Answer(DATA),
    }
    return f"{api.url}/item.json"


def download(source, target, settings=FAST, listeners=(), **options):
    with splashdown.Session(config=False) as session:
        results = session.open(source, **options)
        done = results.run("download_files", target=target, settings=settings, listeners=listeners)
    done.raise_failures()
    return done.report


@pytest.mark.parametrize(
    "first",
    [
        Answer(b"", 404),
        Answer(b"", 503),
        Answer(b"<html>sign in</html>"),
        Answer(b"damaged"),
        Answer(DATA[:9], length=600),
    ],
    ids=["missing", "busy", "login page", "another file", "cut"],
)
def test_the_alternate_is_taken_where_the_href_fails(api, tmp_path, first):
    events = []
    report = download(serve(api, first=first, **{"file:checksum": SUM}), tmp_path, listeners=[events.append])
    (outcome,) = report.outcomes
    assert (outcome.status, outcome.checksum) == (Status.STORED, SUM)
    assert "checksum" in outcome.verified
    assert outcome.asset.href == f"{api.url}/a.tif"
    assert any(isinstance(event, Retried) for event in events)
    assert splashdown.Session().run("verify", str(tmp_path)).ok


def test_a_second_run_finds_what_came_from_an_alternate(api, tmp_path):
    source = serve(api, **{"file:checksum": SUM})
    download(source, tmp_path)
    assert [one.status for one in download(source, tmp_path).outcomes] == [Status.SKIPPED]
    assert api.paths().count("/b.tif") == 1


def test_without_a_checksum_an_alternate_is_taken_only_where_the_user_says_so(api, tmp_path):
    source = serve(api)
    with pytest.raises(DownloadError):
        download(source, tmp_path)
    assert "/b.tif" not in api.paths()
    trusting = splashdown.Settings(trust_alternates=True)
    assert download(source, tmp_path, trusting).ok


def test_the_own_href_is_taken_where_a_chosen_alternate_fails(api, tmp_path):
    source = serve(api, first=Answer(DATA), second=Answer(b"", 404), **{"file:checksum": SUM})
    assert download(source, tmp_path, alternate="mirror").ok
    assert api.paths()[-2:] == ["/b.tif", "/a.tif"]


def test_the_first_error_is_raised_with_what_became_of_the_others(api, tmp_path):
    source = serve(api, second=Answer(b"", 410), **{"file:checksum": SUM})
    with pytest.raises(DownloadError, match=r"404.*its alternate 'mirror' failed too .*410") as raised:
        download(source, tmp_path)
    assert raised.value.report.failed[0].error_type == "HttpStatusError"


@pytest.mark.parametrize(
    "other",
    [
        {"file:checksum": "1220" + "00" * 32},
        {"file:size": 1},
        {"href": "b.tif"},
        {"href": "file:///etc/hostname"},
        {"href": 7},
        {},
    ],
)
def test_an_alternate_that_is_another_file_or_no_complete_url_is_not_tried(api, tmp_path, other):
    alternate = {"href": f"{api.other_name}/b.tif", **other} if other else "b.tif"
    source = serve(api, alternate=alternate, **{"file:checksum": SUM, "file:size": len(DATA)})
    with pytest.raises(DownloadError, match="404") as raised:
        download(source, tmp_path)
    assert "failed too" not in str(raised.value)
    assert "/b.tif" not in api.paths()


def test_a_target_that_is_taken_is_no_reason_to_read_elsewhere(api, tmp_path):
    source = serve(api, first=Answer(DATA), **{"file:checksum": SUM})
    (tmp_path / "a-a.tif").write_bytes(b"foreign")
    with pytest.raises(DownloadError, match="was not recognised"):
        download(source, tmp_path)
    assert "/b.tif" not in api.paths()


def test_an_alternate_that_no_asset_has_is_named_with_those_that_are_there(api):
    source = serve(api)
    with pytest.raises(OptionError, match="mirror"), splashdown.Session(config=False) as session:
        session.open(source, alternate="miror")
