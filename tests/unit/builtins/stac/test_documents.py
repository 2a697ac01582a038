"""STAC documents of every kind, from wherever they are, become assets; bad ones become one clear line."""

import datetime as dt
import io
import json
import sys

import pystac
import pytest
from scripted_api import Answer, scripted_api

import splashdown
from splashdown._cli.main import main
from splashdown.errors import NoAssetError, OptionError, ResolveError, UsageError


def item(id="i", version="1.0.0", assets=None, **fields):
    return {
        "type": "Feature",
        "stac_version": version,
        "stac_extensions": [],
        "id": id,
        "geometry": {"type": "Point", "coordinates": [1, 2]},
        "bbox": [1, 2, 1, 2],
        "properties": {"datetime": "2024-05-06T00:00:00Z"},
        "links": [],
        "assets": assets if assets is not None else {"data": {"href": f"./{id}.tif", "type": "image/tiff"}},
        **fields,
    }


def collection(id="c", version="1.0.0", links=(), **fields):
    return {
        "type": "Collection",
        "stac_version": version,
        "id": id,
        "description": "d",
        "license": "other",
        "extent": {"spatial": {"bbox": [[0, 0, 1, 1]]}, "temporal": {"interval": [["2020-01-01T00:00:00Z", None]]}},
        "links": [{"rel": rel, "href": href} for rel, href in links],
        **fields,
    }


@pytest.fixture
def save(tmp_path):
    def save(name, document):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
        return path

    return save


def listed(source, **options):
    return [(a.asset.label, a.href) for a in splashdown.open(source, **options).get_assets()]


def test_an_item_is_read_from_path_dict_and_pystac_object(save, tmp_path):
    path = save("i.json", item())
    expected = [("i/data", (tmp_path / "i.tif").as_uri())]
    assert listed(str(path)) == listed(path) == listed(path.as_uri()) == expected
    assert listed(item(), base=str(path)) == expected
    assert listed(pystac.Item.from_file(str(path))) == expected


def test_a_catalog_is_walked_to_any_depth_each_document_once(save):
    save("a/i.json", item())
    save("a/c.json", collection(links=[("item", "i.json"), ("child", "b/c.json")]))
    save("a/b/c.json", collection("c2", links=[("item", "../i.json"), ("item", "j.json")]))
    save("a/b/j.json", item("j"))
    root = save(
        "catalog.json",
        {
            "type": "Catalog",
            "stac_version": "1.0.0",
            "id": "r",
            "description": "d",
            "links": [{"rel": "child", "href": "a/c.json"}],
        },
    )
    results = splashdown.open(root)
    assert repr(results) == "<JobResults for catalog 'r'>"
    assert [a.asset.label for a in results] == ["i/data", "j/data"]


def test_assets_of_a_collection_stand_beside_those_of_its_items(save):
    save("i.json", item(assets={"data": {"href": "./i.tif"}}))
    root = save(
        "c.json",
        collection(
            links=[("item", "i.json")], assets={"both": {"href": "i.tif", "file:size": 3}, "own": {"href": "o.json"}}
        ),
    )
    assets = splashdown.open(root).get_assets()
    assert [(a.asset.label, a.size, a.asset.listed_as) for a in assets] == [("own", None, None), ("i/data", 3, "both")]


def test_two_items_with_one_id_keep_both_their_assets(save):
    root = save(
        "f.json",
        {"type": "FeatureCollection", "features": [item("x"), item("x", assets={"data": {"href": "https://h/y.tif"}})]},
    )
    assert [label for label, _ in listed(root)] == ["x/data", "x-2/data"]


@pytest.mark.parametrize(
    "version", ["0.6.0", "0.7.0", "0.8.1", "0.9.0", "1.0.0-beta.2", "1.0.0-rc.4", "1.0.0", "1.1.0"]
)
def test_every_version_is_read(save, version):
    document = item(version=version, collection="c")
    root = collection(version=version, links=[("item", "i.json")])
    if version.startswith("0"):
        del root["type"]
    save("i.json", document)
    (asset,) = splashdown.open(save("c.json", root)).get_assets()
    assert (asset.key, asset.item, asset.media_type) == ("data", "i", "image/tiff")
    assert asset.asset.start == dt.datetime(2024, 5, 6, tzinfo=dt.UTC)
    assert len(splashdown.open(save("i2.json", document))) == 1


