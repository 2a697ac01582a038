"""The built-in plugins, all of them, as the registry sees them."""

import pkgutil
import subprocess
import sys

import pytest

from splashdown import builtins
from splashdown._plugins.registry import Registry


def test_every_built_in_module_is_listed_once_and_in_order():
    modules = [m.name for m in pkgutil.iter_modules(builtins.__path__)]
    assert list(builtins.NAMES) == sorted(modules)


@pytest.mark.parametrize("name", builtins.NAMES)
def test_a_built_in_plugin_has_no_problems(name):
    assert Registry(discover=False, environ={}).check(f"splashdown:{name}").problems == ()


@pytest.mark.parametrize(("name", "offers"), builtins.OFFERS.items())
def test_a_built_in_plugin_offers_what_is_written_of_it(name, offers):
    info = Registry(discover=False, environ={}).check(f"splashdown:{name}").info
    assert info.offers == offers


def test_the_commands_among_built_in_actions_are_written_down():
    actions = Registry(discover=False, environ={}).actions()
    assert sorted(builtins.COMMANDS) == sorted(name for name, spec in actions.items() if spec.command)


def test_a_question_imports_only_the_plugins_that_may_answer_it():
    code = (
        "import sys\n"
        "from splashdown._plugins.registry import Registry\n"
        "Registry(discover=False, environ={}).sink('')\n"
        "print(*sorted(m for m in sys.modules if m.startswith('splashdown.builtins.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    plugins = {module.split(".")[2] for module in done.stdout.split()}
    assert plugins == {"local"}


def test_what_was_asked_for_first_does_not_change_the_order():
    asked = Registry(discover=False, environ={})
    asked.sink("")
    asked.listener("progress")
    names = [plugin.name for plugin in asked.plugins()]
    assert names == list(builtins.NAMES)
