"""Resolvers of other distributions: a job's results through a client that they bring, and assets over its transport."""

import gc
import json
import threading
import tracemalloc
from dataclasses import dataclass, field

import pytest

import splashdown
from splashdown import hookimpl
from splashdown.columns import columns
from splashdown.errors import AuthError, JobFailed, OptionError, ResolveError
from splashdown.model import Asset, ResultSet
from splashdown.resolving import Answer, PackedItems, describe_asset, pack, resolve_job
from splashdown.specs import ResolverSpec
from splashdown.testing import FakeContext, FakeTransport, make_session

URL = "https://openeo.example/1.2/jobs/j1/results"
ITEM = "https://openeo.example/1.2/jobs/j1/results/items/i"


@dataclass
class Site:
    """A client with some documents; ``refuse`` makes it say once that the token is invalid."""

    documents: dict[str, object]
    refuse: bool = False
    status: int = 200
    asked: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fetch(self, url):
        with self.lock:
            self.asked.append(url)
        if self.refuse:
            return Answer(url=url, status=403, body=b'{"code": "TokenInvalid", "message": "expired"}')
        return Answer(url=url, status=self.status, body=json.dumps(self.documents[url]).encode())

    def renew(self):
        self.refuse = False
        return True


def results(assets=None, links=()):
    return {"type": "Collection", "id": "j1", "assets": assets or {}, "links": list(links)}


def test_documents_and_items_are_read_with_the_callers_client():
    item = {"type": "Feature", "id": "i", "properties": {}, "assets": {"x.tif": {"href": "x.tif"}}, "links": []}
    site = Site({URL: results(links=[{"rel": "item", "href": "results/items/i"}]), ITEM: item})
    found = resolve_job(URL, FakeContext(), fetch=site.fetch)
    assert site.asked == [URL, ITEM]
    assert [(asset.item, asset.key, asset.href) for asset in found.assets] == [("i", "x.tif", f"{ITEM[:-1]}x.tif")]
    assert found.refresh().assets == found.assets


def test_a_refused_token_is_renewed_by_the_caller():
    site = Site({URL: results()}, refuse=True)
    resolve_job(URL, FakeContext(), fetch=site.fetch, renew=site.renew)
    assert site.asked == [URL, URL]


def test_a_refused_token_that_nobody_renews_is_an_auth_error():
    with pytest.raises(AuthError, match="TokenInvalid"):
        resolve_job(URL, FakeContext(), fetch=Site({}, refuse=True).fetch)


def test_error_answers_are_those_of_the_built_in_resolver():
    entry = {"id": "1", "level": "error", "message": "no memory left"}
    with pytest.raises(JobFailed, match="no memory left"):
        resolve_job(URL, FakeContext(), fetch=Site({URL: entry}, status=424).fetch)
    with pytest.raises(ResolveError, match="HTML"):
        resolve_job(URL, FakeContext(), fetch=lambda url: Answer(url=url, status=200, body=b"<html>"))


def test_options_are_those_of_the_built_in_resolver():
    with pytest.raises(OptionError, match="wait"):
        resolve_job(URL, FakeContext(options={"wiat": True}), fetch=Site({}).fetch)


def test_a_result_set_brings_the_transport_for_its_own_assets_only(tmp_path):
    own, other = "https://own.example/a.json", f"file://{tmp_path}/b.json"
    (tmp_path / "b.json").write_bytes(b'{"b": 2}')
    transport = FakeTransport({own: b'{"a": 1}'})
    brought = ResultSet(
        id="j1",
        kind="job",
        assets=[Asset(key="a", href=own, media_type="application/json"), Asset(key="b", href=other)],
        document={},
        transport=lambda href: transport if href == own else None,
    )
    with splashdown.Session(discover=False) as session:
        job = splashdown.JobResults(session, brought)
        job.download_files(tmp_path / "out")
        assert {path.read_bytes() for path in (tmp_path / "out").iterdir()} >= {b'{"a": 1}', b'{"b": 2}'}
        assert splashdown.JobResults(session, brought).load_json("a") == {"a": 1}
    assert transport.requests


class Catalogue:
    """A resolver of another distribution, whose source lists items by number."""

    def accepts(self, source):
        return isinstance(source, int)

    def resolve(self, source, context):
        items = PackedItems()
        found = (self.item(number) for number in range(source))
        assets = pack(asset for item in found for asset in items.add(item, self.assets_of(item)))
        document = {"type": "FeatureCollection", "id": "catalogue"}
        return ResultSet(id="catalogue", kind="items", document=document, items=items, assets=assets)

    def item(self, number):
        properties = {"datetime": "2024-01-01T00:00:00Z", "number": number, **{f"property {n}": n for n in range(30)}}
        metadata = {"href": f"https://host.example/{number}.tif", "type": "image/tiff", "file:size": number}
        return {
            "type": "Feature",
            "id": f"i{number}",
            "geometry": {"type": "Point", "coordinates": [number % 180, 0]},
            "bbox": [0.0, 0.0, 1.0, 1.0],
            "properties": properties,
            "assets": {"data": {**metadata, "roles": ["data"], "title": f"file {number}"}},
        }

    def assets_of(self, item):
        for key, metadata in item["assets"].items():
            yield describe_asset(key, metadata["href"], metadata, item=item["id"], owner=item)


class CataloguePlugin:
    @hookimpl
    def splashdown_resolvers(self):
        yield ResolverSpec(name="catalogue", create=Catalogue)


@pytest.mark.parametrize("count", [3, 3000])
def test_another_resolver_describes_its_assets_as_the_built_in_ones_do(count):
    with make_session(CataloguePlugin()) as session:
        results = session.open(count)
        asset = results["i2/data"]
        assert (asset.href, asset.media_type, asset.size) == ("https://host.example/2.tif", "image/tiff", 2)
        assert asset.metadata["title"] == "file 2"
        assert asset.asset.properties["number"] == 2
        assert asset.asset.geometry["coordinates"] == [2, 0]
        assert len(results.select(datetime="2024-01-01", bbox="0,0,1,1", roles="data")) == count
        assert [feature["id"] for feature in results.get_metadata()["features"]] == [f"i{n}" for n in range(count)]
        plan = results.plan("out", layout="{number}.tif")
        assert len(set(columns(plan.transfers, "name"))) == count


def test_very_many_assets_of_another_resolver_take_little_memory():
    count = 2_000
    gc.collect()
    tracemalloc.start()
    try:
        packed = Catalogue().resolve(count, FakeContext())
        gc.collect()
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(packed.assets) == count
    # An item and its asset as Python objects take more than four kilobytes.
    assert used / count < 600
