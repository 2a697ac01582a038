"""What describes the distributions agrees: extras, constraints, versions, licences, the citation and the conda recipe."""

from __future__ import annotations

import re

import pytest
import yaml
from projects import COMPANIONS, CORE, PLUGINS, ROOT, Project

import splashdown

RECIPE = yaml.safe_load((ROOT / ".ci/conda/recipe.yaml").read_text())
OWN = {plugin.name: plugin for plugin in PLUGINS}


def wanted(extra: str) -> set[str]:
    """What an extra of the core installs, with the extras that it names."""
    found = set()
    for one in CORE.extras[extra]:
        inner = re.fullmatch(r"splashdown\[(.*)\]", one)
        found |= set().union(*map(wanted, inner[1].split(","))) if inner else {one}
    return found


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_each_plugin_has_an_extra_of_its_name(plugin: Project):
    assert CORE.extras[plugin.name.removeprefix("splashdown-")] == [plugin.name]


def test_the_extra_all_installs_what_every_other_extra_does():
    others = set().union(*(wanted(extra) for extra in CORE.extras if extra != "all"))
    assert others >= set(OWN)
    assert wanted("all") == others


def test_the_constraints_of_a_checkout_lead_to_each_plugin():
    lines = (ROOT / "plugins/checkout.txt").read_text().splitlines()
    places = dict(line.split(" @ file://${PWD}/") for line in lines if not line.startswith("#"))
    assert places == {plugin.name: plugin.path.relative_to(ROOT).as_posix() for plugin in PLUGINS}


@pytest.mark.parametrize("plugin", [*PLUGINS, *COMPANIONS], ids=lambda plugin: plugin.name)
def test_a_plugin_says_of_itself_what_the_core_says(plugin: Project):
    for field in ("license", "requires-python", "authors", "classifiers"):
        assert plugin.metadata[field] == CORE.metadata[field]
    assert (plugin.path / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert (plugin.path / "src" / plugin.package / "py.typed").is_file()


def test_the_citation_is_of_this_version_and_licence():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == splashdown.__version__
    assert citation["license"] == CORE.metadata["license"]
    assert [author["name"] for author in citation["authors"]] == [one["name"] for one in CORE.metadata["authors"]]


def test_the_conda_recipe_needs_what_pyproject_needs():
    assert RECIPE["context"] == {"name": CORE.name, "version": splashdown.__version__}
    needs = [line.replace(" ", "") for line in RECIPE["requirements"]["run"]]
    assert needs == ["python>=${{python_min}}", *CORE.metadata["dependencies"]]
    variants = yaml.safe_load((ROOT / ".ci/conda/variants.yaml").read_text())
    assert CORE.metadata["requires-python"] == f">={variants['python_min'][0]}"
    assert RECIPE["build"]["python"]["entry_points"] == [
        f"{name} = {place}" for name, place in CORE.metadata["scripts"].items()
    ]


def test_the_containerfile_installs_by_a_command_of_the_readme():
    [command] = re.findall(r"pip install --no-cache-dir (.*)", (ROOT / "Containerfile").read_text())
    assert f"pip install {command}" in (ROOT / "README.md").read_text().replace("splashdown[", ".[")


def test_badges_say_what_pyproject_says():
    folder = ROOT / "docs/pictures/badges"
    shown = {path.stem: path.read_text() for path in folder.glob("*.svg")}
    pythons = [line.rpartition(" ")[2] for line in CORE.metadata["classifiers"] if "Python :: 3." in line]
    assert f"{pythons[0]} - {pythons[-1]}" in shown["python"]
    assert CORE.metadata["license"] in shown["licence"]
    assert f">{len(PLUGINS)}<" in shown["plugins"]
