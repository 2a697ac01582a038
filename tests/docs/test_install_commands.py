"""Every ``pip install`` in the documentation works in a checkout: nothing is on an index yet."""

from __future__ import annotations

import re
import shlex
import tomllib

import pytest
from doc_pages import ROOT, Page, more_pages, pages

COMMAND = re.compile(r"pip install ([^`\n#&]+)")
PATH = re.compile(r"(\.|\./plugins/splashdown-[\w-]+)(?:\[([\w,]+)\])?")


def wanted(page: Page) -> list[str]:
    """What the commands of the page install of this project; ``NAME`` stands for any plugin."""
    arguments = [argument for command in COMMAND.findall(page.text) for argument in shlex.split(command)]
    return [one for one in arguments if re.match(r"\.$|\.\[|\./|splashdown", one) and one != "./plugins/NAME"]


def problem(argument: str) -> str:
    """Why pip cannot install this in a checkout; empty if it can."""
    match = PATH.fullmatch(argument)
    if match is None:
        return "is not a path in the checkout"
    project = ROOT / match[1] / "pyproject.toml"
    if not project.is_file():
        return "is not a package"
    extras = tomllib.loads(project.read_text())["project"].get("optional-dependencies", {})
    missing = set(filter(None, (match[2] or "").split(","))) - set(extras)
    return f"has no extra {', '.join(sorted(missing))}" if missing else ""


@pytest.mark.parametrize(
    "page", [page for page in (*pages(), *more_pages()) if wanted(page)], ids=lambda page: page.name
)
def test_each_install_command_works_in_a_checkout(page):
    assert {one: problem(one) for one in wanted(page) if problem(one)} == {}


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        (".", ""),
        (".[geoparquet]", ""),
        ("./plugins/splashdown-s3[crt]", ""),
        ("splashdown-s3", "is not a path in the checkout"),
        ("splashdown[filters]", "is not a path in the checkout"),
        ("./plugins/splashdown-s4", "is not a package"),
        ("./plugins/splashdown-s3[gdal]", "has no extra gdal"),
    ],
)
def test_an_argument_that_pip_cannot_install_is_found(argument, expected):
    assert problem(argument) == expected
