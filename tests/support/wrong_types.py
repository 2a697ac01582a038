"""Valid documents, the same ones with a value of another type or of no sense at one of their nodes, and their use."""

import contextlib
import copy
import math

from splashdown._receipts.document import receipt_document, write
from splashdown.errors import PluginError, SplashdownError
from splashdown.model import Outcome, Status
from splashdown.testing import MemorySink

#: A value for each type, and the odd ones of each.
WRONG = [
    None,
    True,
    0,
    -1,
    10**30,
    10**400,
    1.5,
    math.nan,
    math.inf,
    "",
    "x",
    "\ud800",
    "a\x00b",
    "http://[",
    "http://h:99999/x",
    "9999-12-31T23:59:59-23:59",
    "x" * 5000,
    [],
    [None],
    [[]],
    ["x", 5],
    [0, 0, 10**400, math.nan],
    {},
    {"": None},
    {"\ud800": {"href": 5}},
    {"a": {"b": [1]}},
]
ASSET = {
    "href": "https://host.example/a.tif",
    "type": "image/tiff",
    "roles": ["data"],
    "title": "A",
    "file:size": 5,
    "file:checksum": "1220" + "00" * 32,
    "file:local_path": "a.tif",
    "bbox": [0, 0, 1, 1],
    "alternate": {"s3": {"href": "s3://b/a.tif"}},
    "bands": [{"name": "B1"}],
}
LINKS = [
    {"rel": "self", "href": "https://host.example/item.json", "type": "application/json"},
    {"rel": "root", "href": "https://host.example/catalog.json"},
]
ITEM = {
    "type": "Feature",
    "stac_version": "1.1.0",
    "stac_extensions": ["https://stac-extensions.github.io/file/v2.1.0/schema.json"],
    "id": "item",
    "collection": "c",
    "bbox": [0, 0, 1, 1],
    "geometry": {"type": "Point", "coordinates": [0.5, 0.5]},
    "properties": {"datetime": "2020-01-01T00:00:00Z", "eo:cloud_cover": 3, "expires": "2040-01-01T00:00:00Z"},
    "links": LINKS,
    "assets": {"a.tif": ASSET},
}
COLLECTION = {
    "type": "Collection",
    "stac_version": "1.1.0",
    "id": "c",
    "description": "c",
    "license": "other",
    "extent": {
        "spatial": {"bbox": [[0, 0, 1, 1]]},
        "temporal": {"interval": [["2020-01-01T00:00:00Z", None]]},
    },
    "summaries": {"gsd": [10]},
    "links": [],
    "assets": {"a.tif": ASSET},
}
CATALOG = {
    "type": "Catalog",
    "stac_version": "1.1.0",
    "id": "cat",
    "description": "c",
    "links": [],
    "assets": {"a.tif": ASSET},
}
ITEMS = {"type": "FeatureCollection", "features": [ITEM], "links": [], "numberMatched": 1}
OLD_ITEM = {**ITEM, "stac_version": "0.8.1"}
OLD_COLLECTION = {**{k: v for k, v in COLLECTION.items() if k != "type"}, "stac_version": "0.9.0"}


def nodes(document, path=()):
    """The path of every node of a document, the document itself too."""
    yield path
    members = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for name, value in members:
        yield from nodes(value, (*path, name))


def with_value(document, path, value):
    """A copy of the document with another value at a node."""
    if not path:
        return value
    changed = copy.deepcopy(document)
    holder = changed
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = value
    return changed


def all_wrong(document, values=WRONG, every=1):
    """Each document that has one of the values at one node, with a name for messages.

    With ``every=N`` a node gets each Nth value, and the next node the values after those.
    """
    for at, path in enumerate(nodes(document)):
        for number, value in list(enumerate(values))[at % every :: every]:
            yield f"{'/'.join(map(str, path))}={number}:{value!r:.30}", with_value(document, path, value)


