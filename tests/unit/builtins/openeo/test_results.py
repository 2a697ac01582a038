"""What the resolver makes of results documents, over real sockets."""

import datetime as dt

import pytest
from scripted_api import Answer, ScriptedApi

from splashdown.errors import ResolveError, UsageError

RESULTS = "/openeo/1.2/jobs/j1/results"


def collection(assets=None, links=(), **more):
    return {
        "type": "Collection",
        "stac_version": "1.0.0",
        "id": "j1",
        "assets": assets or {},
        "links": list(links),
        **more,
    }


def item(id, assets, links=(), **more):
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": id,
        "geometry": None,
        "properties": {"datetime": "2024-05-01T00:00:00Z"},
        "assets": assets,
        "links": list(links),
        **more,
    }


def link(rel, href):
    return {"rel": rel, "href": href}


@pytest.mark.parametrize("source", ["/openeo/1.2/jobs/j1", "/openeo/1.2/jobs/j1/", RESULTS, RESULTS + "/"])
def test_the_url_of_a_job_and_of_its_results_lead_to_the_same_assets(api: ScriptedApi, resolve, source):
    api.script[RESULTS] = Answer(collection({"a.tif": {"href": "https://files.example/a.tif", "type": "image/tiff"}}))
    results = resolve(source)
    assert (results.id, results.kind, results.href) == ("j1", "job", api.url + RESULTS)
    assert [(a.key, a.item, a.href, a.media_type) for a in results.assets] == [
        ("a.tif", None, "https://files.example/a.tif", "image/tiff")
    ]


def test_a_feature_of_api_1_0_gives_its_assets_with_time_and_bbox(api: ScriptedApi, resolve):
    api.script["/openeo/1.0/jobs/j1/results"] = Answer(
        item(
            "j1",
            {"a.tif": {"href": "a.tif", "file:size": 7, "file:checksum": "1220AB", "roles": ["data"]}},
            bbox=[1, 2, 3, 4],
        )
    )
    (asset,) = resolve("/openeo/1.0/jobs/j1").assets
    assert asset.item is None
    assert asset.href == f"{api.url}/openeo/1.0/jobs/j1/a.tif"
    assert (asset.size, asset.checksum, asset.roles, asset.bbox) == (7, "1220ab", ("data",), (1.0, 2.0, 3.0, 4.0))
    assert asset.start == asset.end == dt.datetime(2024, 5, 1, tzinfo=dt.UTC)


def test_relative_hrefs_are_resolved_against_the_url_that_the_document_was_finally_read_from(api: ScriptedApi, resolve):
    api.script[RESULTS] = Answer(status=302, headers={"Location": "/store/j1/results.json"})
    api.script["/store/j1/results.json"] = Answer(collection({"a": {"href": "./x/a.tif"}, "b": {"href": "/b.tif"}}))
    assert [a.href for a in resolve().assets] == [f"{api.url}/store/j1/x/a.tif", f"{api.url}/b.tif"]


def test_assets_of_items_and_of_the_collection_are_united_and_the_same_file_counts_once(api: ScriptedApi, resolve):
    api.script[RESULTS] = Answer(
        collection(
            {"one_B04": {"href": "/f/1.tif?expires=1", "file:size": 5}, "ts.json": {"href": "/f/ts.json"}},
            [link("item", "/items/one"), link("item", "/items/two")],
        )
    )
    api.script["/items/one"] = Answer(item("one", {"B04": {"href": "/f/1.tif?expires=2"}}))
    api.script["/items/two"] = Answer(item("two", {"B04": {"href": "../f/2.tif"}}))
    results = resolve()
    assert [(a.item, a.key, a.size) for a in results.assets] == [
        ("one", "B04", 5),
        (None, "ts.json", None),
        ("two", "B04", None),
    ]
    assert [document["id"] for document in results.items] == ["one", "two"]


@pytest.mark.parametrize("user", ["dXNlcg==/", ""])
def test_a_signature_in_the_path_does_not_make_one_file_two(api: ScriptedApi, resolve, user):
    def signed(n):
        return f"{RESULTS}/assets/{user}{n * 32}/sub/a.tif?expires=170000000{n}"

    api.script[RESULTS] = Answer(collection({"sub/a.tif": {"href": signed("1")}}, [link("item", "/i")]))
    api.script["/i"] = Answer(item("i", {"sub/a.tif": {"href": signed("2")}}))
    assert [a.identity for a in resolve().assets] == [("i", "sub/a.tif")]


def test_files_that_only_their_query_tells_apart_stay_apart(api: ScriptedApi, resolve):
    api.script[RESULTS] = Answer(collection({"a": {"href": "/get?id=a"}, "b": {"href": "/get?id=b"}}))
    assert [a.key for a in resolve().assets] == ["a", "b"]


