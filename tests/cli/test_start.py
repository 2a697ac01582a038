"""Commands import what they need: what costs most of their time is the number of modules."""

import json
import subprocess
import sys

import pytest

#: Modules of Python that bring a client for HTTP, a shell or a parser with them.
NETWORK = {"http.client", "http.cookiejar", "ssl", "subprocess", "urllib.request"}


def modules_after(*arguments):
    """The names of all modules that a command has imported at its end."""
    code = (
        "import atexit, json, sys\n"
        "atexit.register(lambda: print(json.dumps(list(sys.modules)), file=sys.stderr))\n"
        "from splashdown._cli.main import main\n"
        "main(sys.argv[1:])"
    )
    command = [sys.executable, "-c", code, "--no-plugins", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(json.loads(ended.stderr.splitlines()[-1]))


@pytest.fixture(scope="module")
def listing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("start")
    item = {"type": "Feature", "stac_version": "1.0.0", "id": "i", "geometry": None, "properties": {}, "links": []}
    (folder / "a.txt").write_text("hello")
    (folder / "item.json").write_text(json.dumps(item | {"assets": {"a": {"href": "a.txt"}}}))
    return modules_after("ls", str(folder / "item.json"))


def test_listing_a_local_item_brings_no_client_for_http(listing):
    assert sorted(listing & NETWORK) == []


def test_listing_a_local_item_reads_no_configuration_that_is_not_there(listing):
    assert "tomllib" not in listing


def test_listing_a_local_item_imports_few_modules(listing):
    assert len(listing) <= 315  # with Python 3.11 309, those of Python among them
    assert sum(name.startswith("splashdown") for name in listing) <= 99


def test_help_imports_no_more_than_listing(listing):
    assert len(modules_after("--help")) <= len(listing) + 30
