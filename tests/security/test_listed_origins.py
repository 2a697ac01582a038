"""Credentials go to the origins that the user lists, at every step of a redirect, and to no other."""

import base64
import json

import pytest
from fault_server import FaultServer
from faults import Redirect
from stac_item import stac_item

import splashdown
from splashdown import DownloadError, Session
from splashdown._cli.main import main
from splashdown.errors import AuthError, OptionError, UsageError

TOKEN, PASSWORD = "cAnArYt0ken0123456789", "cAnArYpa55word"
BEARER = {"authorization": f"Bearer {TOKEN}"}
BASIC = {"authorization": "Basic " + base64.b64encode(f"jane:{PASSWORD}".encode()).decode()}


@pytest.fixture
def catalogue():
    with FaultServer() as running:
        yield running


@pytest.fixture
def data():
    with FaultServer() as running:
        yield running


@pytest.fixture
def other():
    with FaultServer() as running:
        yield running


@pytest.fixture(autouse=True)
def no_configuration(tmp_path, monkeypatch):
    monkeypatch.setenv("SPLASHDOWN_CONFIG", "")


def item(server, href, path="/item.json"):
    return server.add(path, json.dumps(stac_item({"a": {"href": href}})).encode())


def authorizations(server):
    return [seen.headers.get("authorization") for seen in server.seen]


def failure_of(results, target):
    with pytest.raises(DownloadError) as caught:
        results.download_files(target)
    (failed,) = caught.value.report.failed
    return failed.error


@pytest.mark.parametrize(("given", "needed"), [(TOKEN, BEARER), (("jane", PASSWORD), BASIC)], ids=["token", "pair"])
def test_a_listed_origin_gets_its_own_credentials(given, needed, catalogue, data, tmp_path):
    source = item(catalogue, data.add("/a.bin", b"for jane", needs=needed))
    splashdown.open(source, auth={data.url: given}).download_files(tmp_path)
    assert (tmp_path / "a-a.bin").read_bytes() == b"for jane"
    assert authorizations(catalogue) == [None]
    saved = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert TOKEN.encode() not in saved


def test_a_password_in_an_href_is_not_sent_and_that_of_the_user_is(catalogue, data, tmp_path):
    href = data.add("/a.bin", b"for jane", needs=BASIC).replace("http://", "http://mallory:cAnArY@")
    source = item(catalogue, href)
    assert "401" in failure_of(splashdown.open(source), tmp_path / "none")
    assert set(authorizations(data)) == {None}
    splashdown.open(source, auth={data.url: ("jane", PASSWORD)}).download_files(tmp_path / "out")
    assert (tmp_path / "out/a-a.bin").read_bytes() == b"for jane"
    saved = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"mallory" not in saved


def test_each_document_gets_the_credentials_of_its_origin(catalogue, data):
    linked = item(data, data.add("/a.bin", b"x"), "/linked.json")
    data.files["/linked.json"].needs = BEARER
    links = [{"rel": "item", "href": linked, "type": "application/geo+json"}]
    collection = {"type": "Collection", "id": "c", "links": links, "stac_version": "1.0.0"}
    source = catalogue.add("/c.json", json.dumps(collection).encode(), needs=BASIC)
    results = splashdown.open(source, auth={data.url: TOKEN, catalogue.url: ("jane", PASSWORD)})
    assert [asset.key for asset in results] == ["a"]
    assert set(authorizations(data)) == {BEARER["authorization"]}


def test_a_redirect_to_a_listed_origin_gets_its_credentials(catalogue, data, other, tmp_path):
    catalogue.always("/a.bin", Redirect(data.add("/step")))
    data.always("/step", Redirect(other.add("/a.bin", b"content", needs=BASIC)))
    source = item(catalogue, f"{catalogue.url}/a.bin")
    auth = {catalogue.url: TOKEN, other.url: ("jane", PASSWORD)}
    splashdown.open(source, auth=auth).download_files(tmp_path)
    assert (tmp_path / "a-a.bin").read_bytes() == b"content"
    assert authorizations(data) == [None]
    assert set(authorizations(catalogue)) == {BEARER["authorization"]}


def test_a_document_is_redirected_with_the_same_rule(catalogue, data, other):
    catalogue.always("/item.json", Redirect(data.url + "/step"))
    data.always("/step", Redirect(item(other, "https://x.example/a.bin")))
    other.files["/item.json"].needs = BEARER
    assert len(splashdown.open(catalogue.url + "/item.json", auth={other.url: TOKEN})) == 1
    assert authorizations(catalogue) + authorizations(data) == [None, None]


@pytest.mark.parametrize("spelling", ["HTTP://127.0.0.1:{port}", "http://127.0.0.1.:{port}/"])
def test_a_listed_origin_is_compared_in_normal_form(spelling, data):
    href = data.add("/a.bin", b"content", needs=BEARER)
    listed = spelling.format(port=data.url.rpartition(":")[2])
    results = Session(config=False, auth={listed: TOKEN}).open(stac_item({"a": {"href": href}}))
    assert results.get_asset("a").load_bytes() == b"content"


def test_another_port_and_another_host_of_a_listed_origin_get_nothing(data, other, tmp_path):
    hrefs = [other.add("/a.bin", b"x"), data.alias + "/b.bin"]
    data.add("/b.bin", b"x")
    assets = {href[-5:-4]: {"href": href} for href in hrefs}
    splashdown.open(stac_item(assets), auth={data.url: TOKEN}).download_files(tmp_path)
    assert authorizations(data) + authorizations(other) == [None, None]


