"""The interface of Snakemake's plugins imports Snakemake's logger, and nothing else of it."""

from __future__ import annotations

import importlib.util
import logging
import sys
from types import ModuleType

if importlib.util.find_spec("snakemake") is None:
    sys.modules["snakemake"] = ModuleType("snakemake")
    sys.modules["snakemake.logging"] = ModuleType("snakemake.logging")
    sys.modules["snakemake.logging"].logger = logging.getLogger("snakemake")