def test_a_series_of_items_is_read_from_standard_input(monkeypatch):
    def given(text):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        return [a.asset.label for a in splashdown.open("-")]

    documents = [item("a"), item("b")]
    assert given("\n".join(map(json.dumps, documents))) == ["a/data", "b/data"]
    assert given("\x1e" + "\n\x1e".join(json.dumps(d, indent=2) for d in documents)) == ["a/data", "b/data"]
    assert given(json.dumps(documents)) == ["a/data", "b/data"]
    assert given(json.dumps({"type": "FeatureCollection", "features": documents})) == ["a/data", "b/data"]
    assert given(json.dumps(documents[0])) == ["a/data"]


def test_python_objects_are_read_and_not_changed():
    items = [item("a"), item("b")]
    before = json.dumps(items)
    assert [a.asset.label for a in splashdown.open(items)] == ["a/data", "b/data"]
    assert [a.asset.label for a in splashdown.open(iter(items))] == ["a/data", "b/data"]
    assert len(splashdown.open(pystac.ItemCollection(items))) == 2
    catalog = pystac.Catalog("never-saved", "d")
    catalog.add_item(pystac.Item.from_dict(item("a")))
    assert len(splashdown.open(catalog)) == 1
    assert json.dumps(items) == before


@pytest.mark.parametrize("href", ["/etc/passwd", "file:///etc/passwd", "../../etc/passwd", "C:\\x", "\\\\host\\share"])
def test_a_document_of_unknown_origin_names_no_local_files_elsewhere(href):
    results = splashdown.open(item(assets={"a": {"href": href}}))
    assert len(results) == 0
    assert "left out" in results.result_set.warnings[0]


@pytest.mark.parametrize("href", ["file:///etc/passwd", "/x/y.tif", "C:\\x", "s3://b/k?x#y"])
def test_a_document_from_the_web_names_no_local_files(href):
    document = item(assets={"a": {"href": href}}, links=[{"rel": "self", "href": "https://host.example/i.json"}])
    assert [a.href for a in splashdown.open(document)] == {
        "/x/y.tif": ["https://host.example/x/y.tif"],
        "s3://b/k?x#y": ["s3://b/k?x#y"],
    }.get(href, [])


def test_an_alternate_href_is_used_on_request(save, capsys):
    document = item(
        assets={"a": {"href": "https://h/a", "alternate": {"s3": {"href": "s3://b/a"}}}, "b": {"href": "https://h/b"}}
    )
    assert [href for _, href in listed(document, alternate="s3")] == ["s3://b/a", "https://h/b"]
    assert main(["ls", str(save("i.json", document)), "--alternate", "s3", "--json"]) == 0
    assert [entry["href"] for entry in json.loads(capsys.readouterr().out)] == ["s3://b/a", "https://h/b"]


@pytest.mark.parametrize(("name", "says"), [("htp", "did you mean 'http'"), ("mirror", "there are s3, http")])
def test_an_alternate_that_no_asset_has_is_refused(name, says):
    others = {"s3": {"href": "s3://b/a"}, "http": {"href": "https://h/a"}}
    document = item(assets={"a": {"href": "https://h/a", "alternate": others}, "b": {"href": "https://h/b"}})
    with pytest.raises(OptionError, match=says):
        splashdown.open(document, alternate=name)


def test_options_narrow_a_static_source(save):
    features = [item("a"), item("b", properties={"datetime": "2020-01-01T00:00:00Z"}), item("c", bbox=[50, 50, 51, 51])]
    path = save("f.json", {"type": "FeatureCollection", "features": features})
    assert [label for label, _ in listed(path, datetime="2024/..", bbox="0,0,10,10")] == ["a/data"]
    assert [label for label, _ in listed(path, ids="b,c", limit=1)] == ["b/data"]  # counted as an API does


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("<!doctype html><html>", "web page"),
        ('{"type": "Feature", "id": ', "cut off"),
        ('{"type": "FeatureCollection", "features": [{"type": "Feature", "id"', "cut off"),
        ("", "is empty"),
        ("[1, 2]", "JSON int"),
        ('{"a": 1}', "not a STAC document"),
        ("\xff\xfe\x00", "broken"),
        ("[" * 100_000, "deep|cut off"),
        (json.dumps(item(assets=[1])), "not a JSON object"),
        (json.dumps({"type": "FeatureCollection", "features": [{"type": "Nope"}]}), "not a STAC item"),
    ],
)
def test_what_is_no_stac_document_gets_one_line(save, content, says):
    with pytest.raises(ResolveError, match=says) as caught:
        splashdown.open(save("bad.json", content))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("broken", [{"title": "t"}, {"href": " "}, {"href": 3}, None])
