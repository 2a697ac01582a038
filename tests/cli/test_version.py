"""`splashdown --version` answers at once and imports nothing heavy."""

import subprocess
import sys
import time

import pytest

from splashdown import __version__


def test_version_is_printed(splashdown_command):
    result = splashdown_command("--version")
    assert result.returncode == 0
    assert __version__ in result.stdout


def test_version_answers_in_under_a_fifth_of_a_second(splashdown_command):
    times = []
    for _ in range(5):
        start = time.perf_counter()
        splashdown_command("--version")
        times.append(time.perf_counter() - start)
    # The best of five: the machine that runs the tests may be busy, the command may not.
    assert min(times) < 0.2


@pytest.mark.parametrize("module", ["boto3", "rasterio", "pystac", "requests", "rich", "pluggy"])
def test_version_does_not_import(module):
    code = (
        f"import sys; from splashdown._cli.main import main; main(['--version']); sys.exit({module!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
