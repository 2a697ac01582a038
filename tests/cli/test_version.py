"""`splashdown --version` answers at once, loads no plugin and imports nothing heavy; nor does `import splashdown`."""

import json
import os
import resource
import subprocess
import sys

import pytest
from installs import install

from splashdown import __version__
from splashdown._cli.main import main
from splashdown._cli.root import main as run_root
from splashdown.testing import HEAVY, assert_light_import


def loaded_after(code, **environ):
    """The names of all modules that a fresh interpreter has after some code."""
    ended = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
        env=environ or None,
    )
    return set(json.loads(ended.stdout.splitlines()[-1]))


def test_version_is_printed(splashdown_command):
    result = splashdown_command("--version")
    assert result.returncode == 0
    assert __version__ in result.stdout


def test_version_takes_less_than_a_fifth_of_a_second(splashdown_command):
    times = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        splashdown_command("--version")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    # Time of the processor, because the machine that runs the tests may be busy; the command waits for nothing.
    assert min(times) < 0.2


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_the_version_is_what_click_would_print(option, capsys):
    assert main([option]) == 0
    answered = capsys.readouterr().out
    assert run_root([option]) == 0
    assert answered == capsys.readouterr().out != ""


def test_a_version_that_nobody_reads_ends_without_a_traceback():
    code = "import os; from splashdown._cli.main import run; run(['--version'])"
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run([sys.executable, "-c", code], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (1, b"")


def test_version_loads_no_plugin_and_nothing_heavy(tmp_path):
    install(tmp_path, "would-shout", "raise AssertionError('imported')")
    loaded = loaded_after("from splashdown._cli.main import main\nmain(['--version'])", PYTHONPATH=str(tmp_path))
    assert loaded & {*HEAVY, "click", "pluggy", "importlib.metadata"} == set()
    assert [m for m in loaded if m.startswith(("splashdown.builtins", "splashdown._plugins", "splashdown_"))] == []


def test_importing_the_library_loads_nothing_but_itself():
    assert_light_import("splashdown", heavy=[*HEAVY, "pluggy", "click", "splashdown.session", "importlib.metadata"])


@pytest.mark.parametrize("module", ["actions", "hookspecs", "specs", "protocols", "model", "events", "errors"])
def test_what_a_plugin_is_written_with_imports_nothing_heavy(module):
    assert_light_import(f"splashdown.{module}", heavy=[*HEAVY, "click", "splashdown.session"])


def test_a_session_that_has_loaded_all_built_in_plugins_has_imported_nothing_heavy():
    loaded = loaded_after("import splashdown\nsplashdown.Session(discover=False, config=False).registry.plugins()")
    assert "splashdown.builtins.verify" in loaded
    assert loaded & {*HEAVY} == set()
