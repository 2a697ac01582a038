"""Keys that go to listed origins in a header or in the query, by a name that the user gives."""

import json

import pytest
from fault_server import FaultServer
from scripted_api import Answer, scripted_api
from stac_item import stac_item

from splashdown import DownloadError, Session, Settings
from splashdown._plugins.config import read_config
from splashdown.auth import ApiKey
from splashdown.errors import AuthError, OptionError, UsageError

SECRET = "cAnArYt0ken0123456789"
ITEM = {"type": "Feature", "stac_version": "1.0.0", "id": "i", "geometry": None, "properties": {"datetime": None}}


@pytest.fixture(autouse=True)
def no_configuration(monkeypatch):
    monkeypatch.setenv("SPLASHDOWN_CONFIG", "")


@pytest.fixture
def server():
    with FaultServer() as running:
        yield running


@pytest.mark.parametrize("way", ["auth", "listed", "configuration"])
@pytest.mark.parametrize("place", ["header", "query"])
@pytest.mark.parametrize("size", [10, 1 << 20])
def test_a_key_goes_with_documents_and_files_of_its_origin(tmp_path, monkeypatch, way, place, size):
    name = {"header": "X-API-Key", "query": "api_key"}[place]
    key = ApiKey(key=SECRET, **{place: name})
    monkeypatch.setenv("ARCHIVE_KEY", SECRET)
    with scripted_api() as api:
        api.script["/i.json"] = Answer(ITEM | {"assets": {k: {"href": f"{api.url}/{k}.bin"} for k in "abc"}})
        other = {"d": {"href": f"{api.other_name}/d.bin"}}
        api.script["/i.json"].body["assets"] |= other
        for one in "abcd":
            api.script[f"/{one}.bin"] = Answer(b"x" * size, headers={"Content-Type": "application/octet-stream"})
        config = tmp_path / "own.toml"
        config.write_text(f'[auth]\n"{api.url}" = {{{place} = "{name}", key = "env:ARCHIVE_KEY"}}\n')
        auth = {"auth": key, "listed": {api.url: key}}.get(way)
        with Session(config=config if way == "configuration" else False, settings=Settings(jobs=1)) as session:
            results = session.open(f"{api.url}/i.json", auth=auth)
            assert SECRET not in repr(results.result_set)
            results.download_files(tmp_path / "out")
        keyed = {
            asked.path.partition("?")[0]
            for asked in api.asked
            if asked.headers.get("X-API-Key") == SECRET or asked.path.endswith(f"?api_key={SECRET}")
        }
        assert keyed == {"/i.json", "/a.bin", "/b.bin", "/c.bin"}
        assert not any("Authorization" in asked.headers for asked in api.asked)
    assert not any(SECRET in path.read_text(errors="replace") for path in (tmp_path / "out").rglob("*.json"))


@pytest.mark.parametrize("place", ["header", "query"])
def test_a_key_that_a_server_repeats_is_not_shown(tmp_path, place):
    with scripted_api() as api:
        api.script["/i.json"] = Answer({"code": "X", "message": f"bad key {SECRET}"}, 403)
        api.script["/a.bin"] = Answer({"code": "X", "message": f"bad key {SECRET}"}, 403)
        key = {api.url: ApiKey(key=SECRET, **{place: "apikey"})}
        with Session() as session:
            with pytest.raises(AuthError, match="bad key") as caught:
                session.open(f"{api.url}/i.json", auth=key)
            assert SECRET not in str(caught.value)
            item = stac_item({"a": {"href": f"{api.url}/a.bin"}})
            with pytest.raises(DownloadError, match="bad key") as caught:
                session.open(item, auth=key).download_files(tmp_path)
            assert SECRET not in str(caught.value)


def test_a_key_in_a_header_is_asked_for_again_when_it_is_refused(server, tmp_path):
    given = iter(["an-old-key", SECRET])
    server.add("/a.bin", b"x" * 10, needs={"x-api-key": SECRET})
    item = stac_item({"a": {"href": f"{server.url}/a.bin"}})
    auth = {server.url: lambda: ApiKey(key=next(given), header="X-API-Key")}
    with Session() as session:
        session.open(item, auth=auth).download_files(tmp_path)
    assert [seen.headers.get("x-api-key") for seen in server.seen] == ["an-old-key", SECRET]


def test_a_redirect_takes_no_key_to_another_origin(server, tmp_path):
    from faults import Redirect

    server.add("/b.bin", b"x" * 10)
    server.add("/a.bin", b"")
    server.always("/a.bin", Redirect(f"{server.alias}/b.bin"))
    item = stac_item({"a": {"href": f"{server.url}/a.bin"}})
    for place in ("header", "query"):
        with Session() as session:
            key = ApiKey(key=SECRET, **{place: "apikey"})
            session.open(item, auth={server.url: key}).download_files(tmp_path / place)
    behind = [seen for seen in server.seen if seen.path == "/b.bin"]
    assert len(behind) == 2
    assert not any(SECRET in json.dumps(dict(seen.headers)) + seen.query for seen in behind)


def test_a_signed_link_gets_no_key(server, tmp_path):
    server.add("/a.bin", b"x" * 10)
    item = stac_item({"a": {"href": f"{server.url}/a.bin?X-Amz-Signature=abc&X-Amz-Credential=d"}})
    with Session() as session:
        session.open(item, auth={server.url: ApiKey(key=SECRET, query="k")}).download_files(tmp_path)
    assert not any(SECRET in seen.query for seen in server.seen)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"header": "A", "query": "b"},
        {"header": "Host"},
        {"header": "A: b\r\nC"},
        {"query": "a=b&c"},
        {"header": "A", "key": "a\r\nB: c"},
        {"header": "A", "key": ""},
        {"header": "A", "key": None},
    ],
)
def test_a_key_that_makes_no_sense_is_refused_and_not_shown(fields):
    with pytest.raises(UsageError) as caught:
        ApiKey(**({"key": SECRET} | fields))
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(ApiKey(key=SECRET, header="X"))


@pytest.mark.parametrize(
    "value",
    [
        '{header = "X", key = "SECRET"}',
        '{header = 1, key = "env:A"}',
        '{headers = "X", key = "env:A"}',
        '{key = "env:A"}',
        '{header = "Host", key = "env:A"}',
    ],
)
def test_a_key_in_the_configuration_is_typed_on_entry(tmp_path, value):
    path = tmp_path / "own.toml"
    path.write_text(f'[auth]\n"https://data.example" = {value}\n')
    with pytest.raises(OptionError) as caught:
        read_config(only=path)
    assert "SECRET" not in str(caught.value)
