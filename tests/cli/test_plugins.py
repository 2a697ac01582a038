"""Plugins on the command line: listed, checked, given as a file, brought as commands."""

import functools
import json
import re
import textwrap

import pytest

PLUGIN = textwrap.dedent("""
    from dataclasses import dataclass, field
    from splashdown.hookspecs import hookimpl
    from splashdown.specs import ActionSpec

    @dataclass(frozen=True, kw_only=True)
    class CountOptions:
        what: str = field(default="assets", metadata={"help": "What to count."})
        double: bool = False
        minimum: int = 0

    def count(results, *, what, double, minimum):
        number = len(results.get_assets()) * (2 if double else 1)
        return {"what": what, "count": max(number, minimum)}

    @hookimpl
    def splashdown_actions():
        yield ActionSpec(name="count_up", run=count, options=CountOptions, command=True, summary="Count what there is.")
        yield ActionSpec(name="hidden", run=count, options=CountOptions)
""")


@pytest.fixture
def plugin(tmp_path):
    path = tmp_path / "counting.py"
    path.write_text(PLUGIN)
    return path


def test_list_names_every_plugin_with_what_it_offers(splashdown_command):
    done = splashdown_command("--no-plugins", "plugins", "list", "--json")
    infos = {info["name"]: info for info in json.loads(done.stdout)}
    assert infos["local"]["offers"] == {"sinks": ["", "file"]}
    assert infos["local"]["status"] == "ok"
    assert infos["local"]["origin"] == "built-in"
    assert infos["local"]["distribution"] == "splashdown"
    assert infos["local"]["import_seconds"] >= 0
    table = splashdown_command("--no-plugins", "plugins", "list")
    assert "local" in table.stdout
    assert table.returncode == 0


def test_check_explains_a_plugin_and_its_exit_code_says_whether_it_is_well(splashdown_command, tmp_path):
    good = splashdown_command("plugins", "check", "http")
    assert good.returncode == 0
    assert "SPLASHDOWN_HTTP_CONNECT_TIMEOUT" in good.stdout
    assert "meaning" not in good.stdout  # of an option that says nothing about itself
    explained = splashdown_command("plugins", "check", "netrc")
    assert "meaning" in explained.stdout
    broken = tmp_path / "broken.py"
    broken.write_text("raise RuntimeError('boom')")
    bad = splashdown_command("--plugin", broken, "plugins", "check", "broken")
    assert bad.returncode == 1
    assert "RuntimeError: boom" in bad.stdout
    assert "Traceback" in bad.stdout
    unknown = splashdown_command("plugins", "check", "lokal")
    assert unknown.returncode == 2
    assert "did you mean 'local'" in unknown.stderr


def test_a_broken_plugin_is_named_in_one_line_and_stops_nothing(splashdown_command, tmp_path, demo_job):
    broken = tmp_path / "broken.py"
    broken.write_text("raise RuntimeError('boom')")
    done = splashdown_command("--plugin", broken, "download", demo_job, tmp_path / "out", "--quiet")
    assert done.returncode == 0
    assert done.stderr.splitlines() == ["Warning: plugin 'broken' failed at import: RuntimeError: boom"]
    for arguments in (["--version"], ["plugins", "list"], ["--help"]):
        assert splashdown_command("--plugin", broken, *arguments).returncode == 0
    strict = splashdown_command("--strict", "--plugin", broken, "download", demo_job, tmp_path / "out", "--quiet")
    assert strict.returncode == 2
    assert strict.stderr.splitlines() == ["Error: plugin 'broken' failed at import: RuntimeError: boom"]


def test_a_missing_plugin_file_is_wrong_usage(splashdown_command, tmp_path):
    done = splashdown_command("--plugin", tmp_path / "absent.py", "plugins", "list")
    assert done.returncode == 2
    assert "no plugin file" in done.stderr


def status_of(done, name="s3"):
    (found,) = (info for info in json.loads(done.stdout) if info["name"] == name)
    return found["status"]


