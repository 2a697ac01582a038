"""The hrefs that a document may link depend on where the document is: one on the web reads no file of this machine."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from raw_server import raw_server
from stac_item import stac_item

import splashdown
from splashdown import Session
from splashdown._documents.places import may_link, resolve_href, why_refused
from splashdown.errors import OptionError, ResolveError, TargetError

SECRET = "/home/someone/secret.txt"
WEB, STORE, LOCAL, NOWHERE = "https://h.invalid/x/item.json", "s3://bucket/x/item.json", "file:///data/item.json", ""
READ_FILES_HERE = [
    f"file://{SECRET}",
    f"FILE://{SECRET}",
    f"file:{SECRET}",
    f" file://{SECRET}",
    f"fi\tle://{SECRET}",
    f"local://{SECRET}",
    f"memory://{SECRET}",
    f"fsspec://local{SECRET}",
    f"fsspec://LOCAL{SECRET}",
    f"FSSPEC://file{SECRET}",
    f"fsspec://memory/../..{SECRET}",
    f"fsspec://simplecache::file{SECRET}",
    f"fsspec://reference{SECRET}",
    f"fsspec://unheard-of{SECRET}",
    f"fsspec:{SECRET}",
]
PICKS = [
    f"splashdown-fsspec:fsspec://local{SECRET}",
    f"fsspec:fsspec://s3{SECRET}",
    f"splashdown:file://{SECRET}",
    f"splashdown:file:{SECRET}",
    f"splashdown-fsspec:sftp://local{SECRET}",
    "splashdown-s3:s3://bucket/key",
    f"jar:file://{SECRET}",
    f"http:file://{SECRET}",
]


@pytest.mark.parametrize("base", [WEB, STORE, NOWHERE])
@pytest.mark.parametrize("href", READ_FILES_HERE + PICKS)
def test_no_document_from_elsewhere_links_files_here_or_picks_a_plugin(href, base):
    assert resolve_href(base, href) is None
    assert why_refused(base, href)


@pytest.mark.parametrize("href", PICKS)
def test_no_local_document_picks_a_plugin_either(href):
    assert resolve_href(LOCAL, href) is None


@pytest.mark.parametrize("base", [WEB, STORE, LOCAL, NOWHERE])
@pytest.mark.parametrize(
    "href",
    [
        "https://other.invalid/a.tif",
        "http://h/a",
        "s3://bucket/a?b#c",
        "gs://b/k",
        "az://c/k",
        "sftp://host/k",
        "irods://zone/k",
        "fsspec://gcs/bucket/k",
    ],
)
def test_every_document_links_the_web_and_stores(href, base):
    assert resolve_href(base, href) == href


def test_a_document_links_what_is_beside_it_in_its_own_store():
    base = "fsspec://local/data/x/item.json"
    assert resolve_href(base, "a.tif") == "fsspec://local/data/x/a.tif"
    assert resolve_href(base, "fsspec://local/data/b.tif") == "fsspec://local/data/b.tif"
    assert resolve_href("splashdown-s3:s3://bucket/item.json", "a.tif") == "splashdown-s3:s3://bucket/a.tif"


@given(
    st.sampled_from([WEB, STORE, NOWHERE]),
    st.lists(
        st.sampled_from(
            ["file", "local", "fsspec", "http", ":", "//", "/", "::", "etc", "\\", " ", "\0", "%2e", "..", "@"]
        )
        | st.characters(),
        max_size=8,
    ).map("".join),
)
@example(WEB, "C:/x")
@example(WEB, "\ud800")
@example(WEB, "http://[")
def test_any_href_of_a_document_from_elsewhere_is_refused_or_not_of_this_machine(base, href):
    found = resolve_href(base, href)
    if found is None or not base:
        return
    scheme = found.partition("://")[0].lower()
    assert scheme not in {"file", "local", "memory"}
    assert ":" not in scheme
    assert may_link(base, found)
    found.encode()  # half characters cannot be sent


@pytest.mark.parametrize("href", [READ_FILES_HERE[0], READ_FILES_HERE[7], PICKS[0], PICKS[2], "\ud800"])
@pytest.mark.parametrize("kind", ["stac", "job"])
def test_what_is_refused_is_left_out_with_a_reason(href, kind, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("LOCAL-SECRET")
    assets = {"a.bin": {"href": href.replace(SECRET, str(secret))}}
    item = {"type": "Feature", "stac_version": "1.0.0", "id": "i", "properties": {}, "links": [], "assets": assets}
    body = json.dumps(item).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    with raw_server(lambda _, n: head + body) as server, splashdown.Session(discover=False, config=False) as session:
        results = session.open(server.url + ("/jobs/j/results" if kind == "job" else "/item.json"))
        assert not results.assets
        assert any("was left out" in line for line in results.result_set.warnings)


@pytest.mark.parametrize(
    "target", ["~\0", "a\0b", "/x/\ud800", "file:///a%00b", "a" * 300, "a/" * 3000, "file:///" + "a" * 300]
)
def test_a_target_that_is_not_a_path_is_refused_in_one_line(target, tmp_path):
    with Session(discover=False, config=False) as session:
        with pytest.raises(TargetError, match=r"cannot be a folder: (its name is too long|it cannot be the name)"):
            session.sink(target)
        with pytest.raises(ResolveError, match=r"no file here|cannot be read|not a valid path"):
            session.open(target)


@pytest.mark.parametrize("name", ["a" * 300, "a/" * 3000])
@pytest.mark.parametrize("action", ["download_files", "sync"])
def test_each_action_refuses_a_target_of_a_name_that_is_too_long(action, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.bin").write_bytes(b"1")
    (tmp_path / "item.json").write_text(json.dumps(stac_item({"a": {"href": "a.bin"}})))
    with Session(config=False) as session:
        results = session.open(tmp_path / "item.json")
        with pytest.raises(TargetError, match="too long"):
            results.run(action, target=name)


def test_a_configuration_file_of_a_name_that_is_too_long_is_not_there():
    with pytest.raises(OptionError, match="there is no configuration file"):
        Session(config="a" * 300)
