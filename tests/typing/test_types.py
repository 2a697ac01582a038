"""The public API has types that mypy and pyright understand alike, and both find what plugin authors get wrong."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import splashdown
from splashdown import events, protocols, specs, testing

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FILES = [HERE / "public_api.py", HERE / "mistakes.py"]


def check(*command: str | Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name(str(command[0]))
    quiet = {"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}  # it would tell of newer versions
    return subprocess.run(
        [program, *command[1:]], capture_output=True, text=True, cwd=ROOT, env={**os.environ, **quiet}, timeout=110
    )


def test_mypy_finds_the_mistakes_and_nothing_else():
    done = check("mypy", "--strict", "--warn-unused-ignores", *FILES)
    assert done.returncode == 0, done.stdout


def test_pyright_finds_the_mistakes_and_nothing_else():
    done = check("pyright", "--pythonpath", sys.executable, "-p", HERE)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "checker", [("mypy", "--strict"), ("pyright", "--pythonpath", sys.executable)], ids=lambda c: c[0]
)
def test_a_mistake_without_its_comment_is_reported(checker, tmp_path):
    path = tmp_path / "plugin.py"
    path.write_text("from splashdown.protocols import Sink\nclass Shelf:\n    pass\nsink: Sink = Shelf()\n")
    done = check(*checker, path)
    assert done.returncode == 1
    assert "plugin.py:4" in done.stdout


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