BLOCK = {
    "flag": (["--disable-plugin", "splashdown-s3"], {}, ""),
    "environment": ([], {"SPLASHDOWN_DISABLE_PLUGINS": "splashdown-s3"}, ""),
    "configuration": ([], {}, '[plugins]\ndisable = ["splashdown-s3"]\n'),
}
ALLOW = {
    "flag": (["--only-plugin", "geotiff"], {}, ""),
    "environment": ([], {"SPLASHDOWN_ONLY_PLUGINS": "geotiff"}, ""),
    "configuration": ([], {}, '[plugins]\nonly = ["geotiff"]\n'),
}


@pytest.mark.parametrize("how", BLOCK)
def test_a_plugin_is_blocked_by_flag_environment_or_configuration(splashdown_command, tmp_path, how):
    arguments, environment, file = BLOCK[how]
    (tmp_path / ".git").mkdir()
    (tmp_path / "splashdown.toml").write_text(file)
    done = splashdown_command(*arguments, "plugins", "list", "--json", env=environment, cwd=tmp_path)
    assert (status_of(done), status_of(done, "geotiff")) == ("disabled", "ok")
    refused = splashdown_command(*arguments, "verify", "s3://bucket/", env=environment, cwd=tmp_path)
    assert refused.returncode == 2
    assert "no plugin stores to s3://" in refused.stderr
    assert "disabled: s3" in refused.stderr
    assert "pip install" not in refused.stderr


@pytest.mark.parametrize("how", ALLOW)
def test_only_some_plugins_are_allowed_by_flag_environment_or_configuration(splashdown_command, tmp_path, how):
    arguments, environment, file = ALLOW[how]
    (tmp_path / ".git").mkdir()
    (tmp_path / "splashdown.toml").write_text(file)
    done = splashdown_command(*arguments, "plugins", "list", "--json", env=environment, cwd=tmp_path)
    assert (status_of(done), status_of(done, "geotiff"), status_of(done, "local")) == ("disabled", "ok", "ok")


def test_the_sink_of_a_file_is_a_target_like_any_other(splashdown_command, tmp_path, demo_job):
    path = tmp_path / "shelf.py"
    path.write_text(SHELF)
    target = f"shelf://{tmp_path / 'shelf'}"
    done = splashdown_command("--plugin", path, "download", demo_job, target, "--json")
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "shelf").iterdir())) == 5
    without = splashdown_command("download", demo_job, target)
    assert without.returncode == 2
    assert "no plugin stores to shelf://" in without.stderr


def test_the_misspelled_hook_of_a_file_is_named_with_the_right_one(splashdown_command, tmp_path):
    path = tmp_path / "shelf.py"
    path.write_text(SHELF.replace("def splashdown_sinks", "def splashdown_sink"))
    done = splashdown_command("--plugin", path, "plugins", "check", "shelf")
    assert done.returncode == 1
    assert "there is no hook splashdown_sink; did you mean 'splashdown_sinks'?" in done.stdout


