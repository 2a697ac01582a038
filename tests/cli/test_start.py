"""Commands import what they need: what costs most of their time is the number of modules."""

import json
import subprocess
import sys
from dataclasses import dataclass

import pytest
from fault_server import FaultServer
from stac_item import stac_item

#: Modules of Python that bring a client for HTTP, a shell or a parser with them.
NETWORK = {"http.client", "http.cookiejar", "ssl", "subprocess", "urllib.request"}

#: What only signing in, --exec, a display of progress, workers or a store for large parts needs.
UNUSED = (
    "openeo.oidc",
    "openeo.stored",
    "auth_table",
    "landed_commands",
    "builtins.progress",
    "_engine.buffered",
    "pickle",
)


@dataclass
class Started:
    """What a command has imported at its end, and how many dataclasses it has made: Python compiles their methods."""

    modules: set
    dataclasses: int

    @property
    def own(self):
        return sum(name.startswith("splashdown") for name in self.modules)


PROGRAM = """
import atexit, json, sys

def tell():
    kinds = {kind for module in [*sys.modules.values()] for kind in vars(module).values() if isinstance(kind, type)}
    made = sum("__dataclass_fields__" in vars(kind) for kind in kinds)
    print(json.dumps([[*sys.modules], made]), file=sys.stderr)

from splashdown._cli.main import main
atexit.register(tell)
sys.exit(main(sys.argv[1:]))
"""


def started(*arguments):
    command = [sys.executable, "-c", PROGRAM, "--no-plugins", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    modules, made = json.loads(ended.stderr.splitlines()[-1])
    return Started(set(modules), made)


@pytest.fixture(scope="module")
def listing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("start")
    (folder / "a.txt").write_text("hello")
    (folder / "item.json").write_text(json.dumps(stac_item({"a": {"href": "a.txt"}})))
    return started("ls", str(folder / "item.json"))


@pytest.fixture(scope="module")
def download(tmp_path_factory):
    with FaultServer() as server:
        server.add("/a.txt", b"hello")
        server.add("/item.json", json.dumps(stac_item({"a": {"href": "a.txt"}})).encode())
        target = tmp_path_factory.mktemp("start") / "out"
        found = started("download", f"{server.url}/item.json", str(target), "--quiet")
        assert [path.read_bytes() for path in target.rglob("*.txt")] == [b"hello"]
    return found


def test_listing_a_local_item_brings_no_client_for_http(listing):
    assert sorted(listing.modules & NETWORK) == []


def test_listing_a_local_item_looks_for_no_installed_plugin(listing):
    assert "importlib.metadata" not in listing.modules


def test_listing_a_local_item_reads_no_configuration_that_is_not_there(listing):
    assert "tomllib" not in listing.modules


# The budgets are those of Python 3.11, with its own modules, and a few more for other versions.


def test_listing_a_local_item_imports_few_modules(listing):
    assert len(listing.modules) <= 266
    assert listing.own <= 92


def test_listing_a_local_item_makes_few_dataclasses(listing):
    assert listing.dataclasses <= 56


def test_a_download_of_one_file_imports_few_modules(download):
    assert len(download.modules) <= 560
    assert download.own <= 214


def test_a_download_of_one_file_makes_few_dataclasses(download):
    assert download.dataclasses <= 109


def test_a_download_imports_nothing_for_options_that_are_not_given(download):
    assert sorted(name for name in download.modules if name.endswith(UNUSED)) == []


def test_help_imports_less_than_listing():
    found = started("--help")
    assert len(found.modules) <= 210
    assert found.own <= 45
    assert found.dataclasses <= 26
