"""The references of filters and of names have an entry for everything there is, and for nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import splashdown
from splashdown._cli.download import command
from splashdown._naming.names import LAYOUTS
from splashdown._naming.templates import _DATES, _KNOWN
from splashdown.builtins.filters import groups
from splashdown.safe_names import MAX_PATH, MAX_SEGMENT

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
FILTERS, NAMES = (REFERENCE / "filters.md").read_text(), (REFERENCE / "names.md").read_text()


def rows(text: str) -> dict[str, list[str]]:
    """Rows of tables whose first cell is code: the other cells by what stands in the first."""
    found = {}
    for line in text.splitlines():
        if line.startswith("| `"):
            name, *others = (cell.strip() for cell in line.strip("|").split(" | "))
            found[name.strip("| `")] = others
    return found


def section(text: str, heading: str) -> str:
    return text.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def built_in() -> set[str]:
    return set(splashdown.Session(discover=False).registry.filters())


def test_every_filter_has_an_entry_and_a_section():
    assert set(rows(FILTERS)) == built_in()
    headings = "\n".join(re.findall(r"^## .*$", FILTERS, re.MULTILINE))
    assert set(re.findall(r"`(\w+)`", headings)) == built_in()


@pytest.mark.parametrize("name", sorted(rows(FILTERS)))
def test_the_option_of_a_filter_is_there(name):
    option = rows(FILTERS)[name][0].strip("`")
    flags = {flag for parameter in command.params for flag in parameter.opts}
    assert option == f"--where {name}=" or option in flags


def test_every_group_has_a_name_on_the_page():
    told = section(FILTERS, "One of several: `latest_per`, `one_per`")
    assert [name for name in groups._FIELDS if f"`{name}`" not in told] == []


def test_every_layout_has_an_entry_with_its_template():
    told = rows(section(NAMES, "Layouts"))
    assert set(told) == set(LAYOUTS)
    for name, template in LAYOUTS.items():
        assert name in {"openeo", "advertised", "flat"} or told[name][0].strip("`") == template


def test_every_field_of_a_template_has_an_entry():
    assert {field.strip("{}") for field in rows(section(NAMES, "Templates"))} == {*_KNOWN, *_DATES}


def test_limits_are_those_of_the_code():
    assert f"more than {MAX_SEGMENT} bytes" in NAMES
    assert f"more than {MAX_PATH} bytes" in NAMES
