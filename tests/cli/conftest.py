"""The command line as a user runs it, and the small back-end that `splashdown demo` starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from splashdown._demo.service import demo_service


@pytest.fixture
def splashdown_command():
    """Run the installed command; returns the finished process with its output as text."""
    program = Path(sys.executable).with_name("splashdown")

    def run(*arguments, env=None, stdin=None, cwd=None):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SPLASHDOWN_")}
        return subprocess.run(
            [str(program), *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=60,
            env={**environment, "NO_COLOR": "1", **(env or {})},
            input=stdin,
            cwd=cwd,
        )

    return run


@pytest.fixture
def demo_job():
    """The URL of the demo's finished job."""
    with demo_service() as service:
        yield service.job_url
