"""A hundred thousand small files in one run: memory that is bounded, time that grows with the number and no faster."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

MANY = str(Path(__file__).parents[1] / "support" / "many.py")


def run(count, tmp_path):
    done = subprocess.run(
        [sys.executable, MANY, str(count), str(tmp_path)], capture_output=True, text=True, timeout=500, check=True
    )
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_hundred_thousand_assets_stay_below_150_mb_and_the_last_take_no_longer_than_the_first(tmp_path):
    said = run(100_000, tmp_path)
    assert said["stored"] == 100_000
    assert said["peak"] < 150_000_000
    # Seconds of processor time for each tenth of the run; other processes of the machine do not count.
    tenths = said["tenths"]
    assert sum(tenths[5:]) < 1.5 * sum(tenths[:5])
