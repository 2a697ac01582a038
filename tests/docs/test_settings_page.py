"""The reference of the settings has an entry for each field, with the default and the variable that really hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from splashdown import RetryPolicy, Settings, __version__
from splashdown._cli.download import command
from splashdown._plugins.options import fields_of
from splashdown.http import HttpOptions

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"
KINDS = {
    "[settings]": (Settings, ""),
    "[settings.retry]": (RetryPolicy, "retry"),
    "[options.http]": (HttpOptions, "http"),
}


def section(table: str) -> dict[str, list[str]]:
    """The rows below a heading: cells without their backticks by the name of the field."""
    text = PAGE.read_text().partition(f"## `{table}`")[2].partition("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")
    ]
    return {
        row[0].strip("`"): [row[1].strip("`"), row[2], row[3].strip("`"), row[4].strip("`"), row[5]] for row in rows
    }


@pytest.mark.parametrize("table", KINDS)
def test_each_field_has_an_entry_with_its_default_and_variable(table):
    kind, plugin = KINDS[table]
    expected = {
        field.name: [repr(field.default).replace(__version__, "VERSION"), "" if field.nested else field.variable]
        for field in fields_of(kind, plugin=plugin)
    }
    if "retry" in expected:
        expected["retry"] = ["RetryPolicy()", ""]
    assert {name: [default, variable] for name, (default, _, variable, *_) in section(table).items()} == expected


@pytest.mark.parametrize("table", KINDS)
def test_each_number_has_a_unit_and_each_field_a_meaning(table):
    for name, (default, unit, _, _, meaning) in section(table).items():
        assert unit or not re.fullmatch(r"[\d.]+", default), f"{name} is a number without a unit"
        assert meaning, f"{name} has no meaning"


def test_flags_are_those_of_the_command():
    known = {option for parameter in command.params for option in parameter.opts}
    named = {row[3].split()[0] for table in KINDS for row in section(table).values() if row[3]}
    assert named == {"--jobs", "--no-resume", "--fail-fast", "--keep-going", "--limit-rate", "--trust-metadata"}
    assert named <= known