def test_items_of_the_same_id_keep_their_identities_apart(api: ScriptedApi, resolve):
    api.script[RESULTS] = Answer(collection({}, [link("item", "/i1"), link("item", "/i2")]))
    api.script["/i1"] = Answer(item("same", {"a": {"href": "/1"}}))
    api.script["/i2"] = Answer(item("same", {"a": {"href": "/2"}}))
    assert [a.identity for a in resolve().assets] == [("same", "a"), ("same-2", "a")]


def test_a_broken_item_link_is_survived_when_the_collection_lists_assets_itself(api: ScriptedApi, resolve):
    api.script[RESULTS] = Answer(collection({"a": {"href": "/a"}}, [link("item", "/gone")]))
    results = resolve()
    assert [a.key for a in results.assets] == ["a"]
    (warning,) = results.warnings
    assert "/gone" in warning
    assert "NotFound" in warning


def test_a_broken_item_link_is_an_error_when_assets_are_in_items_alone(api: ScriptedApi, resolve):
    api.script[RESULTS] = Answer(collection({}, [link("item", "/gone"), link("item", "/i")]))
    api.script["/i"] = Answer(item("i", {"a": {"href": "/a"}}))
    with pytest.raises(ResolveError, match=r"items only.*/gone"):
        resolve()


def test_pages_of_items_and_sub_catalogs_are_followed(api: ScriptedApi, resolve):
    api.script[RESULTS] = Answer(collection({}, [link("items", "/page1"), link("child", "/sub")]))
    api.script["/page1"] = Answer(
        {
            "type": "FeatureCollection",
            "features": [item("p1", {"a": {"href": "/1"}})],
            "links": [link("next", "/page2")],
        }
    )
    api.script["/page2"] = Answer({"type": "FeatureCollection", "features": [item("p2", {"a": {"href": "/2"}})]})
    api.script["/sub"] = Answer(
        {"type": "Catalog", "id": "sub", "links": [link("item", "/deep"), link("parent", RESULTS)]}
    )
    api.script["/deep"] = Answer(item("deep", {"a": {"href": "/3"}}))
    assert {a.item for a in resolve().assets} == {"p1", "p2", "deep"}


def test_a_circle_of_links_is_one_clear_error(api: ScriptedApi, resolve):
    api.script[RESULTS] = Answer(collection({}, [link("child", "/sub")]))
    api.script["/sub"] = Answer({"type": "Catalog", "id": "sub", "links": [link("child", "/sub2")]})
    api.script["/sub2"] = Answer({"type": "Catalog", "id": "sub2", "links": [link("child", "/sub")]})
    with pytest.raises(ResolveError, match="circle"):
        resolve()


def test_a_document_linked_twice_is_read_once(api: ScriptedApi, resolve):
    api.script[RESULTS] = Answer(collection({}, [link("item", "/i"), link("item", "/i#again")]))
    api.script["/i"] = Answer(item("i", {"a": {"href": "/a"}}))
    assert len(resolve().assets) == 1
    assert api.paths().count("/i") == 1


@pytest.mark.parametrize(
    "href", ["file:///etc/passwd", "FILE:///etc/passwd", "C:\\secrets.txt", "c:/secrets.txt", "\\\\host\\share\\x"]
)
def test_an_href_to_a_local_file_is_left_out_with_a_warning(api: ScriptedApi, resolve, href):
    api.script[RESULTS] = Answer(collection({"bad": {"href": href}, "good": {"href": "/g"}}))
    results = resolve()
    assert [a.key for a in results.assets] == ["good"]
    assert "'bad'" in results.warnings[0]


def test_items_that_can_be_read_are_taken_when_partial_results_are_good_enough(api: ScriptedApi, resolve):
    api.script[RESULTS] = Answer(collection({}, [link("item", "/gone"), link("item", "/i")]))
    api.script["/i"] = Answer(item("i", {"a": {"href": "/a"}}))
    results = resolve(partial=True)
    assert [a.item for a in results.assets] == ["i"]
    assert "/gone" in results.warnings[0]


def test_another_of_several_hrefs_is_taken_where_it_is_named(api: ScriptedApi, resolve):
    other = {"s3": {"href": "s3://bucket/a.tif"}}
    api.script[RESULTS] = Answer(collection({"a": {"href": "/a", "alternate": other}, "b": {"href": "/b"}}))
    assert [a.href for a in resolve(alternate="s3").assets] == ["s3://bucket/a.tif", f"{api.url}/b"]
    assert [a.href for a in resolve().assets] == [f"{api.url}/a", f"{api.url}/b"]


