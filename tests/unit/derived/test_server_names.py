"""Names from ``Content-Disposition``, for files whose URLs name none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_api import Answer, scripted_api
from stac_item import stac_item

import splashdown
from splashdown import Session
from splashdown.builtins.http.disposition import file_name

ZIP = b"PK\x03\x04" + bytes(60)


@pytest.fixture
def api():
    with scripted_api() as running:
        yield running


@pytest.fixture
def open_source():
    """Opens an item without the configuration of this machine."""
    with Session(config=False) as session:
        yield session.open


def attachment(value, media_type="application/octet-stream"):
    return Answer(ZIP, 200, {"Content-Disposition": value, "Content-Type": media_type, "ETag": '"e"'})


def source(api, **paths):
    return stac_item({key: {"href": f"{api.url}{path}"} for key, path in paths.items()})


def test_files_without_a_name_get_that_of_their_server_and_a_rerun_finds_them(api, open_source, tmp_path):
    api.script |= {
        "/products(7)/$value": attachment('attachment; filename="S2A_X.SAFE.zip"'),
        "/download?id=3": attachment("attachment; filename*=UTF-8''gr%C3%BC%C3%9Fe.zip; filename=plain.zip"),
        "/content": attachment("inline", "image/jpeg"),
        "/plain.tif": attachment('attachment; filename="other.zip"'),
        "/named": attachment('attachment; filename="other.zip"'),
        "/nothing": Answer(ZIP, 200, {"Content-Type": "application/octet-stream", "ETag": '"e"'}),
    }
    given = {"a": "/products(7)/$value", "b": "/download?id=3", "c": "/content", "d": "/plain.tif", "k.zip": "/named"}
    results = open_source(source(api, **given, e="/nothing")).named_by_servers()
    names = ["S2A_X.SAFE.zip", "grüße.zip", "c-content.jpg", "d-plain.tif", "k.zip", "e-nothing"]
    assert [one.name for one in results.plan(tmp_path).transfers] == names
    by_item = [one.name for one in results.plan(tmp_path, layout="by-item").transfers]
    assert by_item[:3] == ["one/S2A_X.SAFE.zip", "one/grüße.zip", "one/c-content.jpg"]
    results.download_files(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*names, "item.json"}
    receipt = json.loads((tmp_path / "item.json").read_text(encoding="utf-8"))
    assert receipt["assets"]["a"]["href"] == "./S2A_X.SAFE.zip"
    again = open_source(source(api, **given, e="/nothing")).named_by_servers()
    assert {str(one.status) for one in again.transfer(again.plan(tmp_path)).outcomes} == {"skipped"}
    # The saved document knows the names without a question.
    saved = splashdown.open(tmp_path / "item.json")
    assert [one.name for one in saved.plan(tmp_path / "copy").transfers] == names


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="/etc/cron.d/job.sh"', "job.sh"),
        ('attachment; filename="C:\\\\Windows\\\\evil.dll"', "evil.dll"),
        ("attachment; filename*=UTF-8''..%2F..%2Fup.zip", "up.zip"),
        ('attachment; filename="nul.zip"', "_nul.zip"),
        ('attachment; filename="a:b?.zip"', "a_b_.zip"),
        ('attachment; filename=".bashrc"', "_bashrc"),
        ('attachment; filename=".."', "a-x"),
        ('attachment; filename=""', "a-x"),
        ("attachment; filename*=zip''%00; filename=good.zip", "good.zip"),
        ("attachment; filename*=UTF-8''%ff%fe; filename=good.zip", "good.zip"),
        ("attachment; filename*=UTF-8''a%00b.zip", "a_b.zip"),
        ("attachment; filename*=UTF-8''a%0d%0aX%3A1.zip", "a__X_1.zip"),
        (f'attachment; filename="{"n" * 10_000}.zip"', f"{'n' * 176}.zip"),
        (f'attachment; filename="{"n" * 40_000}.zip"', "a-x"),
        ('attachment; filename="item.json"', "one/item-2.json"),
        ("attachment; filename=\xe4.zip", "ä.zip"),
        ('attachment; filename="\xc3\xa4.zip"', "ä.zip"),
        ("attachment", "a-x"),
        ("; ; =; filename", "a-x"),
    ],
)
def test_a_name_that_a_server_gives_is_made_safe(api, open_source, tmp_path, header, name):
    api.script["/x"] = attachment(header)
    results = open_source(source(api, a="/x")).named_by_servers()
    results.download_files(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    landed = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert {path.relative_to(tmp_path / "out").as_posix() for path in landed} == {name, "item.json"}


def test_two_files_to_which_a_server_gives_one_name_are_told_apart(api, open_source, tmp_path):
    api.script |= dict.fromkeys(["/x?id=1", "/x?id=2"], attachment('attachment; filename="same.zip"'))
    results = open_source(source(api, a="/x?id=1", b="/x?id=2", c="/x?id=2")).named_by_servers()
    names = [one.name for one in results.plan(tmp_path).transfers]
    assert len(set(names)) == 3
    assert all(name.endswith(".zip") and "same" in name for name in names)
    assert len(api.asked) == 2


def test_a_server_that_gives_no_answer_leaves_the_name_as_it_is(api, open_source, tmp_path, caplog):
    api.script["/x"] = Answer(b"no", 403)
    results = open_source(source(api, a="/x")).named_by_servers()
    assert [one.name for one in results.plan(tmp_path).transfers] == ["a-x"]
    assert "one/a: the server was asked for a name, and did not give one" in caplog.text


@given(st.text(max_size=300) | st.from_regex(r"attachment; filename\*?[0-9]?\*?=[\x20-\xff]{0,60}"))
def test_whatever_the_header_holds_the_name_is_one_segment(header):
    name = file_name(header)
    assert name is None or (name.strip(". ") and "/" not in name and "\\" not in name)
