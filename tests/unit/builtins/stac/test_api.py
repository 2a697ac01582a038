"""Page after page of a STAC API, as servers differ in it; credentials stay where they belong."""

import json
from urllib.parse import parse_qsl, urlsplit

import pytest
from scripted_api import Answer, scripted_api
from stac_item import stac_item

import splashdown
from splashdown._cli.main import main
from splashdown.errors import ApiError, AuthError, DownloadError, NotFoundError, ResolveError, UsageError


@pytest.fixture
def api():
    with scripted_api() as running:
        yield running


def item(id, assets=None, **fields):
    return stac_item(assets or {"a": {"href": f"./{id}.tif"}}, id=id, stac_version="1.0.0") | fields


def page(*ids, **link):
    links = [{"rel": "next", **link}] if link else []
    return {"type": "FeatureCollection", "features": [item(name) for name in ids], "links": links}


SEARCH = "https://api.stacspec.org/v1.0.0/item-search"


def landing(api, *methods, conforms=(SEARCH,)):
    links = [{"rel": "search", "href": "/search", "method": method} for method in methods]
    body = {"type": "Catalog", "stac_version": "1.0.0", "id": "api", "description": "d", "conformsTo": list(conforms)}
    api.script["/"] = Answer({**body, "links": links})
    return f"{api.url}/"


def ids(results):
    return [asset.item for asset in results]


def test_next_by_post_merges_its_body_where_it_says_so(api):
    bodies = []

    def search(asked):
        bodies.append(json.loads(asked.body))
        token = bodies[-1].get("token")
        following = {"href": "/search", "method": "POST", "body": {"token": (token or 0) + 1}, "merge": True}
        return Answer(page(f"i{token or 0}", **(following if (token or 0) < 2 else {})))

    api.script["/search"] = search
    found = splashdown.open(landing(api, "GET", "POST"), bbox="1,2,3,4", collections="c", page_size=9)
    assert ids(found) == ["i0", "i1", "i2"]
    assert bodies == [
        {"bbox": [1.0, 2.0, 3.0, 4.0], "collections": ["c"], "limit": 9},
        {"bbox": [1.0, 2.0, 3.0, 4.0], "collections": ["c"], "limit": 9, "token": 1},
        {"bbox": [1.0, 2.0, 3.0, 4.0], "collections": ["c"], "limit": 9, "token": 2},
    ]


@pytest.mark.parametrize(
    ("methods", "given", "options"),
    [
        (("GET", "POST"), "eo:cloud_cover < 5", {}),
        (("POST",), "eo:cloud_cover < 5", {}),
        (("GET", "POST"), "eo:cloud_cover < 5", {"method": "POST"}),
        (("GET", "POST"), {"op": "<", "args": [{"property": "eo:cloud_cover"}, 5]}, {}),
        (("GET",), {"op": "<", "args": [{"property": "eo:cloud_cover"}, 5]}, {}),
    ],
)
def test_a_filter_is_text_in_a_query_and_json_in_a_body(api, methods, given, options):
    # Servers refuse the other of the two, as stac-fastapi does.
    def search(asked):
        query = dict(parse_qsl(urlsplit(asked.path).query))
        body = json.loads(asked.body) if asked.body else query
        lang = body["filter-lang"]
        assert (lang == "cql2-json") == (isinstance(body["filter"], dict) or body["filter"].startswith("{"))
        if asked.body and lang != "cql2-json":
            return Answer({"detail": "Input should be a valid dictionary"}, 400)
        return Answer(page("a"))

    api.script["/search"] = search
    url = landing(api, *methods, conforms=(SEARCH, f"{SEARCH}#filter"))
    assert ids(splashdown.open(url, filter=given, **options)) == ["a"]


def cloudy(name, cover, size=1):
    asset = {"href": f"./{name}.tif", "file:size": size}
    return item(name, {"a": asset}, properties={"datetime": "2024-01-01T00:00:00Z", "eo:cloud_cover": cover})


def cloudy_pages(api):
    """Pages of a server that applies no filter, one item each."""
    covers = {"a": 50, "b": 1, "c": 40, "d": 2, "e": 3}
    names = list(covers)
    for number, name in enumerate(names):
        links = [{"rel": "next", "href": f"/search?token={names[number + 1]}"}] if number < 4 else []
        path = f"/search?token={name}" if number else "/search"
        api.script[path] = Answer({**page(), "features": [cloudy(name, covers[name], number)], "links": links})