def test_an_item_link_to_a_local_file_is_refused(api: ScriptedApi, resolve):
    api.script[RESULTS] = Answer(collection({}, [link("item", "file:///etc/passwd")]))
    with pytest.raises(ResolveError, match="not on the web"):
        resolve()


@pytest.mark.parametrize("href", [{}, {"href": ""}, {"href": None}, {"href": 3}])
def test_an_asset_without_href_is_one_clear_error(api: ScriptedApi, resolve, href):
    api.script[RESULTS] = Answer(collection({"a": href}))
    with pytest.raises(ResolveError, match="'a' has no href"):
        resolve()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(b"<!doctype html><html></html>", headers={"Content-Type": "text/html"}), "HTML"),
        (Answer(b'{"type": "Collection", "assets": {"a"'), "broken or cut off"),
        (Answer(b'{"type": "Coll', length=5000), "cut off"),
        (Answer(b""), "is empty"),
        (Answer([1, 2]), "list"),
        (Answer({"hello": "world"}), "not the results of a job"),
        (Answer(b"[" * 100_000), "nested too deeply"),
    ],
)
def test_what_is_no_results_document_is_one_clear_line(api: ScriptedApi, resolve, answer, said):
    api.script[RESULTS] = answer
    with pytest.raises(ResolveError, match=said) as caught:
        resolve()
    assert "\n" not in str(caught.value)


def test_a_document_may_have_no_assets_and_no_geometry(api: ScriptedApi, resolve):
    api.script[RESULTS] = Answer({"type": "Collection", "id": "j1", "links": [], "openeo:status": "running"})
    results = resolve()
    assert list(results.assets) == []
    assert "running" in results.warnings[0]


def test_a_job_is_found_through_the_back_ends_own_address(api: ScriptedApi, resolve):
    api.script["/.well-known/openeo"] = Answer(
        {"versions": [{"url": f"{api.url}/openeo/1.2/", "api_version": "1.2.0"}]}
    )
    api.script[RESULTS] = Answer(collection({"a": {"href": "/a"}}))
    assert resolve("/jobs/j1").href == api.url + RESULTS


def test_expiry_is_the_earliest_end_that_the_hrefs_tell(api: ScriptedApi, resolve):
    api.script[RESULTS] = Answer(
        collection(
            {
                "a": {"href": "/a?expires=1900000000"},
                "b": {"href": "/b?X-Amz-Date=20240101T000000Z&X-Amz-Expires=60&X-Amz-Signature=0"},
            }
        )
    )
    assert resolve().expires == dt.datetime(2024, 1, 1, 0, 1, tzinfo=dt.UTC).timestamp()


def test_refreshing_reads_again_and_finds_the_same_identities(api: ScriptedApi, resolve):
    api.script[RESULTS] = [Answer(collection({"a": {"href": f"/a?expires={n}"}})) for n in (1, 2)]
    results = resolve()
    assert results.refresh is not None
    assert [a.href for a in results.refresh().assets] == [f"{api.url}/a?expires=2"]


def test_user_and_password_inside_a_url_are_refused_without_being_repeated(resolve):
    with pytest.raises(UsageError) as caught:
        resolve("https://john:s3cret@api.example/jobs/j1")
    assert "s3cret" not in str(caught.value)


def test_a_file_under_two_keys_has_both(api: ScriptedApi, resolve):
    both = {"B02": {"href": "/f.tif"}, "B03": {"href": "/f.tif"}}
    api.script[RESULTS] = Answer(collection(both))
    assert [asset.key for asset in resolve().assets] == ["B02", "B03"]
    api.script[RESULTS] = Answer(collection({"f.tif": {"href": "/f.tif"}}, [link("item", "/i")]))
    api.script["/i"] = Answer(item("i", both))
    assert [(asset.key, asset.listed_as) for asset in resolve().assets] == [("B02", "f.tif"), ("B03", None)]
    api.script[RESULTS] = Answer(collection(both, [link("item", "/i")]))
    assert [(asset.item, asset.key) for asset in resolve().assets] == [("i", "B02"), ("i", "B03")]


def test_an_empty_list_of_assets_is_none(api: ScriptedApi, resolve):
    api.script[RESULTS] = Answer(collection([]))
    assert (list(resolve().assets), resolve().warnings) == ([], ())


def test_a_broken_asset_leaves_the_others(api: ScriptedApi, resolve):
    api.script[RESULTS] = Answer(collection({"bad": {"href": 3}, "good": {"href": "/g"}}, [link("item", "/i")]))
    api.script["/i"] = Answer(item("i", [1]))
    results = resolve()
    assert [asset.key for asset in results.assets] == ["good"]
    assert len([line for line in results.warnings if "it was left out" in line]) == 2