def test_listing_in_strict_mode_shows_all_and_tells_by_its_exit_code(splashdown_command, tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text("raise RuntimeError('boom')")
    done = splashdown_command("--strict", "--plugin", broken, "plugins", "list", "--json")
    assert done.returncode == 1
    assert (status_of(done, "broken"), status_of(done)) == ("failed", "ok")
    assert splashdown_command("--strict", "plugins", "list").returncode == 0


SHELF = """
from pathlib import Path

from splashdown.builtins.local import LocalSink
from splashdown.hookspecs import hookimpl
from splashdown.specs import SinkSpec

@hookimpl
def splashdown_sinks():
    yield SinkSpec(
        name="shelf", schemes=("shelf",), create=lambda target, options: LocalSink(Path(target.removeprefix("shelf://")))
    )
"""


def test_an_action_of_a_plugin_is_a_command_with_its_options_in_the_help(splashdown_command, plugin, demo_job):
    listed = splashdown_command("--plugin", plugin, "--help")
    assert "count-up" in listed.stdout
    assert "Count what there is." in listed.stdout
    assert "hidden" not in listed.stdout
    shown = splashdown_command("--plugin", plugin, "count-up", "--help").stdout
    assert "--what" in shown
    assert "What to count." in shown
    assert "--double / --no-double" in shown
    assert "--include" in shown
    once = json.loads(splashdown_command("--plugin", plugin, "count_up", demo_job).stdout)
    twice = json.loads(
        splashdown_command("--plugin", plugin, "count-up", demo_job, "--what", "files", "--double").stdout
    )
    assert once["count"] > 0
    assert twice == {"what": "files", "count": 2 * once["count"]}
    refused = splashdown_command("--plugin", plugin, "count-up", demo_job, "--minimum", "x")
    assert refused.returncode == 2
    assert "'minimum' of 'count_up' has to be a whole number" in refused.stderr


def test_without_its_plugin_a_command_is_unknown(splashdown_command):
    done = splashdown_command("count-up", "x.json")
    assert done.returncode == 2
    assert "count-up" in done.stderr


def test_config_show_says_where_a_value_is_from(splashdown_command, tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "splashdown.toml").write_text("[options.http]\nmax_redirects = 3\n")
    environment = {"SPLASHDOWN_JOBS": "2", "XDG_CONFIG_HOME": str(tmp_path / "none"), "HOME": str(tmp_path / "none")}
    done = splashdown_command("config", "show", "--json", env=environment, cwd=tmp_path)
    rows = {row["key"]: row for row in json.loads(done.stdout)}
    assert rows["options.http.max_redirects"]["value"] == 3
    assert rows["options.http.max_redirects"]["origin"] == str(tmp_path / "splashdown.toml")
    assert rows["settings.jobs"]["origin"] == "SPLASHDOWN_JOBS"
    table = splashdown_command("config", "show", env=environment, cwd=tmp_path)
    assert "options.http.max_redirects" in table.stdout
    assert "settings.jobs" in table.stdout
    (tmp_path / "splashdown.toml").write_text("[options.http]\nmax_redirect = 3\n")
    wrong = splashdown_command("config", "show", env=environment, cwd=tmp_path)
    assert wrong.returncode == 2
    assert "did you mean 'max_redirects'" in wrong.stderr


def test_a_slip_in_the_settings_is_told_by_any_command(splashdown_command, tmp_path, demo_job):
    (tmp_path / ".git").mkdir()
    (tmp_path / "splashdown.toml").write_text("[settings]\njbos = 3\n")
    done = splashdown_command("ls", demo_job, cwd=tmp_path)
    assert done.returncode == 2
    assert "no option 'jbos' (in the configuration file); did you mean 'jobs'?" in done.stderr


def test_config_show_names_variables_that_mean_nothing(splashdown_command):
    environment = {"SPLASHDOWN_JBOS": "secret-1", "SPLASHDOWN_HTTP_POOL_SIZE": "9", "SPLASHDOWN_TOKEN": "secret-2"}
    done = splashdown_command("config", "show", env=environment)
    assert done.returncode == 0
    assert done.stderr.splitlines() == ["Warning: SPLASHDOWN_JBOS means nothing here; did you mean 'SPLASHDOWN_JOBS'?"]
    assert "secret" not in done.stdout + done.stderr


def test_config_show_shows_no_secret_of_a_plugin(splashdown_command, tmp_path):
    path = tmp_path / "vault.py"
    path.write_text(SECRET)
    shown = splashdown_command(
        "--plugin", path, "config", "show", "--all", "--json", env={"SPLASHDOWN_VAULT_KEY": "k-123"}
    )
    rows = {row["key"]: row for row in json.loads(shown.stdout)}
    assert rows["options.vault.key"]["origin"] == "SPLASHDOWN_VAULT_KEY"
    assert rows["options.vault.shelf"]["origin"] == "default"
    checked = splashdown_command("--plugin", path, "plugins", "check", "vault", env={"SPLASHDOWN_VAULT_KEY": "k-123"})
    assert "k-123" not in shown.stdout + shown.stderr + checked.stdout + checked.stderr


SECRET = """
from dataclasses import dataclass, field
from splashdown.hookspecs import hookimpl
from splashdown.specs import SinkSpec

@dataclass(frozen=True, kw_only=True)
class Options:
    key: str = field(default="", metadata={"secret": True})
    shelf: str = "top"

@hookimpl
def splashdown_sinks():
    yield SinkSpec(name="vault", schemes=("vault",), create=lambda target, options: object(), options=Options)
"""


CLIENT = """
from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from splashdown.hookspecs import hookimpl
from splashdown.specs import ActionSpec, LoaderSpec, SinkSpec

if TYPE_CHECKING:
    import heavy_sdk

@dataclass(frozen=True, kw_only=True)
class Options:
    client: heavy_sdk.Client | None = field(default=None, metadata={"python_only": "a heavy_sdk.Client"})
    shelf: str = "top"

@hookimpl
def splashdown_sinks():
    yield SinkSpec(name="vault", schemes=("vault",), create=lambda target, options: object(), options=Options)

@hookimpl
def splashdown_actions():
    yield ActionSpec(
        name="fetch", run=lambda results, *, client=None, shelf="top": f"{client} {shelf}", options=Options, command=True
    )

@hookimpl
def splashdown_loaders():
    yield LoaderSpec(name="vault", load=lambda asset, *, client=None, shelf="top": f"{client} {shelf}", options=Options)
"""
REFUSED = "has to be a heavy_sdk.Client; only Python code can pass it\n"


@pytest.fixture
def client(tmp_path):
    """A plugin with an option that only Python code can pass."""
    (tmp_path / ".git").mkdir()
    path = tmp_path / "vault.py"
    path.write_text(CLIENT)
    return path


def test_a_python_only_option_is_listed_by_check_and_by_no_other(splashdown_command, client, demo_job):
    run = functools.partial(splashdown_command, "--plugin", client)
    checked = run("plugins", "check", "vault").stdout
    assert re.search(r"client +a heavy_sdk.Client, in Python only +None *\n", checked)
    assert "no problem found" in checked
    assert "SPLASHDOWN_VAULT_CLIENT" not in checked
    shown = run("config", "show", "--all").stdout
    assert "options.vault.shelf" in shown
    assert "options.vault.client" not in shown
    for command in ("fetch", "load"):
        about = run(command, "--help").stdout
        assert "--shelf" in about
        assert "--client" not in about
        refused = run(command, demo_job, "--client", "x")
        assert (refused.returncode, refused.stderr.count("No such option")) == (2, 1)
    assert run("fetch", demo_job, "--shelf", "low").stdout == "None low\n"
    assert run("load", demo_job, "timeseries.json", "--loader", "vault", "--shelf", "low").stdout == "None low\n"


def test_text_for_a_python_only_option_is_one_line(splashdown_command, client, demo_job, tmp_path):
    run = functools.partial(splashdown_command, "--plugin", client, cwd=tmp_path)
    download = ("download", demo_job, "vault://x")
    given = run(*download, "-o", "vault.client=abc")
    assert (given.returncode, given.stderr) == (2, f"Error: option 'client' of 'vault' {REFUSED}")
    variable = {"SPLASHDOWN_VAULT_CLIENT": "abc"}
    for command in (download, ("config", "show")):
        found = run(*command, env=variable)
        assert (found.returncode, found.stderr) == (2, f"Error: SPLASHDOWN_VAULT_CLIENT {REFUSED}")
    (tmp_path / "splashdown.toml").write_text("[options.vault]\nclient = 3\n")
    for command in (download, ("config", "show")):
        read = run(*command)
        assert (read.returncode, read.stderr) == (2, f"Error: 'client' of 'vault' in the configuration file {REFUSED}")
