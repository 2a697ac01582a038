"""STAC documents in stores: any URL that a transport reads, with hrefs relative to the document's own key."""

import json

import pytest
from stac_item import stac_item

import splashdown
from splashdown._documents.places import resolve_href
from splashdown.builtins.stac import StacResolver
from splashdown.builtins.stac.resolve import resolve_stac
from splashdown.errors import NoProviderError, ResolveError
from splashdown.testing import FakeContext

ITEM = stac_item({"a": {"href": "./a.tif"}, "web": {"href": "https://data.example/w.tif"}}, stac_version="1.0.0")


def catalog(*hrefs):
    links = [{"rel": "item", "href": href} for href in hrefs]
    return {"type": "Catalog", "stac_version": "1.0.0", "id": "c", "description": "d", "links": links}


def context(**documents):
    return FakeContext(files={f"s3://bucket/{name}": json.dumps(body).encode() for name, body in documents.items()})


@pytest.mark.parametrize(
    ("href", "absolute"),
    [
        ("./x.tif", "s3://bucket/a/b/x.tif"),
        ("x%20y+z.tif", "s3://bucket/a/b/x%20y+z.tif"),
        ("../x.tif", "s3://bucket/a/x.tif"),
        ("../../x//y.tif", "s3://bucket/x//y.tif"),
        ("/x.tif", "s3://bucket/x.tif"),
        ("s3://other/x.tif", "s3://other/x.tif"),
        ("https://data.example/x.tif", "https://data.example/x.tif"),
        ("../../../x.tif", None),
        ("file:///etc/passwd", None),
    ],
)
def test_relative_hrefs_stay_in_the_bucket_and_keys_stay_as_they_are(href, absolute):
    assert resolve_href("s3://bucket/a/b/item.json", href) == absolute


def test_a_catalog_in_a_store_leads_to_its_items():
    files = context(**{"p/catalog.json": catalog("./one/one.json"), "p/one/one.json": ITEM})
    found = resolve_stac("s3://bucket/p/catalog.json", files)
    assert [asset.href for asset in found.assets] == ["s3://bucket/p/one/a.tif", "https://data.example/w.tif"]
    assert found.href == "s3://bucket/p/catalog.json"


def test_lines_of_items_in_a_store_are_items():
    line = json.dumps(ITEM)
    files = FakeContext(files={"s3://bucket/items.ndjson": f"{line}\n{line.replace('one', 'two')}\n".encode()})
    found = resolve_stac("s3://bucket/items.ndjson", files)
    assert {asset.item for asset in found.assets} == {"one", "two"}


def test_a_document_names_no_document_of_another_bucket():
    other = FakeContext(
        files={
            "s3://bucket/catalog.json": json.dumps(catalog("s3://private/one.json", "./one.json")).encode(),
            "s3://bucket/one.json": json.dumps(ITEM).encode(),
            "s3://private/one.json": json.dumps({**ITEM, "id": "private"}).encode(),
        }
    )
    found = resolve_stac("s3://bucket/catalog.json", other)
    assert {asset.item for asset in found.assets} == {"one"}
    assert "s3://private/one.json" in found.warnings[0]


@pytest.mark.parametrize("body", [b"<html>", b'{"type": "Feature"', b"[]"])
def test_what_is_no_stac_document_is_one_line(body):
    with pytest.raises(ResolveError) as told:
        resolve_stac("s3://bucket/item.json", FakeContext(files={"s3://bucket/item.json": body}))
    assert "s3://bucket/item.json" in str(told.value)
    assert "\n" not in str(told.value)


def test_a_missing_document_is_one_line():
    with pytest.raises(ResolveError, match=r"s3://bucket/item\.json cannot be read: .*nothing at"):
        resolve_stac("s3://bucket/item.json", FakeContext())


def test_a_scheme_that_nothing_reads_is_answered_with_the_package():
    with splashdown.Session(discover=False, config=False) as session, pytest.raises(NoProviderError) as told:
        session.open("s3://bucket/item.json")
    assert "splashdown-s3" in str(told.value)


@pytest.mark.parametrize("source", ["s3://bucket/prefix/", "sqlite://results.db", "vendor://job/17", "urls://a.urls"])
def test_other_urls_are_left_to_other_resolvers(source):
    assert not StacResolver().accepts(source)
