"""Page after page of a STAC API, as servers differ in it; credentials stay where they belong."""

import json

import pytest
from scripted_api import Answer, scripted_api
from stac_item import stac_item

import splashdown
from splashdown.errors import AuthError, NotFoundError, ResolveError, UsageError


@pytest.fixture
def api():
    with scripted_api() as running:
        yield running


def item(id):
    return stac_item({"a": {"href": f"./{id}.tif"}}, id=id, stac_version="1.0.0")


def page(*ids, **link):
    links = [{"rel": "next", **link}] if link else []
    return {"type": "FeatureCollection", "features": [item(name) for name in ids], "links": links}


def landing(api, *methods, conforms=("https://api.stacspec.org/v1.0.0/item-search",)):
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
    with pytest.raises(ResolveError, match="circle"):
        splashdown.open(f"{api.url}/search")


def test_a_page_that_breaks_off_is_an_error_and_not_a_short_result(api):
    api.script["/search"] = Answer(page("a", href="/gone"))
    with pytest.raises(NotFoundError):
        splashdown.open(f"{api.url}/search")


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
