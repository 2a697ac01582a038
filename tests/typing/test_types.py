"""The public API has types that mypy and pyright understand alike, and both find what plugin authors get wrong."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import splashdown
from splashdown import events, protocols, specs, testing

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FILES = [HERE / f"{name}.py" for name in ("public_api", "mistakes", "unmarked")]
CHECKERS = {
    "mypy": ("mypy", "--strict", "--warn-unused-ignores", *FILES),
    "pyright": ("pyright", "--pythonpath", sys.executable, "-p", HERE),
}


@pytest.mark.parametrize("checker", CHECKERS)
def test_the_checker_finds_what_is_not_marked_and_nothing_else(checker):
    name, *arguments = CHECKERS[checker]
    quiet = {"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}  # it would tell of newer versions
    done = subprocess.run(
        [Path(sys.executable).with_name(name), *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **quiet},
        timeout=110,
    )
    errors = re.findall(r"(\w+\.py):(\d+):.*\berror\b", done.stdout)
    assert (errors, done.returncode) == ([("unmarked.py", "12")], 1), done.stdout + done.stderr


def _public() -> set[str]:
    """All names of the public API that a type may be about."""
    seams = {name for name, value in vars(protocols).items() if isinstance(value, type) and _is_from(value, protocols)}
    kinds = {name for name, value in vars(specs).items() if isinstance(value, type) and _is_from(value, specs)}
    told = {name for name, value in vars(events).items() if isinstance(value, type) and _is_from(value, events)}
    return {*splashdown.__all__, *testing.__all__, *seams, *kinds, *told}


def _is_from(value: type, module: object) -> bool:
    return value.__module__ == module.__name__


def test_the_whole_public_api_is_used():
    tree = ast.parse(FILES[0].read_text())
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    used |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert _public() - used == set()