def test_a_presigned_link_of_a_listed_origin_gets_nothing(data):
    href = data.add("/a.bin", b"content") + "?X-Amz-Signature=abc"
    results = splashdown.open(stac_item({"a": {"href": href}}), auth={data.url: TOKEN})
    assert results.get_asset("a").load_bytes() == b"content"
    assert authorizations(data) == [None]


def test_the_way_back_gets_nothing_unless_the_origin_is_listed(catalogue, data):
    catalogue.add("/back.bin", b"public")
    catalogue.script("/a.bin", Redirect(data.url + "/step"))
    data.script("/step", Redirect(catalogue.url + "/back.bin"))
    source = item(catalogue, f"{catalogue.url}/a.bin")
    assert splashdown.open(source, auth=TOKEN).get_asset("a").load_bytes() == b"public"
    assert authorizations(catalogue) == [BEARER["authorization"]] * 2 + [None]


def test_a_401_names_the_origin_that_got_nothing_and_how_to_list_it(catalogue, data, tmp_path):
    catalogue.always("/a.bin", Redirect(data.add("/a.bin", b"x", needs=BEARER)))
    source = item(catalogue, f"{catalogue.url}/a.bin")
    said = failure_of(splashdown.open(source, auth=TOKEN), tmp_path)
    assert "credentials were withheld" in said
    assert f"--token-origin {data.url}" in said
    assert f'auth={{"{data.url}": "TOKEN"}}' in said
    assert TOKEN not in said
    assert set(authorizations(data)) == {None}


def test_a_401_behind_several_origins_names_each_of_them(catalogue, data, other, tmp_path):
    catalogue.always("/a.bin", Redirect(data.url + "/step"))
    data.always("/step", Redirect(other.add("/a.bin", b"x", needs=BEARER)))
    source = item(catalogue, f"{catalogue.url}/a.bin")
    said = failure_of(splashdown.open(source, auth=TOKEN), tmp_path)
    assert f"--token-origin {data.url} (or where it redirects to: {other.url} )" in said


def test_a_401_of_a_document_says_the_same(catalogue, data):
    document = item(data, "https://x.example/a.bin")
    data.files["/item.json"].needs = BEARER
    catalogue.always("/item.json", Redirect(document))
    with pytest.raises(AuthError, match="credentials were withheld") as caught:
        splashdown.open(catalogue.url + "/item.json", auth=TOKEN)
    assert f"--token-origin {data.url}" in str(caught.value)


def test_a_401_without_any_credentials_does_not_say_withheld(data, tmp_path):
    results = splashdown.open(stac_item({"a": {"href": data.add("/a.bin", b"x", needs=BEARER)}}))
    said = failure_of(results, tmp_path)
    assert "no credentials were given" in said
    assert data.url in said


def test_a_401_at_an_origin_that_got_credentials_says_refused(data, tmp_path):
    results = splashdown.open(stac_item({"a": {"href": data.add("/a.bin", b"x", needs=BASIC)}}), auth={data.url: TOKEN})
    said = failure_of(results, tmp_path)
    assert "the credentials were refused" in said
    assert "withheld" not in said


@pytest.mark.parametrize(
    "wrong", ["data.example", "s3://bucket", f"https://jane:{PASSWORD}@h.example", "https://h/path"]
)
def test_what_is_not_an_origin_is_refused_without_showing_a_secret(wrong):
    with pytest.raises(OptionError, match="origins such as") as caught:
        splashdown.open(stac_item({}), auth={wrong: TOKEN})
    assert TOKEN not in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_credentials_of_another_type_are_refused_without_showing_them():
    with pytest.raises(UsageError, match=r"https://h\.example takes a token") as caught:
        splashdown.open(stac_item({}), auth={"https://h.example": [TOKEN]})
    assert TOKEN not in str(caught.value)


def test_token_origin_sends_the_token_of_the_environment_there_too(catalogue, data, other, tmp_path, monkeypatch):
    monkeypatch.setenv("SPLASHDOWN_TOKEN", TOKEN)
    catalogue.always("/a.bin", Redirect(data.add("/a.bin", b"content", needs=BEARER)))
    source = item(catalogue, f"{catalogue.url}/a.bin")
    more = ["--token-origin", data.url, "--token-origin", other.url]
    assert main(["download", source, str(tmp_path / "out"), *more]) == 0
    assert (tmp_path / "out" / "a-a.bin").read_bytes() == b"content"


def test_token_origin_without_a_token_is_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("SPLASHDOWN_TOKEN", raising=False)
    assert main(["download", "https://h.example/item.json", str(tmp_path), "--token-origin", "https://d.example"]) == 2
    assert "SPLASHDOWN_TOKEN, which is not set" in capsys.readouterr().err


def test_listed_credentials_are_in_no_repr(data):
    session = Session(config=False, auth={data.url: TOKEN})
    results = session.open(stac_item({"a": {"href": data.url + "/a.bin"}}), auth={"https://h.example": ("u", PASSWORD)})
    shown = [session, results, results.result_set, results.result_set.signer, session.steps(results.result_set.signer)]
    said = "".join(map(repr, shown))
    assert TOKEN not in said
    assert PASSWORD not in said
