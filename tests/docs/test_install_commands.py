"""Every ``pip install`` in the documentation works in a checkout, or with its wheels: nothing is on an index yet."""

from __future__ import annotations

import itertools
import re
import shlex
import tomllib

import pytest
from doc_pages import ROOT, Page, more_pages, pages

import splashdown

COMMAND = re.compile(r"pip install ([^`\n#&]+)")
PATH = re.compile(r"(\.|\./plugins/s(?:plashdown|nakemake)-[\w-]+)(?:\[([\w,]+)\])?")


def wanted(page: Page) -> list[str]:
    """What the commands of the page install of this project, and by which options; ``NAME`` stands for any plugin."""
    found = []
    for command in COMMAND.findall(page.text):
        words = shlex.split(command)
        options = [one for pair in itertools.pairwise(words) if pair[0] in {"-c", "--find-links"} for one in pair]
        own = [one for one in words if re.match(r"\.$|\.\[|\./|splashdown", one) and one != "./plugins/NAME"]
        found += [shlex.join([*options, one]) for one in own]
    return found


def problem(command: str) -> str:
    """Why pip cannot install this in a checkout; empty if it can."""
    *options, argument = shlex.split(command)
    if options == ["--find-links", "dist"]:  # the wheels of this checkout, none of an index
        argument, separator, version = argument.partition("==")
        if (separator, version) != ("==", splashdown.__version__):
            return "may take another version from an index"
        argument = re.sub("^splashdown", ".", argument)
    match = PATH.fullmatch(argument)
    if match is None:
        return "is not a path in the checkout"
    project = ROOT / match[1] / "pyproject.toml"
    if not project.is_file():
        return "is not a package"
    extras = tomllib.loads(project.read_text())["project"].get("optional-dependencies", {})
    chosen = set(filter(None, (match[2] or "").split(",")))
    missing = chosen - set(extras)
    siblings = "splashdown-" in str([extras[one] for one in chosen - missing]) or "all" in chosen
    if match[1] == "." and siblings and options not in (["-c", "plugins/checkout.txt"], ["--find-links", "dist"]):
        return "takes plugins from an index; add -c plugins/checkout.txt"
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
        ("-c plugins/checkout.txt .[s3,all]", ""),
        (".[s3]", "takes plugins from an index; add -c plugins/checkout.txt"),
        (f"--find-links dist splashdown[s3]=={splashdown.__version__}", ""),
        ("--find-links dist splashdown[s3]", "may take another version from an index"),
        ("-c plugins/checkout.txt splashdown[s3]", "is not a path in the checkout"),
        ("./plugins/splashdown-s3[crt]", ""),
        ("splashdown-s3", "is not a path in the checkout"),
        ("splashdown[filters]", "is not a path in the checkout"),
        ("./plugins/splashdown-s4", "is not a package"),
        ("./plugins/splashdown-s3[gdal]", "has no extra gdal"),
    ],
)
def test_an_argument_that_pip_cannot_install_is_found(argument, expected):
    assert problem(argument) == expected


#: What a reader types that works in a checkout alone.
IN_A_CHECKOUT = re.compile(
    r"pip install [^`\n#]*\.(?:/|\[)|copier copy plugins/|python (?:plugins|tests)/|^\.venv/bin/nox", re.MULTILINE
)
READMES = [page for page in more_pages() if page.name.endswith("README.md")]


def unsaid(text: str) -> str:
    """The first command that needs a checkout, where nothing above it, or just below, says so."""
    found = IN_A_CHECKOUT.search(text)
    if found is None:
        return ""
    below = text[found.start() :].splitlines()[:3]
    return "" if "checkout" in text[: found.start()] + " ".join(below) else found[0]


@pytest.mark.parametrize("page", [*pages(), *READMES], ids=lambda page: page.name)
def test_a_page_with_a_command_for_a_checkout_says_so(page):
    assert unsaid(page.text) == ""


def test_a_command_for_a_checkout_is_found():
    assert unsaid("Type `pip install './plugins/splashdown-s3'`.") == "pip install './"
    assert unsaid("In a checkout: `python tests/soak/faults.py`") == unsaid("pip install numpy") == ""
