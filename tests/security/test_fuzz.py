"""The short form of ``nox -s fuzz``."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).parents[1] / "fuzz" / "fuzz.py"
NO_WHEEL = sys.platform != "linux" or sys.version_info >= (3, 14)


@pytest.mark.exhaustive
@pytest.mark.skipif(NO_WHEEL, reason="atheris has no wheel for this system")
def test_fuzzing_the_parsers_for_20_seconds_finds_nothing():
    done = subprocess.run([sys.executable, FUZZ, "--minutes", "0.33"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert int(re.search(r"^(\d+) inputs, 0 findings$", done.stdout, re.MULTILINE)[1]) > 100
