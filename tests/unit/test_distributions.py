"""What the distributions of this repository say about themselves."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECTS = sorted(ROOT.glob("plugins/splashdown-*/pyproject.toml"))


def project(path: Path) -> dict[str, object]:
    return tomllib.loads(path.read_text())["project"]


@pytest.mark.parametrize("path", PROJECTS, ids=lambda path: path.parent.name)
def test_a_plugin_names_the_authors_and_pythons_of_the_core(path):
    core, plugin = project(ROOT / "pyproject.toml"), project(path)
    shared = ("authors", "classifiers", "license", "requires-python")
    assert {name: plugin.get(name) for name in shared} == {name: core[name] for name in shared}
