"""What is built in, and what the packages in plugins/ offer, keeps a contract: each spec has a subclass somewhere."""

from __future__ import annotations

import ast
from collections import Counter
from importlib.metadata import distribution
from pathlib import Path

import pytest

from splashdown import testing
from splashdown._plugins.registry import Registry
from splashdown._plugins.suggest import package_for
from splashdown.hookspecs import HookSpecs
from splashdown.testing import assert_light_import

ROOT = Path(__file__).parents[2]
CONTRACTS = {
    "sinks": "SinkContract",
    "transports": "TransportContract",
    "resolvers": "ResolverContract",
    "loaders": "LoaderContract",
    "filters": "FilterContract",
    "executors": "ExecutorContract",
}
HOOKS = sorted(name for name in vars(HookSpecs) if name.startswith("splashdown_"))
PACKAGES = sorted(path.parent.name for path in ROOT.glob("plugins/splashdown-*/pyproject.toml"))
# One class runs for all of these, parameter by parameter.
ONE_CLASS_FOR_ALL = {("splashdown", "filters")}


def subclasses(folder: Path) -> Counter[str]:
    """How many test classes of a folder keep each contract, directly or through a class of their own file."""
    found: Counter[str] = Counter()
    for path in folder.glob("test_*.py"):
        bases = {
            node.name: [base.id for base in node.bases if isinstance(base, ast.Name)]
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ClassDef)
        }
        for name in bases:
            if name.startswith("Test"):
                found.update(_ancestors(name, bases) & set(CONTRACTS.values()))
    return found


def _ancestors(name: str, bases: dict[str, list[str]]) -> set[str]:
    return {name}.union(*(_ancestors(base, bases) for base in bases.get(name, [])))


@pytest.mark.parametrize("kind", CONTRACTS)
def test_every_built_in_keeps_its_contract(kind):
    infos = Registry(discover=False, environ={}).plugins()
    offered = sum(len(set(_specs(info, kind))) for info in infos)
    wanted = 1 if ("splashdown", kind) in ONE_CLASS_FOR_ALL else offered
    assert offered > 0
    assert subclasses(Path(__file__).parent)[CONTRACTS[kind]] >= wanted


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_keeps_its_contracts(package):
    infos = [info for info in Registry(environ={}).plugins() if info.distribution == package]
    assert infos, f"{package} is not installed, or has no entry point: add it to tests/requirements.txt"
    kept = subclasses(ROOT / "plugins" / package / "tests")
    for info in infos:
        assert info.status == "ok", info.failures
        for kind, contract in CONTRACTS.items():
            specs = _specs(info, kind)
            assert kept[contract] >= len(specs), f"{package} offers the {kind} {specs}; subclass {contract} for each"


def _specs(info, kind):
    """The names of one kind; for schemes, one spec may have several."""
    names = info.offers.get(kind, ())
    return names[:1] if kind in {"sinks", "transports"} else names


@pytest.mark.parametrize("kind", [hook.removeprefix("splashdown_") for hook in HOOKS])
def test_every_hook_serves_a_built_in_plugin_and_one_of_another_package(kind):
    offering = {info.distribution for info in Registry(environ={}).plugins() if kind in info.offers}
    assert "splashdown" in offering
    assert offering & set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_session_without_a_package_says_to_install_it(package):
    for info in Registry(environ={}).plugins():
        if info.distribution == package:
            for kind in ("sinks", "transports", "loaders", "executors"):
                assert {package_for(kind, name) for name in info.offers.get(kind, ())} <= {package}


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_loads_nothing_heavy(package):
    modules = {point.module for point in distribution(package).entry_points if point.group.startswith("splashdown.")}
    assert modules
    for module in modules:
        assert_light_import(module)


def test_every_contract_is_public():
    assert {name for name in testing.__all__ if name.endswith("Contract")} == set(CONTRACTS.values())
