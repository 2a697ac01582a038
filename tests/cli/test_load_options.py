"""The options of ``splashdown load`` that loaders bring: any loader's, without the command knowing it."""

import json

import pytest

PLUGIN = """
from dataclasses import dataclass, field
from splashdown import hookimpl
from splashdown.specs import LoaderSpec


@dataclass(frozen=True, kw_only=True)
class Options:
    factors: tuple[float, ...] = field(default=(), metadata={"help": "Multiply by these.", "metavar": "A,B"})
    loud: bool = field(default=False, metadata={"help": "Say it aloud."})
    json: str | None = None


def load(asset, *, factors=(1,), loud=False, json=None):
    value = float(asset.bytes(100))
    for factor in factors:
        value *= factor
    return f"{value:g}!" if loud else f"{value:g}"


@hookimpl
def splashdown_loaders():
    yield LoaderSpec(name="number", load=load, extensions=(".num",), options=Options)
"""


@pytest.fixture
def load(splashdown_command, tmp_path):
    (tmp_path / "plugin.py").write_text(PLUGIN)
    (tmp_path / "six.num").write_text("6")
    (tmp_path / "six.json").write_text("6")
    item = {
        "type": "Feature", "stac_version": "1.1.0", "id": "one", "geometry": None, "links": [],
        "properties": {"datetime": "2024-01-01T00:00:00Z"},
        "assets": {name: {"href": name} for name in ("six.num", "six.json")},
    }  # fmt: skip
    (tmp_path / "item.json").write_text(json.dumps(item))

    def run(*arguments):
        return splashdown_command("--plugin", "plugin.py", "load", "item.json", *arguments, cwd=tmp_path)

    return run


def test_fields_of_a_loaders_options_are_options_of_the_command(load):
    assert load("six.num", "--factors", "2,0.5", "--factors", "7", "--loud").stdout == "42!\n"
    assert load("six.num").stdout == "6\n"


def test_help_says_whose_they_are(load):
    shown = " ".join(load("--help").stdout.split())
    assert "Options of loaders: --max-bytes BYTES" in shown
    assert "--factors A,B Multiply by these. (number)" in shown


def test_the_commands_own_options_stay_what_they_are(load):
    done = load("six.num", "--json")
    assert json.loads(done.stdout) == "6"


def test_a_value_that_does_not_fit_is_one_line(load):
    done = load("six.num", "--factors", "two")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Error: option 'factors' of 'number' has to be a list of numbers, not 'two'\n"


def test_an_option_of_a_package_that_is_not_installed_is_told_from_a_slip(splashdown_command, load):
    done = splashdown_command("--no-plugins", "load", "item.json", "six.num", "--factors", "2")
    assert done.returncode == 2
    assert "No such option: --factors. Neither this command nor an installed loader has it." in done.stderr
    assert "Did you mean '--factors'?" in load("six.num", "--factor", "2").stderr


def test_an_option_of_another_loader_is_one_line(load):
    done = load("six.json", "--loud")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Error: the loader 'json' has no option --loud; it has: --max-bytes, --max-depth\n"
    done = load("six.json", "--max-bytes", "0")
    assert done.returncode == 1
    assert "more than" in done.stderr