def test_without_the_filter_extension_it_is_applied_before_limit(api):
    cloudy_pages(api)
    found = splashdown.open(landing(api, "GET"), filter="eo:cloud_cover < 5", limit=2, page_size=1)
    assert ids(found) == ["b", "d"]
    asked = [urlsplit(path).query for path in api.paths() if "search" in path]
    assert len(asked) == 4  # the page of the last item is not asked for
    assert not any("filter" in query for query in asked)


def test_a_filter_about_assets_is_not_sent(api):
    cloudy_pages(api)
    url = landing(api, "GET", conforms=(SEARCH, f"{SEARCH}#filter"))
    assert ids(splashdown.open(url, filter="file:size > 2", limit=1)) == ["d"]
    assert not any("filter" in path for path in api.paths())


def test_a_filter_that_the_server_refuses_is_applied_here(api):
    said = []

    def search(asked):
        if "filter" in asked.path:
            return Answer({"detail": "no queryable eo:cloud_cover"}, 400)
        return Answer({**page(), "features": [cloudy("a", 50), cloudy("b", 1)]})

    api.script["/search"] = search
    url = landing(api, "GET", conforms=(SEARCH, f"{SEARCH}#filter"))
    assert ids(splashdown.open(url, filter="eo:cloud_cover < 5", notify=said.append)) == ["b"]
    assert "no queryable eo:cloud_cover" in "\n".join(said)


def test_a_static_catalog_is_filtered_and_then_limited(api):
    links = [{"rel": "item", "href": f"/{name}.json"} for name in "abc"]
    catalog = {"type": "Catalog", "stac_version": "1.0.0", "id": "c", "description": "d", "links": links}
    api.script["/catalog.json"] = Answer(catalog)
    for name, cover in {"a": 50, "b": 1, "c": 2}.items():
        api.script[f"/{name}.json"] = Answer(cloudy(name, cover))
    assert ids(splashdown.open(f"{api.url}/catalog.json", filter="eo:cloud_cover < 5", limit=1)) == ["b"]


def test_the_command_filters_before_it_limits(api, capsys):
    cloudy_pages(api)
    assert main(["ls", landing(api, "GET"), "--filter", "eo:cloud_cover < 5", "--limit", "2", "--json"]) == 0
    assert [entry["item"] for entry in json.loads(capsys.readouterr().out)] == ["b", "d"]


def test_features_that_are_not_a_list_are_said(api):
    api.script["/search"] = Answer({**page(), "features": {"0": item("a")}})
    with pytest.raises(ResolveError, match="has features that are not a list"):
        splashdown.open(f"{api.url}/search")


def test_next_by_post_without_merge_is_sent_as_it_is(api):
    api.script["/search"] = [Answer(page("a", href="/search", method="POST", body={"page": 2})), Answer(page("b"))]
    assert ids(splashdown.open(landing(api, "POST"), ids="a,b")) == ["a", "b"]
    assert json.loads(api.asked[-1].body) == {"page": 2}


def test_next_by_get_is_followed_with_its_headers_but_not_its_credentials(api):
    headers = {"X-Page": "2", "Authorization": "stolen", "Host": "elsewhere"}
    api.script["/search"] = Answer(page("a", href="/more?token=x", headers=headers))
    api.script["/more"] = Answer(page("b"))
    assert ids(splashdown.open(landing(api, "GET"), auth="mine")) == ["a", "b"]
    assert api.sent("/more", "X-Page") == ["2"]
    assert api.sent("/more", "Authorization") == ["Bearer mine"]


def test_credentials_stay_with_the_origin_of_the_source(api):
    api.script["/c.json"] = Answer(
        {
            "type": "Catalog",
            "stac_version": "1.0.0",
            "id": "c",
            "description": "d",
            "links": [{"rel": "item", "href": f"{api.other_name}/i.json"}],
        }
    )
    api.script["/i.json"] = Answer(item("i"))
    results = splashdown.open(f"{api.url}/c.json", auth=("me", "pw"))
    assert api.sent("/c.json", "Authorization") == ["Basic bWU6cHc="]
    assert api.sent("/i.json", "Authorization") == [None]
    assert results.result_set.signer.sign(f"{api.url}/x.tif")[1] == {"Authorization": "Basic bWU6cHc="}
    assert results.result_set.signer.sign(f"{api.other_name}/x.tif")[1] == {}
    assert results.result_set.signer.sign(f"{api.url}/x.tif?X-Amz-Signature=1")[1] == {}
    with pytest.raises(UsageError, match="auth="):
        splashdown.open(api.url.replace("//", "//me:pw@"))


