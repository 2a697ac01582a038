"""The distributions of this checkout: the core and each plugin, with what their pyproject.toml says."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One folder with a pyproject.toml."""

    path: Path

    @property
    def metadata(self) -> dict[str, Any]:
        """The table ``project``."""
        return tomllib.loads((self.path / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    @property
    def name(self) -> str:
        """The name of the distribution."""
        return self.metadata["name"]

    @property
    def package(self) -> str:
        """The name to import."""
        return self.name.replace("-", "_")

    @property
    def extras(self) -> dict[str, list[str]]:
        """What may be installed with it, by name."""
        return self.metadata.get("optional-dependencies", {})


CORE = Project(path=ROOT)
#: Of other programs, which use Splashdown.
COMPANIONS = [Project(path=path.parent) for path in sorted(ROOT.glob("plugins/snakemake-*/pyproject.toml"))]
PLUGINS = [Project(path=path.parent) for path in sorted(ROOT.glob("plugins/splashdown-*/pyproject.toml"))]
