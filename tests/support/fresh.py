"""A user's machine: an empty folder, an environment of its own, and this checkout's Splashdown as the one to install."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


def build_wheel(folder: Path, project: Path = ROOT) -> Path:
    """The wheel of a project of this checkout."""
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--wheel-dir", str(folder), str(project)]
    subprocess.run(command, check=True)
    name = project.name.replace("-", "_") if project != ROOT else "splashdown"
    return next(folder.glob(f"{name}-*.whl"))


@dataclass(frozen=True, slots=True)
class FreshFolder:
    """Runs shell commands in ``path`` as a user types them; pip takes ``splashdown`` from ``wheel`` alone."""

    path: Path
    wheel: Path

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script, which ends at the first command that fails."""
        constraint = self.path / "constraint.txt"
        constraint.write_text(f"splashdown @ {self.wheel.as_uri()}\n")
        kept = {name: os.environ[name] for name in os.environ if not name.startswith(("PYTHON", "PIP_CONS", "VIRTUAL"))}
        # A name that no other test and no configuration of this machine knows anything about.
        kept |= {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}",
            "HOME": str(self.path),
            "PIP_CONSTRAINT": str(constraint),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_CACHE_DIR": _pip_cache(),
            "PIP_NO_COMPILE": "1",  # each file is run once or twice
            "COLUMNS": "200",
        }
        return subprocess.run(["bash", "-ec", script], cwd=self.path, env=kept, capture_output=True, text=True)


def _pip_cache() -> str:
    done = subprocess.run([sys.executable, "-m", "pip", "cache", "dir"], capture_output=True, text=True, check=True)
    return done.stdout.strip()
