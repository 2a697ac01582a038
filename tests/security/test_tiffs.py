"""A few hundred damaged TIFFs; ``mutate_tiffs.py`` beside this file reads as many thousands as one likes."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("mutate_tiffs.py")


@pytest.mark.skipif(sys.platform != "linux", reason="memory of a process is limited by what /proc says")
def test_damaged_tiffs_end_in_a_result_or_a_load_error():
    run = subprocess.run([sys.executable, SCRIPT, "--count", "400"], capture_output=True, text=True, timeout=100)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.startswith("400 TIFFs of 17 layouts")
