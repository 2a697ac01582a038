"""The built-in plugins, all of them, as the registry sees them."""

import pkgutil

import pytest

from splashdown import builtins
from splashdown._plugins.registry import Registry


def test_every_built_in_module_is_listed_once_and_in_order():
    modules = [m.name for m in pkgutil.iter_modules(builtins.__path__)]
    assert list(builtins.NAMES) == sorted(modules)


@pytest.mark.parametrize("name", builtins.NAMES)
def test_a_built_in_plugin_has_no_problems(name):
    assert Registry(discover=False, environ={}).check(f"splashdown:{name}").problems == ()