def test_an_asset_without_an_href_is_left_out_with_its_name_and_the_others_are_not(save, broken):
    results = splashdown.open(save("i.json", item(assets={"a": broken, "b": {"href": "b.tif"}})))
    assert [asset.key for asset in results] == ["b"]
    assert results.result_set.warnings == ("item 'i': the asset 'a' was left out: it has no href",)


def test_a_table_of_items_on_the_web_is_read():
    from splashdown._documents.geoparquet import write_items

    table = write_items([item("a", assets={"data": {"href": "https://h.example/a.tif"}}), item("b")])
    with scripted_api() as api:
        api.script["/items.parquet"] = Answer(table)
        api.script["/broken.parquet"] = Answer(b"PAR1 no")
        results = splashdown.open(f"{api.url}/items.parquet?version=1")
        assert {(a.item, a.href) for a in results} == {
            ("a", "https://h.example/a.tif"),
            ("b", f"{api.url}/b.tif"),
        }
        with pytest.raises(ResolveError, match="not a STAC-GeoParquet"):
            splashdown.open(f"{api.url}/broken.parquet")
        with pytest.raises(ResolveError, match="no such resource"):
            splashdown.open(f"{api.url}/gone.parquet")


def test_a_circle_of_links_is_refused(save):
    save("b.json", collection("b", links=[("child", "a.json")]))
    with pytest.raises(ResolveError, match="circle"):
        splashdown.open(save("a.json", collection("a", links=[("child", "b.json")])))
    catalog, child = pystac.Catalog("a", "d"), pystac.Catalog("b", "d")
    catalog.add_child(child)
    child.add_link(pystac.Link("child", catalog))
    with pytest.raises(ResolveError, match="circle"):
        splashdown.open(catalog)


def test_a_tree_without_an_end_is_left(save):
    links = [("item", f"{n}.json") for n in range(20)]
    for n in range(20):
        save(f"{n}.json", item(str(n)))
    root = save("c.json", collection(links=links))
    assert len(splashdown.open(root)) == 20
    with pytest.raises(ResolveError, match="max_documents"):
        splashdown.open(root, max_documents=5)


def test_a_broken_link_is_a_warning_as_long_as_something_is_left(save):
    save("i.json", item())
    root = save("c.json", collection(links=[("item", "i.json"), ("item", "gone.json")]))
    results = splashdown.open(root)
    assert len(results) == 1
    assert "gone.json does not exist" in results.result_set.warnings[0]
    with pytest.raises(ResolveError, match=r"gone\.json"):
        splashdown.open(save("d.json", collection(links=[("item", "gone.json")])))


def test_wrong_options_are_refused(save):
    path = save("i.json", item())
    with pytest.raises(OptionError, match="did you mean 'datetime'"):
        splashdown.open(path, datetme="2024")
    with pytest.raises(OptionError, match="from 1 on"):
        splashdown.open(path, limit=0)
    with pytest.raises(UsageError, match="auth"):
        splashdown.open(path, auth=object())
    with pytest.raises(ResolveError, match="folder"):
        splashdown.open(path.parent)


@pytest.mark.parametrize(
    ("href", "media_type"), [("s3://b/x.zarr", None), ("https://h/x", "application/vnd+zarr; version=3")]
)
def test_a_zarr_store_is_listed_and_left_out_of_downloads_with_the_reason(save, tmp_path, href, media_type):
    save("i.tif", "x")
    both = {"cube": {"href": href, "type": media_type}, "data": {"href": "i.tif"}}
    results = splashdown.open(save("i.json", item(assets=both)))
    assert [a.key for a in results] == ["cube", "data"]
    plan = results.plan(tmp_path / "out")
    assert [t.asset.key for t in plan.transfers] == ["data"]
    assert [(s.asset.key, "Zarr" in s.reason) for s in plan.skipped] == [("cube", True)]
    for download in (results.get_asset("cube").download, results.select(keys="cube").download_files):
        with pytest.raises(NoAssetError, match="Zarr"):
            download(tmp_path / "out")


