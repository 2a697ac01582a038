"""The short form of ``nox -s fuzz``."""

import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).parents[1] / "fuzz" / "fuzz.py"


@pytest.mark.slow
def test_parsers_end_well_for_damaged_input():
    # A process of its own: the targets replace parts of the library.
    done = subprocess.run([sys.executable, FUZZ, "--inputs", "400"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2400 inputs, 0 findings" in done.stdout
