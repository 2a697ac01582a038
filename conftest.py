"""What holds for every test of the core and of the plugins."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from interrupts import allow_interrupts

pytest_plugins = ["shared_servers"]

allow_interrupts()

# Slowness of the machine is not a defect of what is tested.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Up to four processes for whole folders. For files one: it starts sooner, and what is printed can be seen."""
    folders = any(Path(argument).is_dir() for argument in config.args)
    return min(os.cpu_count() or 1, 4) if folders and config.option.capture != "no" else 0