def test_an_empty_list_is_one_line(save, capsys):
    assert main(["ls", str(save("none.json", "[]"))]) == 3
    assert "holds an empty list, not a STAC item" in capsys.readouterr().err


def test_a_notebook_shows_what_was_left_out(save):
    save("i.json", item())
    shown = splashdown.open(
        save("c.json", collection(links=[("item", "i.json"), ("item", "<gone>.json")]))
    )._repr_html_()
    assert "<p>Warning: a linked document was left out" in shown
    assert "&lt;gone&gt;.json" in shown
    many = splashdown.open(
        save("d.json", collection(links=[("item", "i.json"), *[("item", f"{n}.json") for n in range(9)]]))
    )
    assert "<p>and 4 more warnings</p>" in many._repr_html_()


@pytest.mark.parametrize("assets", [[1], "a.tif", {"a": {"title": "no href"}}])
def test_a_broken_item_leaves_the_others_and_is_named(save, assets):
    features = [item("bad", assets=assets), {"type": "Nope"}, item("empty", assets=[]), item("good")]
    results = splashdown.open(save("f.json", {"type": "FeatureCollection", "features": features}))
    assert [asset.item for asset in results] == ["good"]
    assert len(results.result_set.warnings) == 2
    assert "'bad'" in results.result_set.warnings[0]


@pytest.mark.parametrize(
    ("href", "means"),
    [
        ("..\\data\\a.tif", "https://h.example/data/a.tif"),
        (".\\a.tif", "https://h.example/cat/a.tif"),
        ("/vsicurl/https://o.example/a.tif", "https://o.example/a.tif"),
        ("/vsis3/bucket/key/a.tif", "s3://bucket/key/a.tif"),
        ("/vsigs/bucket/a.tif", "gs://bucket/a.tif"),
        ("/vsicurl?max_retry=3&url=https%3A%2F%2Fo.example%2Fa.tif%3Fx%3D1", "https://o.example/a.tif?x=1"),
        ("/vsicurl?url=https%3A%2F%2Fo.example%2Fa.tif&max_retry=3", "https://o.example/a.tif"),
        ("/vsicurl?use_head=no&url=https://o.example/a.tif?x=1&y=2", "https://o.example/a.tif?x=1&y=2"),
        ("/vsicurl_streaming/https://o.example/a.tif", "https://o.example/a.tif"),
        ("/vsis3_streaming/bucket/a.tif", "s3://bucket/a.tif"),
        ("/vsiaz/container/a.tif", "az://container/a.tif"),
        ("/vsiadls/container/a.tif", "abfs://container/a.tif"),
        ("/vsicurl?url=file%3A%2F%2F%2Fetc%2Fpasswd", None),
        ("/vsicurl?url=%2Fetc%2Fpasswd", "https://h.example/etc/passwd"),
        ("/vsizip/vsicurl/https://o.example/a.zip/a.tif", None),
        ("/vsicurl/file:///etc/passwd", None),
        ("/vsicurl//etc/passwd", "https://h.example/etc/passwd"),
    ],
)
def test_paths_of_windows_and_gdal_are_read_as_what_they_mean(href, means):
    links = [{"rel": "self", "href": "https://h.example/cat/i.json"}]
    results = splashdown.open(item(assets={"a": {"href": href}}, links=links))
    assert [asset.href for asset in results] == ([means] if means else [])
    assert len(results.result_set.warnings) == (means is None)


@pytest.mark.parametrize(
    ("href", "advice"),
    [
        ("/vsizip//vsicurl/https://o.example/a.zip/a.tif", "list the archive itself, and take files out of it"),
        ("/vsitar/vsis3/bucket/a.tar.gz/a.tif", "--unpack"),
        ("/vsigzip//vsicurl/https://o.example/a.tif.gz", "/vsigzip/): list the .gz file itself"),
        ("/vsiswift/bucket/a.tif", "list the https URL of the object"),
        ("/vsisubfile/0_100,/vsicurl/https://o.example/a.tif", "list the whole file"),
        ("/vsimem/a.tif", "write the file to a disk or store first"),
        ("/vsiunknown/a.tif", "list a URL of the file"),
        ("/vsicurl?max_retry=3", "names no URL: GDAL's form is /vsicurl/https://..."),
        ("/vsis3", "list a URL of the file"),
    ],
)
def test_a_path_that_only_gdal_opens_says_what_to_list_instead(href, advice):
    results = splashdown.open(item(assets={"a": {"href": href}}))
    assert not list(results)
    assert advice in results.result_set.warnings[0]


