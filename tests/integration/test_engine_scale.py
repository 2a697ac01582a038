"""Very many small files in one run: memory that is bounded, time that grows with the number and no faster."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SUPPORT = Path(__file__).parents[1] / "support"


def run(script, *arguments):
    command = [sys.executable, str(SUPPORT / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=True)
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_hundred_thousand_assets_stay_below_150_mb_and_the_last_take_no_longer_than_the_first(tmp_path):
    said = run("many.py", 100_000, tmp_path)
    assert said["stored"] == 100_000
    assert said["peak"] < 150_000_000
    # Seconds of processor time for each tenth of the run. Other processes make each of them dearer, but not three times
    # as dear, as the second half is where the time grows with the square of the number.
    tenths = said["tenths"]
    assert sum(tenths[5:]) < 2 * sum(tenths[:5])


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["items", "collection"])
def test_a_whole_download_grows_so_that_a_hundred_thousand_assets_stay_below_150_mb(tmp_path, kind):
    few, many = 4_000, 20_000
    peaks = {}
    for count in (few, many):
        folder = tmp_path / str(count)
        folder.mkdir()
        said = run("whole.py", kind, count, folder)
        assert said["paths"] == count + 1
        peaks[count] = said["peak"]
    an_asset = (peaks[many] - peaks[few]) / (many - few)
    assert peaks[many] + an_asset * (100_000 - many) < 150_000_000
