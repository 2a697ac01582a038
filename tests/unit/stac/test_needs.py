"""What a document says is needed is named: in listings, and where a file is refused. Nothing is done because of it."""

import json
from pathlib import Path

import pytest
from fault_server import FaultServer
from hypothesis import given
from hypothesis import strategies as st
from stac_item import stac_item

from splashdown import DownloadError, Session
from splashdown._cli.main import main
from splashdown._stac.needs import needs_of
from splashdown.errors import HttpStatusError
from splashdown.model import Asset

SECRET = "cAnArYt0ken0123456789"
#: As the Copernicus Data Space Ecosystem has it.
OIDC = {"type": "openIdConnect", "openIdConnectUrl": "https://login.example/realms/A/.well-known/openid-configuration"}
S3 = {"type": "custom-s3", "platform": "https://store.example", "requester_pays": True, "region": "eu-1"}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=9,
)


def asset_of(metadata, properties=None, href="https://data.example/a.tif"):
    return Asset(key="a", href=href, metadata={"href": href} | metadata, properties=properties or {})


def signed_in_by(*schemes):
    named = {f"s{number}": scheme for number, scheme in enumerate(schemes)}
    return needs_of(asset_of({"auth:refs": list(named)}, {"auth:schemes": named}))


@pytest.mark.parametrize(
    ("scheme", "said"),
    [
        (OIDC, "openIdConnect of https://login.example"),
        ({"type": "http", "scheme": "bearer"}, "http bearer"),
        ({"type": "apiKey", "in": "header", "name": "X-API-Key"}, "apiKey in the header X-API-Key"),
        ({"type": "s3"}, "s3"),
        (
            {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://login.example:8443/token"}}},
            "oauth2 of https://login.example:8443",
        ),
        ({"type": "oauth2", "flows": {"authorizationUrl": "https://l.example/a"}}, "oauth2 of https://l.example"),
        (
            {"type": "signedUrl", "flows": {"authorizationCode": {"authorizationApi": "https://sign.example/v1"}}},
            "signedUrl of https://sign.example",
        ),
    ],
)
def test_a_scheme_is_named_with_the_origin_where_people_sign_in(scheme, said):
    assert signed_in_by(scheme) == said


def test_several_schemes_are_a_choice():
    assert signed_in_by({"type": "s3"}, OIDC, {"type": "s3"}) == "s3 or openIdConnect of https://login.example"


def test_schemes_of_the_document_hold_where_the_item_has_none():
    asset = asset_of({"auth:refs": ["x"]})
    assert needs_of(asset, {"auth:schemes": {"x": {"type": "s3"}}}) == "s3"
    assert needs_of(asset, {"properties": {"auth:schemes": {"x": {"type": "s3"}}}}) == "s3"
    assert needs_of(asset) == ""


def test_an_alternate_href_has_needs_of_its_own():
    other = {"href": "https://data.example/b.tif", "auth:refs": ["oidc"]}
    metadata = {"href": "s3://eodata/a.tif", "auth:refs": ["s3"], "alternate": {"https": other}}
    schemes = {"auth:schemes": {"oidc": OIDC, "s3": {"type": "s3"}}}
    assert needs_of(Asset(key="a", href="s3://eodata/a.tif", metadata=metadata, properties=schemes)) == "s3"
    chosen = Asset(key="a", href=other["href"], metadata=metadata, properties=schemes)
    assert needs_of(chosen) == "openIdConnect of https://login.example"


def test_a_store_of_s3_is_named_with_the_options_that_reach_it():
    asset = asset_of({"storage:refs": ["c"]}, {"storage:schemes": {"c": S3}}, href="s3://eodata/a.tif")
    assert needs_of(asset) == (
        "the store at https://store.example (s3.endpoint_url); region eu-1 (s3.region);"
        " the reader pays (s3.requester_pays)"
    )


def test_the_template_of_a_known_provider_is_not_an_endpoint():
    aws = {"type": "aws-s3", "platform": "https://{bucket}.s3.{region}.amazonaws.com", "region": "us-west-2"}
    asset = asset_of({"storage:refs": ["c"]}, {"storage:schemes": {"c": aws}}, href="s3://b/a.tif")
    assert needs_of(asset) == "region us-west-2 (s3.region)"


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\nb", "", "x" * 99, "two words", "user:pw"])
def test_what_is_not_a_word_is_not_repeated(text):
    assert signed_in_by({"type": text}) == ""
    assert signed_in_by({"type": "apiKey", "in": "header", "name": text}) == "apiKey in the header"


def test_an_origin_is_shown_without_user_path_and_query():
    url = f"https://user:{SECRET}@login.example/{SECRET}?token={SECRET}"
    assert signed_in_by({"type": "openIdConnect", "openIdConnectUrl": url}) == "openIdConnect of https://login.example"


@given(JSON, JSON, JSON)
def test_no_document_makes_it_fail_or_write_a_line_break(refs, schemes, scheme):
    for found in (schemes, {"a": scheme}):
        asset = asset_of(
            {"auth:refs": refs, "storage:refs": ["a"], "alternate": scheme},
            {"auth:schemes": found, "storage:schemes": found},
        )
        assert needs_of(asset, {"auth:schemes": scheme, "properties": schemes}).isprintable()


def item_of(href):
    item = stac_item({"a": {"href": href, "auth:refs": ["oidc"], "storage:refs": ["s"]}})
    item["properties"] |= {"auth:schemes": {"oidc": OIDC}, "storage:schemes": {"s": S3}}
    return item


def test_ls_names_what_is_needed(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPLASHDOWN_CONFIG", "")
    Path("item.json").write_text(json.dumps(item_of("https://data.example/a.bin")))
    assert main(["ls", "item.json"]) == 0
    assert "needs: openIdConnect of https://login.example; the reader pays\n" in capsys.readouterr().out
    assert main(["ls", "item.json", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["needs"].startswith("openIdConnect of")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_names_what_the_document_says_is_needed(tmp_path, status):
    from faults import Status

    with FaultServer() as server:
        server.add("/a.bin", b"x")
        server.always("/a.bin", Status(status))
        with Session(config=False) as session:
            results = session.open(item_of(f"{server.url}/a.bin"))
            with pytest.raises(DownloadError) as download:
                results.download_files(tmp_path)
            with pytest.raises(HttpStatusError) as loading:
                results["a"].load("bytes")
    says = "; by its metadata it needs: openIdConnect of https://login.example; the reader pays"
    assert str(download.value).count(says) == str(loading.value).count(says) == 1


def test_another_failure_does_not_name_it(tmp_path):
    from faults import Status

    with FaultServer() as server:
        server.add("/a.bin", b"x")
        server.always("/a.bin", Status(404))
        with Session(config=False) as session, pytest.raises(DownloadError) as caught:
            session.open(item_of(f"{server.url}/a.bin")).download_files(tmp_path)
    assert "needs" not in str(caught.value)


def test_a_linked_document_that_is_refused_is_named_with_what_its_link_needs():
    from faults import Status

    link = {"rel": "item", "auth:refs": ["oidc"]}
    catalog = {"type": "Catalog", "stac_version": "1.0.0", "id": "c", "description": "", "auth:schemes": {"oidc": OIDC}}
    page = {"type": "FeatureCollection", "auth:schemes": {"oidc": OIDC}, "features": [item_of("https://x.example/a")]}
    with FaultServer() as server:
        for path in ("/a.json", "/2"):
            server.always(path, Status(401))
        catalog["links"] = [link | {"href": "a.json"}, link | {"href": "b.json"}]
        page["links"] = [link | {"rel": "next", "href": f"{server.url}/2"}]
        server.add("/b.json", json.dumps(item_of("https://x.example/b")).encode())
        server.add("/catalog.json", json.dumps(catalog).encode())
        server.add("/search", json.dumps(page).encode())
        with Session(config=False) as session:
            for path in ("/catalog.json", "/search"):
                (warning,) = session.open(server.url + path).result_set.unresolved
                assert warning.endswith("; by its link it needs: openIdConnect of https://login.example")


def test_nothing_is_sent_because_a_document_says_what_is_needed(tmp_path):
    with FaultServer() as server:
        scheme = {"type": "apiKey", "in": "header", "name": "X-Steal"}
        item = stac_item({"a": {"href": f"{server.alias}/a.bin", "auth:refs": ["k"]}})
        item["properties"] |= {"auth:schemes": {"k": scheme}}
        server.add("/a.bin", b"x")
        source = server.add("/item.json", json.dumps(item).encode())
        with Session(config=False, auth={"https://elsewhere.example": SECRET}) as session:
            session.open(source, auth=SECRET).download_files(tmp_path)
        sent = [seen.headers for seen in server.seen if seen.path == "/a.bin"]
    assert sent
    assert not any(SECRET in value for headers in sent for value in headers.values())