def test_backslashes_of_a_saved_catalog_lead_to_its_files(save):
    save("it/i.json", item(assets={"a": {"href": "..\\data\\a.tif"}}))
    path = save("data/a.tif", "II*")
    root = save("c.json", collection(links=[("item", ".\\it\\i.json")]))
    assert [asset.href for asset in splashdown.open(root)] == [path.as_uri()]


def test_a_saved_item_names_the_files_beside_it_before_those_at_its_url(save):
    links = [{"rel": "self", "href": "https://h.example/cat/i.json"}]
    here = save("here.tif", "II*")
    path = save("i.json", item(assets={"a": {"href": "here.tif"}, "b": {"href": "there.tif"}}, links=links))
    assert [asset.href for asset in splashdown.open(path)] == [here.as_uri(), "https://h.example/cat/there.tif"]


def test_items_in_lists_and_streams_refer_to_their_own_urls(save):
    links = [{"rel": "self", "href": "https://h.example/cat/i.json"}]
    body = item(assets={"a": {"href": "a.tif"}}, links=links)
    sources = [
        [body],
        {"type": "FeatureCollection", "features": [body]},
        save("i.ndjson", json.dumps(body) + "\n" + json.dumps(body | {"id": "j"})),
        save("f.json", {"type": "FeatureCollection", "features": [body]}),
    ]
    for source in sources:
        assert {asset.href for asset in splashdown.open(source)} == {"https://h.example/cat/a.tif"}


def test_links_to_web_pages_are_not_read_as_documents():
    with scripted_api() as api:
        both = [
            {"rel": "item", "type": "text/html", "href": "/i.html"},
            {"rel": "item", "type": "application/geo+json", "href": "/i.json"},
        ]
        api.script["/c.json"] = Answer(collection("c") | {"links": both})
        api.script["/i.json"] = Answer(item("i"))
        results = splashdown.open(f"{api.url}/c.json")
        assert (len(results), results.result_set.warnings) == (1, ())
        assert "/i.html" not in api.paths()


@pytest.mark.parametrize("first", ["table", "pages"])
def test_a_table_that_a_collection_links_is_read_if_it_lists_no_items_otherwise(first):
    from splashdown._documents.geoparquet import write_items

    with scripted_api() as api:
        table = {"rel": "items", "type": "application/vnd.apache.parquet", "href": "/items"}
        pages = {"rel": "items", "type": "application/geo+json", "href": "/pages"}
        api.script["/items"] = Answer(write_items([item("in-table"), item("b")]))
        api.script["/pages"] = Answer({"type": "FeatureCollection", "features": [item("in-pages")]})
        links = [table] if first == "table" else [table, pages]
        api.script["/c.json"] = Answer(collection("c") | {"links": links})
        found = {asset.item for asset in splashdown.open(f"{api.url}/c.json")}
        assert found == ({"in-table", "b"} if first == "table" else {"in-pages"})


def test_a_dict_may_name_files_below_the_current_folder_in_any_form(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b.tif").write_bytes(b"II*")
    below, other = (tmp_path / "a b.tif").as_uri(), (tmp_path.parent / "c.tif").as_uri()
    hrefs = ["a b.tif", str(tmp_path / "a b.tif"), below, other, f"{tmp_path.as_uri()}/../c.tif", "file://host/a.tif"]
    assets = {str(number): {"href": href} for number, href in enumerate(hrefs)}
    results = splashdown.open({**item("x"), "assets": assets})
    assert {asset.key: asset.href for asset in results} == {"0": below, "1": below, "2": below}
    assert sum("below the current folder" in line for line in results.result_set.warnings) == 3


@pytest.mark.parametrize("title", ["Index of /files/", "Directory listing for /files/"])
def test_the_index_page_of_a_folder_is_not_a_source(title):
    with scripted_api() as api:
        page = f"<!DOCTYPE HTML><html><head><title>{title}</title></head><body><a href='a.tif'>a.tif</a></body></html>"
        api.script["/files/"] = Answer(page.encode(), headers={"Content-Type": "text/html"})
        with pytest.raises(ResolveError, match="is the index page of a folder, which is not a source: give a catalog"):
            splashdown.open(f"{api.url}/files/")
