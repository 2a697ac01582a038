"""Snakemake reads assets: what the interface asks for, and a workflow of a real Snakemake."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from fault_server import FaultServer
from own_environment import own_environment
from snakemake_interface_common.exceptions import WorkflowError
from snakemake_storage_plugin_splashdown import StorageProvider

README = Path(__file__).parents[1] / "README.md"
BODIES = {"B04": b"red" * 1000, "B08": b"near infrared" * 1000}


@pytest.fixture
def source(tmp_path):
    """The item of a server, as a file: one asset with all metadata, one with as good as none."""
    with FaultServer() as server:
        assets = {}
        for key, body in BODIES.items():
            server.add(f"/{key}.bin", body)
            assets[key] = {"href": f"{server.url}/{key}.bin"}
        digest = hashlib.sha256(BODIES["B04"]).hexdigest()
        assets["B04"] |= {"file:size": 3000, "file:checksum": f"1220{digest}", "updated": "2024-01-02T00:00:00Z"}
        item = {"type": "Feature", "stac_version": "1.0.0", "id": "i", "geometry": None, "links": [], "assets": assets}
        path = tmp_path / "item.json"
        path.write_text(json.dumps(item | {"properties": {"datetime": "2024-01-01T00:00:00Z"}}))
        yield path


@pytest.fixture
def provider(tmp_path):
    return StorageProvider(logger=logging.getLogger("test"), local_prefix=tmp_path / "local")


def test_an_asset_says_what_snakemake_asks(provider, source):
    known, unknown = (provider.object(f"splashdown:{source}#{key}") for key in ("B04", "i/B08"))
    assert known.exists()
    assert unknown.exists()
    assert not provider.object(f"splashdown:{source}#B99").exists()
    assert (known.size(), unknown.size()) == (3000, len(BODIES["B08"]))
    assert (known.mtime(), unknown.mtime()) == (1704153600.0, 0.0)
    assert known.checksum() == f"sha256:{hashlib.sha256(BODIES['B04']).hexdigest()}"
    assert unknown.checksum() is None


def test_an_asset_is_retrieved_whole(provider, source):
    for key, body in BODIES.items():
        one = provider.object(f"splashdown:{source}#{key}")
        asyncio.run(one.managed_retrieve())
        assert one.local_path().read_bytes() == body
        assert [path.name for path in one.local_path().parent.iterdir() if path.name not in BODIES] == []


def test_one_look_at_the_source_answers_for_all_assets(provider, source):
    cache = SimpleNamespace(exists_in_storage={}, mtime={}, size={})
    missing = provider.object(f"splashdown:{source}#B99")
    asyncio.run(missing.inventory(cache))
    other = provider.object(f"splashdown:{source}#B04").cache_key()
    assert cache.exists_in_storage[other] is True
    assert cache.exists_in_storage[missing.cache_key()] is False
    assert (cache.size[other], cache.mtime[other].storage()) == (3000, 1704153600.0)


@pytest.mark.parametrize(
    "query", ["https://host/item#B04", "splashdown:", "splashdown:item.json", "splashdown:{x}#B04"]
)
def test_a_query_without_source_or_key_is_refused_with_the_reason(query):
    found = StorageProvider.is_valid_query(query)
    assert not found
    assert found.reason


@pytest.mark.parametrize("key", ["../../out", "..", "/etc/passwd", "a/./b"])
def test_no_key_leads_out_of_the_folder_for_storage(provider, key):
    local = provider.object(f"splashdown:item.json#{key}").local_path()
    assert local.resolve().is_relative_to(provider.local_prefix.resolve())
    assert local.resolve() != provider.local_prefix.resolve()


def test_a_source_that_cannot_be_read_is_one_line_without_its_secret(provider, tmp_path):
    one = provider.object("splashdown:http://me:s3cret@127.0.0.1:1/item.json?sig=s3cret#B04")
    with pytest.raises(WorkflowError) as caught:
        asyncio.run(one.managed_exists())
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in one.print_query
    assert one.print_query.endswith("#B04")


@pytest.mark.slow
@pytest.mark.timeout(600)  # pip installs Snakemake
def test_a_real_snakemake_runs_the_workflow_of_the_readme(source, tmp_path):
    python = str(own_environment("snakemake", ["snakemake==9.27.*"]) / "bin/python")
    folder = tmp_path / "workflow"
    folder.mkdir()
    (workflow,) = re.findall(r"```text\n(rule all.*?)```", README.read_text(), re.DOTALL)
    of_readme = "https://openeo.example/openeo/1.2/jobs/JOB#{band}.tif"
    assert of_readme in workflow
    (folder / "Snakefile").write_text(workflow.replace(of_readme, f"{source}#{{band}}"))
    command = [python, "-m", "snakemake", "--cores", "2"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for key, body in BODIES.items():
        assert (folder / f"sums/{key}.txt").read_text().split()[0] == hashlib.sha256(body).hexdigest()
    again = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert "Nothing to be done" in again.stderr
