"""What holds for every test of the core and of the plugins."""

from __future__ import annotations

import compileall
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from interrupts import allow_interrupts

pytest_plugins = ["shared_servers", "no_network", "pytester"]

allow_interrupts()

# Slowness of the machine is not a defect of what is tested. Each run tries the same examples: what a new one finds is
# to be seen by who looks for it, with --exhaustive.
settings.register_profile(
    "same", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True, database=None
)
settings.register_profile("exhaustive", settings.get_profile("same"), derandomize=False, max_examples=2000)
settings.load_profile("same")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Tests of hostile input try a part of what they could, unless asked."""
    parser.addoption("--exhaustive", action="store_true", help="try everything, and at random: it takes long")


def pytest_configure(config: pytest.Config) -> None:
    """Choose where runs remember what failed, and how many examples Hypothesis tries."""
    os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="splashdown-state-")  # what runs remember is not the user's
    if not hasattr(config, "workerinput"):
        _compile(config.rootpath)
    if config.option.exhaustive:
        settings.load_profile("exhaustive")


def _compile(checkout: Path) -> None:
    """Compile the packages as an installer does: under PYTHONDONTWRITEBYTECODE each command would compile them."""
    for folder in (checkout / "src", *checkout.glob("plugins/*/src")):
        compileall.compile_dir(folder, quiet=2)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Up to four processes for whole folders. For files one: it starts sooner, and what is printed can be seen.

    One more than there are processors: many tests wait for a server, a clock or another process.
    """
    folders = any(Path(argument).is_dir() for argument in config.args)
    return min((os.cpu_count() or 1) + 1, 4) if folders and config.option.capture != "no" else 0


def pytest_unconfigure() -> None:
    """Remove what runs have remembered."""
    shutil.rmtree(os.environ["XDG_STATE_HOME"], ignore_errors=True)
