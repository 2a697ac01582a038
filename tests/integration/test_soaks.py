"""The scripts of ``tests/soak`` in their short form; ``nox -s soak`` takes as many rounds as a release deserves."""

import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[1] / "soak"


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["disk", "s3"])
@pytest.mark.parametrize("words", [["kills.py", "--kills", "4", "--no-wait"], ["writers.py", "--rounds", "3"]])
def test_nothing_is_wrong_after_a_few_rounds(kind, words):
    script, *rest = words
    done = subprocess.run([sys.executable, str(SOAK / script), *rest, "--only", kind], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
