"""A user's machine: an empty folder, an environment of its own, and this checkout's Splashdown as the one to install."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from own_environment import make_borrowing

ROOT = Path(__file__).parents[2]


def build_wheel(folder: Path) -> Path:
    """The wheel of this checkout."""
    _pip("wheel", "-q", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT))
    return next(folder.glob("splashdown-*.whl"))


@dataclass(frozen=True, slots=True)
class FreshFolder:
    """Runs shell commands in ``path`` as a user types them."""

    path: Path

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script, which ends at the first command that fails."""
        kept = {name: os.environ[name] for name in os.environ if not name.startswith(("PYTHON", "PIP_CONS", "VIRTUAL"))}
        kept |= {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}",
            "HOME": str(self.path),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_CACHE_DIR": _pip("cache", "dir").strip(),
            "PIP_NO_COMPILE": "1",  # each file is run once or twice
            "COLUMNS": "200",
        }
        return subprocess.run(["bash", "-ec", script], cwd=self.path, env=kept, capture_output=True, text=True)

    def install(self, wheel: Path, *projects: Path) -> None:
        """Make ``.venv`` and install Splashdown's ``wheel`` and these projects there, by pip and for real.

        What they need besides is borrowed from the environment that the tests run in, because a dozen packages take
        pip a minute.
        """
        home = self.path / ".venv"
        make_borrowing(home)
        _pip(
            "--python", str(home / "bin/python"), "install", "-q", "--no-deps", "--no-build-isolation", "--no-compile",
            str(wheel), *map(str, projects),
        )  # fmt: skip


def _pip(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", "pip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