def test_pages_that_lead_in_a_circle_are_left(api):
    api.script["/search"] = Answer(page("a", href="/search?page=2"))
    api.script["/search?page=2"] = Answer(page("b", href="/search?page=2"))
    results = splashdown.open(f"{api.url}/search")
    assert ids(results) == ["a", "b"]
    assert "not all pages could be read" in results.result_set.unresolved[0]
    assert "circle" in results.result_set.unresolved[0]


@pytest.mark.parametrize("following", ["/gone", "http://inner.invalid/search"])
def test_a_page_that_fails_leaves_what_came_before_it_and_is_a_failure(api, tmp_path, following):
    api.script["/search"] = Answer(page("a", href=following))
    api.script["/a.tif"] = Answer(b"II*\0 and pixels")
    results = splashdown.open(f"{api.url}/search")
    assert ids(results) == ["a"]
    with pytest.raises(DownloadError, match="not all of the source could be read"):
        results.download_files(tmp_path)
    assert len(list(tmp_path.rglob("*.tif"))) == 1


def test_pages_without_items_end_with_what_came_before(api):
    api.script["/search"] = Answer(page("a", href="/page/0"))
    for n in range(100):
        api.script[f"/page/{n}"] = Answer(page(href=f"/page/{n + 1}"))
    results = splashdown.open(f"{api.url}/search")
    assert ids(results) == ["a"]
    assert "looks endless" in results.result_set.unresolved[0]
    assert len(api.asked) < 20


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_page_size_is_halved(api, method, status):
    def answer(asked):
        query = dict(parse_qsl(urlsplit(asked.path).query))
        limit = int(json.loads(asked.body)["limit"] if asked.body else query["limit"])
        return Answer(page("a")) if limit <= 50 else Answer({"description": "limit is at most 50"}, status)

    source = landing(api, method)
    api.script["/search"] = answer
    assert ids(splashdown.open(source, datetime="2024-01-01/..")) == ["a"]


def test_a_search_that_is_refused_at_any_size_gives_the_first_refusal(api):
    source = landing(api, "GET")
    api.script["/search"] = Answer({"description": "no such property"}, 400)
    with pytest.raises(ApiError, match="no such property"):
        splashdown.open(source, datetime="2024-01-01/..")
    assert len([path for path in api.paths() if path.startswith("/search")]) < 8


@pytest.mark.parametrize("fault", [Answer({"message": "a worker died"}, 500), Answer(b"{", length=100)])
def test_a_fault_between_pages_is_repeated(api, fault):
    api.script["/search"] = Answer(page("a", href="/more"))
    api.script["/more"] = [fault, fault, Answer(page("b"))]
    assert ids(splashdown.open(f"{api.url}/search")) == ["a", "b"]


def test_hrefs_of_an_item_on_a_page_refer_to_its_own_url(api):
    links = [{"rel": "self", "href": f"{api.url}/data/s2/i.json"}]
    body = item("i", assets={"a": {"href": "B08.tif"}, "b": {"href": "../x.tif"}, "c": {"href": "/c.tif"}}, links=links)
    api.script["/search"] = Answer({"type": "FeatureCollection", "features": [body]})
    found = [asset.href.removeprefix(api.url) for asset in splashdown.open(f"{api.url}/search").assets]
    assert found == ["/data/s2/B08.tif", "/data/x.tif", "/c.tif"]


def test_what_is_no_stac_document_says_what_to_open_instead(api):
    collections = {"collections": [{"type": "Collection", "id": "s2"}], "links": []}
    api.script |= {
        "/collections": Answer(collections),
        "/all": Answer({"stac_version": "1.0.0", **collections}),
        "/conformance": Answer({"conformsTo": []}),
        "/openeo": Answer({"api_version": "1.2.0", "stac_version": "1.0.0", "type": "Catalog", "endpoints": []}),
        "/jobs": Answer({"jobs": [], "links": []}),
        "/browser": Answer(b"<!doctype html>", headers={"Content-Type": "text/html"}),
    }
    said = {
        "/collections": f"1 collections: open one of them, for example {api.url}/collections/s2",
        "/all": "open one of them, or search the whole API",
        "/conformance": "open the URL of the API itself",
        "/openeo": f"splashdown jobs {api.url}/openeo",
        "/jobs": "splashdown jobs shows them",
        "/browser": "under Source",
    }
    for path, advice in said.items():
        with pytest.raises(ResolveError) as refused:
            splashdown.open(api.url + path)
        assert advice in str(refused.value), path


