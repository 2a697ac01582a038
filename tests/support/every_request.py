"""A server that is openEO back-end, STAC API and archive at once, and everything a session asks of such a server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from scripted_api import Answer, ScriptedApi

import splashdown
from splashdown import Session
from splashdown.auth import ClientCredentials

LARGE = b"L" * (1 << 20)
#: More than one, so that the last ones go over a connection that is open already.
SMALL = ("a", "b", "c")


def furnish(api: ScriptedApi) -> None:
    """Give a server its documents and files."""
    capabilities = {"api_version": "1.2.0", "endpoints": [], "conformsTo": []}
    item = {"type": "Feature", "stac_version": "1.0.0", "id": "i", "geometry": None, "properties": {"datetime": None}}
    files = {name: {"href": f"{api.url}/{name}.bin"} for name in SMALL} | {"large": {"href": f"{api.url}/large.bin"}}
    job = {"type": "Feature", "stac_version": "1.0.0", "id": "j", "assets": {}, "links": []}
    links = [{"rel": "search", "href": f"{api.url}/stac/search", "type": "application/geo+json", "method": "GET"}]
    conforms = ["https://api.stacspec.org/v1.0.0/item-search"]
    provider = {"id": "p", "issuer": f"{api.url}/oidc", "scopes": ["openid"]}
    api.script |= {
        "/": Answer(capabilities),
        "/credentials/basic": Answer({"access_token": "a-token-of-basic"}),
        "/credentials/oidc": Answer({"providers": [provider]}),
        "/oidc/.well-known/openid-configuration": Answer(
            {"issuer": f"{api.url}/oidc", "token_endpoint": f"{api.url}/oidc/token"}
        ),
        "/oidc/token": Answer({"access_token": "a-token-of-oidc"}),
        "/jobs": Answer({"jobs": [], "links": []}),
        "/jobs/j/results": Answer(job | {"assets": files}),
        "/item.json": Answer(item | {"assets": files}),
        "/stac": Answer(
            {"type": "Catalog", "id": "c", "description": "", "stac_version": "1.0.0"}
            | {"links": links, "conformsTo": conforms}
        ),
        "/stac/search": Answer({"type": "FeatureCollection", "features": [item | {"assets": files}], "links": []}),
        "/large.bin": Answer(LARGE, headers={"Content-Type": "application/octet-stream"}),
    }
    for name in SMALL:
        api.script[f"/{name}.bin"] = Answer(name.encode() * 9, headers={"Content-Type": "application/octet-stream"})


def _documents_and_assets(session: Session, url: str, folder: Path) -> None:
    session.open(f"{url}/item.json").download_files(folder)


def _search(session: Session, url: str, folder: Path) -> None:
    assert len(session.open(f"{url}/stac", limit=1).assets) == len(SMALL) + 1


def _job(session: Session, url: str, folder: Path) -> None:
    session.open(f"{url}/jobs/j/results", auth=("user", "password")).download_files(folder)


def _jobs(session: Session, url: str, folder: Path) -> None:
    auth = ClientCredentials(client_id="id", client_secret="secret-of-a-machine")
    assert not list(splashdown.connect(url, auth=auth, session=session).jobs())


#: What is done, and the paths that it asks for.
WAYS: dict[str, tuple[Callable[[Session, str, Path], None], set[str]]] = {
    "documents and assets": (_documents_and_assets, {"/item.json", "/a.bin", "/b.bin", "/c.bin", "/large.bin"}),
    "search": (_search, {"/stac", "/stac/search"}),
    "job and basic sign-in": (_job, {"/credentials/basic", "/jobs/j/results", "/a.bin", "/large.bin"}),
    "jobs and OIDC sign-in": (_jobs, {"/", "/credentials/oidc", "/oidc/token", "/jobs"}),
}
