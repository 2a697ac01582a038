"""What surrounds a page whose examples are run: an empty folder, and what the page's own text asks for."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path

import pytest
from doc_pages import Page
from example_host import HOST, example_host
from seaweedfs import SeaweedFS

from splashdown._demo import documents

#: Fixtures by what a page's text has to contain to get them.
SURROUNDINGS = {
    HOST: "openeo_example",
    "s3://": "buckets",
    "collection.json": "collection_on_disk",
    "import keyring": "keyring_in_a_file",
}


@pytest.fixture
def surroundings(page: Page, clean_folder: Path, request: pytest.FixtureRequest) -> Path:
    """All that the page's text asks for; the folder that its examples run in."""
    for wanted, fixture in SURROUNDINGS.items():
        if any(wanted in block.code for block in page.blocks):
            request.getfixturevalue(fixture)
    return clean_folder


@pytest.fixture
def clean_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, and a home of its own: nothing of the machine's configuration is seen."""
    work, home = tmp_path / "work", tmp_path / "home"
    work.mkdir()
    home.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "AWS_PROFILE", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    return work


@pytest.fixture
def openeo_example(example: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """``https://openeo.example`` answers."""
    for name, value in example.items():
        monkeypatch.setenv(name, value)
    # urllib keeps the proxies of its first request for the whole process: this page's are not for other tests.
    monkeypatch.setattr(urllib.request, "_opener", None)


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory):
    with example_host(tmp_path_factory.mktemp("example")) as environment:
        yield environment


@pytest.fixture
def buckets(page: Page, weed: SeaweedFS, monkeypatch: pytest.MonkeyPatch):
    """Every bucket that the page names, empty, on a real store that boto3 finds by the environment."""
    import boto3

    for name, value in {**weed.environment, "AWS_EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(name, value)
    names = {name for block in page.blocks for name in re.findall(r"s3://([a-z0-9][a-z0-9.-]+)", block.code)}
    resource = boto3.resource("s3", region_name="us-east-1")
    for name in names:
        resource.create_bucket(Bucket=name)
    yield
    for name in names:
        resource.Bucket(name).objects.all().delete()
        resource.Bucket(name).delete()


@pytest.fixture
def keyring_in_a_file(tmp_path: Path):
    """A keyring without a system that has one."""
    import keyring
    from keyrings.alt.file import PlaintextKeyring

    before, own = keyring.get_keyring(), PlaintextKeyring()
    own.file_path = str(tmp_path / "entries")
    keyring.set_keyring(own)
    yield
    keyring.set_keyring(before)


class _Beside:
    """Makes the demo's documents link to files beside each other."""

    def path(self, kind: str, name: str) -> str:
        return f"{name}.json" if kind == "items" else f"{kind}/{name}"


@pytest.fixture
def collection_on_disk(clean_folder: Path) -> None:
    """``collection.json`` with two items beside it and its four files in ``assets``."""
    links = _Beside()
    document = documents.results(".", links)
    document["links"] = [link for link in document["links"] if link["rel"] == "item"]
    Path("collection.json").write_text(json.dumps(document))
    for item in documents.item_keys():
        Path(f"{item}.json").write_text(json.dumps({**documents.item(".", item, links), "links": []}))
    Path("assets").mkdir()
    for key in document["assets"]:
        Path("assets", key).write_bytes(documents.content(key))
