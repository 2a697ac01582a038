"""Who may import whom: the contracts in pyproject.toml, and the same for every package in plugins/."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "src" / "splashdown"
PLUGINS = sorted(path.parent.name for path in ROOT.glob("plugins/splashdown-*/src/*/__init__.py"))
# The command line may use what it likes; the version is a constant.
NO_ROOM_OF_PLUGINS = {"splashdown._cli", "splashdown._demo", "splashdown._version"}


def lint(config: Path, *paths: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    command = [str(program), "--no-cache", "--no-logo", "--config", str(config)]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))},
    )


def private_modules() -> list[str]:
    found = (path.stem if path.is_file() else path.name for path in CORE.glob("_*") if path.name != "__pycache__")
    return sorted(f"splashdown.{name}" for name in found if not name.startswith("__"))


def outside_contract(folder: Path, *packages: str) -> Path:
    """A configuration that holds packages to the public API; pluggy comes to them as ``splashdown.hookimpl``."""
    forbidden = [
        *(name for name in private_modules() if name != "splashdown._version"),
        "pluggy",
        "splashdown.builtins",
    ]
    config = folder / "layers.toml"
    config.write_text(
        f"[tool.importlinter]\nroot_packages = {json.dumps(['splashdown', *packages])}\n"
        "include_external_packages = true\n[[tool.importlinter.contracts]]\n"
        "name = 'Outside packages use the public API'\ntype = 'forbidden'\nallow_indirect_imports = true\n"
        f"source_modules = {json.dumps(packages)}\nforbidden_modules = {json.dumps(forbidden)}\n"
    )
    return config


def test_the_layers_of_the_core_hold():
    done = lint(ROOT / "pyproject.toml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_private_folder_is_host_or_shared_library():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    contract = next(c for c in contracts if c["name"] == "Built-in plugins and shared libraries do without the host")
    judged = {*contract["source_modules"], *contract["forbidden_modules"], *NO_ROOM_OF_PLUGINS}
    assert set(private_modules()) - judged == set()


def test_outside_packages_import_the_public_api_alone(tmp_path):
    assert len(PLUGINS) >= 5
    done = lint(outside_contract(tmp_path, *PLUGINS))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("wrong", ["from splashdown._engine import run", "import pluggy"])
def test_a_package_that_reaches_inside_is_found(tmp_path, wrong):
    (tmp_path / "reaches_inside").mkdir()
    (tmp_path / "reaches_inside" / "__init__.py").write_text(f"{wrong}\n")
    done = lint(outside_contract(tmp_path, "reaches_inside"), tmp_path)
    assert done.returncode == 1
    assert "reaches_inside is not allowed to import" in done.stdout
