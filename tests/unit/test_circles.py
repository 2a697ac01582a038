"""Files that import each other in a circle: none at run time, and few for the type checker alone."""

from __future__ import annotations

import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = sorted(path.parent.name for path in ROOT.glob("plugins/splashdown-*/src/*/__init__.py"))
#: Values, protocols and events name each other in their types.
MOST_FILES = 4


def circles(*packages: str, types_too: bool) -> list[list[str]]:
    """Each set of modules that import each other; imports inside of functions count, for they happen as well."""
    graph = grimp.build_graph(*packages, exclude_type_checking_imports=not types_too, cache_dir=None)
    found = set()
    for module in graph.modules:
        around = graph.find_upstream_modules(module) & graph.find_downstream_modules(module)
        if around:
            found.add(frozenset(around | {module}))
    return sorted(sorted(circle) for circle in found)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Make a package of modules that each import the next, the last one the first."""

    def make(*names: str, only_types: bool) -> str:
        folder = tmp_path / "goes_round"
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        for name, following in zip(names, [*names[1:], names[0]], strict=True):
            line = f"from goes_round import {following}"
            guarded = f"from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    {line}\n"
            (folder / f"{name}.py").write_text(guarded if only_types else f"def f():\n    {line}\n")
        return folder.name

    monkeypatch.syspath_prepend(tmp_path)
    yield make
    sys.modules.pop("goes_round", None)


def test_no_modules_import_each_other_at_run_time():
    assert circles("splashdown", *PACKAGES, types_too=False) == []


def test_no_circle_is_large_for_a_type_checker():
    large = [circle for circle in circles("splashdown", *PACKAGES, types_too=True) if len(circle) > MOST_FILES]
    assert large == []


def test_a_circle_of_imports_inside_of_functions_is_found(package):
    name = package("a", "b", only_types=False)
    assert circles(name, types_too=False) == [["goes_round.a", "goes_round.b"]]


def test_a_circle_of_types_alone_does_not_count_at_run_time(package):
    name = package("a", "b", "c", "d", "e", only_types=True)
    assert circles(name, types_too=False) == []
    assert [len(circle) for circle in circles(name, types_too=True)] == [MOST_FILES + 1]