RESULTS = {**COLLECTION, "openeo:status": "finished", "links": [{"rel": "item", "href": "item.json"}]}
FEATURE_RESULTS = {**ITEM, "openeo:status": "finished"}
JOB = {"id": "j", "status": "finished", "progress": 100, "title": "t", "created": "2020-01-01T00:00:00Z"}
JOBS = {"jobs": [JOB], "links": [{"rel": "next", "href": "jobs?page=2"}]}
LOGS = {"logs": [{"id": "1", "level": "error", "message": "m", "time": "2020-01-01T00:00:00Z"}], "links": []}
CAPABILITIES = {
    "api_version": "1.2.0",
    "id": "b",
    "title": "b",
    "conformsTo": ["https://api.openeo.org/1.3.0/authentication/jwt"],
    "endpoints": [{"path": "/jobs", "methods": ["GET"]}],
    "links": [],
}
WELL_KNOWN = {"versions": [{"url": "https://host.example/openeo/1.2", "api_version": "1.2.0", "production": True}]}
OIDC_PROVIDERS = {
    "providers": [
        {
            "id": "egi",
            "issuer": "https://oidc.example",
            "title": "e",
            "scopes": ["openid"],
            "default_clients": [{"id": "c", "grant_types": ["refresh_token"]}],
        }
    ]
}
OIDC_DISCOVERY = {"issuer": "https://oidc.example", "token_endpoint": "https://oidc.example/token"}
TOKENS = {"access_token": "A", "refresh_token": "R", "expires_in": 5, "token_type": "bearer"}
BASIC = {"access_token": "A"}
ERROR = {"code": "JobNotFound", "message": "no job", "id": "5", "level": "error", "links": []}

STAC = {
    "item": ITEM,
    "collection": COLLECTION,
    "catalog": CATALOG,
    "items": ITEMS,
    "old item": OLD_ITEM,
    "old collection": OLD_COLLECTION,
}
API = "https://host.example/openeo/1.2"
#: What a back-end and its providers answer; tokens come from an address that is not read.
GOOD = {
    "https://host.example/.well-known/openeo": WELL_KNOWN,
    f"{API}/": CAPABILITIES,
    f"{API}/jobs": JOBS,
    f"{API}/jobs?page=2": {"jobs": [], "links": []},
    f"{API}/jobs/j": JOB,
    f"{API}/jobs/j/logs": LOGS,
    f"{API}/jobs/j/results": RESULTS,
    f"{API}/jobs/j/item.json": ITEM,
    f"{API}/credentials/oidc": OIDC_PROVIDERS,
    f"{API}/credentials/basic": BASIC,
    "https://oidc.example/.well-known/openid-configuration": OIDC_DISCOVERY,
    "TOKENS": TOKENS,
}
OPENEO = {url.rpartition("/")[2] or "capabilities": (url, document) for url, document in GOOD.items()} | {
    "results of a feature": (f"{API}/jobs/j/results", FEATURE_RESULTS),
}
#: The headers of each step of a request.
SENT = [{"Authorization": "Bearer token"}]


@contextlib.contextmanager
def own_errors_alone():
    """Let the project's errors pass; one that only the last net has caught is not one of them."""
    try:
        yield
    except PluginError as error:
        if error.__cause__ is not None:
            raise error.__cause__  # noqa: B904 - what was really raised
    except SplashdownError as error:
        str(error)


def use(results):
    """Everything that lists, plans and describes."""
    repr(results)
    results._repr_html_()
    for asset in results:
        repr(asset)
        asset._repr_html_()
        str(asset.name)
    results.get_metadata()
    plan = results.plan("out", layout="by-item")
    repr(plan)
    plan._repr_html_()
    results.select(bbox="0,0,1,1", datetime="2020/2021")
    results.select(roles="data", types="image/tiff", min_size="1", keys="*", items="i*", collections="c")
    results.select(latest_per="item", one_per="date")
    landed = [Outcome(transfer=t, status=Status.STORED, location="x", size=5) for t in plan.transfers]
    for part in results.result_set.parts:
        write(MemorySink(), "x.json", receipt_document(part.results, part.own_outcomes(landed), {}))
