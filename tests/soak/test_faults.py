"""The soak in its short form: `python tests/soak/faults.py` does the same with 100,000 files."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_two_thousand_files_land_through_every_kind_of_fault():
    script = Path(__file__).with_name("faults.py")
    run = subprocess.run([sys.executable, script, "--files", "2000"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert json.loads(run.stdout)["landed"] == 2000