def test_a_limit_stops_asking(api):
    api.script["/search"] = Answer(page("a", "b", href="/never"))
    assert ids(splashdown.open(f"{api.url}/search", limit=2)) == ["a", "b"]
    assert "/never" not in api.paths()


def test_an_api_without_a_search_is_asked_for_the_items_of_a_collection(api):
    links = [{"rel": "items", "href": "/collections/c/items"}, {"rel": "root", "href": "/"}]
    body = {"type": "Collection", "stac_version": "1.0.0", "id": "c", "description": "d", "license": "other"}
    extent = {"spatial": {"bbox": [[0, 0, 1, 1]]}, "temporal": {"interval": [[None, None]]}}
    api.script["/collections/c"] = Answer({**body, "extent": extent, "links": links})
    api.script["/collections/c/items"] = Answer(page("a"))
    landing(api, "GET")
    api.script["/search"] = Answer(page("b"))
    assert ids(splashdown.open(f"{api.url}/collections/c", datetime="2024-01-01/..", page_size=5)) == ["a"]
    assert api.paths()[-1] == "/collections/c/items?datetime=2024-01-01T00:00:00Z/..&limit=5"
    assert ids(splashdown.open(f"{api.url}/collections/c", ids="b")) == ["b"]
    assert api.paths()[-1] == "/search?ids=b&collections=c&limit=200"
    with pytest.raises(ResolveError, match="Item Search"):
        splashdown.open(landing(api, "GET", conforms=("https://api.stacspec.org/v1.0.0/core",)))


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (Answer(b"<html>not found</html>", 404), NotFoundError, "404"),
        (Answer(b"<html>hello</html>"), ResolveError, "HTML"),
        (Answer({"detail": "no"}, 403), AuthError, "403"),
        (Answer(b'{"type": "Featu'), ResolveError, "cut off"),
        (Answer(b'{"type": "Feature"}', length=500), ResolveError, "cut off|broken"),
        (Answer({"hello": "world"}), ResolveError, "not a STAC document"),
    ],
)
def test_what_a_server_says_instead_becomes_one_line(api, answer, error, says):
    api.script["/x.json"] = answer
    with pytest.raises(error, match=says) as caught:
        splashdown.open(f"{api.url}/x.json")
    assert "\n" not in str(caught.value)


def test_relative_hrefs_belong_to_the_place_after_a_redirect(api):
    api.script["/old/i.json"] = Answer(b"", 302, {"Location": "/new/place/i.json"})
    api.script["/new/place/i.json"] = Answer(item("i"))
    assert splashdown.open(f"{api.url}/old/i.json").get_asset().href == f"{api.url}/new/place/i.tif"


def test_filters_that_a_server_leaves_out_of_its_next_link_are_kept(api):
    api.script["/search?ids=a,b&limit=200"] = Answer(page("a", href="/search?token=2"))
    api.script["/search?token=2&ids=a,b"] = Answer(page("b"))
    assert ids(splashdown.open(f"{api.url}/search", ids="a,b")) == ["a", "b"]


def test_what_an_api_says_about_an_error_is_told(api):
    api.script["/search"] = Answer({"code": "BadRequest", "description": "Invalid datetime"}, 400)
    with pytest.raises(ResolveError, match=r"Invalid datetime \(BadRequest, HTTP 400\)"):
        splashdown.open(f"{api.url}/search")


@pytest.mark.parametrize("command", ["ls", "download", "sync"])
def test_the_page_size_of_the_command_line_reaches_the_api(api, tmp_path, command):
    source = landing(api, "GET")
    api.script["/search"] = Answer(page("a"))
    api.script["/a.tif"] = Answer(b"II*\0 and pixels")
    target = [] if command == "ls" else [str(tmp_path)]
    assert main([command, source, *target, "--page-size", "7", "--collections", "c"]) == 0
    assert "/search?collections=c&limit=7" in api.paths()
    assert main(["ls", str(tmp_path / "none.txt"), "--page-size", "7"]) != 0
