"""What holds for every URL and every results document, however odd."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_api import Answer, ScriptedApi

from splashdown._documents import client as client_module
from splashdown._documents.client import Client
from splashdown._documents.document import Document
from splashdown.builtins.openeo.assets import collect
from splashdown.builtins.openeo.tree import Tree
from splashdown.builtins.openeo.urls import parse_job_url
from splashdown.errors import ResolveError
from splashdown.sources import is_job_url

IDS = st.text(min_size=1, max_size=20).filter(lambda text: text not in {".", ".."})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
HREFS = st.sampled_from(["/a", "/b?x=1", "/b?x=2", "c/d.tif", "https://o.example/e?sig=1", "s3://bucket/k", "http://["])
ASSETS = st.dictionaries(
    st.text(max_size=4),
    st.fixed_dictionaries({"href": HREFS}, optional={"type": JSON, "roles": JSON, "file:size": JSON, "bbox": JSON}),
    max_size=4,
)
BODIES = st.fixed_dictionaries(
    {"assets": ASSETS}, optional={"id": JSON, "bbox": JSON, "extent": JSON, "properties": JSON, "geometry": JSON}
)


@given(IDS, st.sampled_from(["", "/results", "/results/"]), st.sampled_from(["", "/openeo/1.2", "/jobs/x/y"]))
def test_a_jobs_url_gives_back_its_id_and_its_api(job, tail, base):
    url = f"https://h.example{base}/jobs/{quote(job, safe='')}{tail}"
    parts = parse_job_url(url)
    assert is_job_url(url) == (not url.rstrip("/").lower().endswith((".json", ".geojson")) or url.endswith("/"))
    assert (parts.job, parts.api, parts.signed) == (job, f"https://h.example{base}", False)
    assert parts.results == f"{parts.status}/results"


@given(BODIES, st.lists(BODIES, max_size=3))
def test_identities_are_unique_and_a_file_is_there_once_for_each_key(root, items):
    tree = Tree(
        root=Document(place="https://h.example/jobs/j/results", body=root),
        items=tuple(Document(place=f"https://h.example/i/{n}", body=body) for n, body in enumerate(items)),
    )
    found = collect(tree).assets
    assert len({asset.identity for asset in found}) == len(found)
    assert len({(asset.href, asset.key) for asset in found}) == len(found)
    for body in (root, *items):
        for key, metadata in body["assets"].items():
            path = metadata["href"].partition("?")[0].removeprefix("c")
            of_file = [asset for asset in found if asset.href.partition("?")[0].endswith(path)]
            assert not of_file or key in {name for asset in of_file for name in (asset.key, asset.listed_as)}
    assert not any(asset.href.startswith("file:") for asset in found)
    assert [a.identity for a in collect(tree).assets] == [a.identity for a in found]


def test_a_document_without_end_is_not_read_to_its_end(api: ScriptedApi, monkeypatch):
    monkeypatch.setattr(client_module, "MAX_BYTES", 100_000)
    api.script["/big"] = Answer({"x": "y" * 200_000})
    with pytest.raises(ResolveError, match="larger than"):
        Client().get(f"{api.url}/big")
