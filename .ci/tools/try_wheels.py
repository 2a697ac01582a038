"""Try what is installed, as a user would, in an empty folder; run by ``nox -s installed``.

Uses the standard library alone: a fresh environment has nothing but the wheels under test and what they need.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path


def splashdown(*arguments: str) -> str:
    """What the installed command prints; an error ends the script."""
    program = Path(sys.executable).with_name("splashdown")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("SPLASHDOWN_", "PYTHON"))}
    done = subprocess.run([program, *arguments], capture_output=True, text=True, env=clean, check=False)
    expect(done.returncode == 0, f"splashdown {' '.join(arguments)}: {done.returncode}\n{done.stderr}")
    return done.stdout


def expect(fact: bool, otherwise: str) -> None:
    """End the script with this line if something does not hold."""
    if not fact:
        sys.exit(otherwise)


def main(names: list[str]) -> None:
    """Check that these distributions are installed from wheels, found, and work."""
    os.chdir(tempfile.mkdtemp())
    for name in names:
        package = importlib.util.find_spec(name.replace("-", "_"))
        folder = Path((package and package.origin) or sys.exit(f"{name} cannot be imported")).parent
        expect("site-packages" in folder.parts, f"{name} is at {folder}, not installed from its wheel")
        expect((folder / "py.typed").is_file(), f"{name} has no py.typed")
    version = importlib.metadata.version("splashdown")
    expect(version in splashdown("--version"), f"--version does not print {version}")
    listed = json.loads(splashdown("--strict", "plugins", "list", "--json"))
    expect({one["status"] for one in listed} == {"ok"}, f"plugins that do not work: {listed}")
    found = {one["distribution"] for one in listed}
    expect(found == set(names), f"plugins of {sorted(found)}, expected {sorted(names)}")
    expect("timeseries.json" in splashdown("demo"), "the demo shows no files")
    expect(splashdown("demo").count("skipped") == 4, "the second demo fetches files again")
    checked = splashdown("verify", "splashdown-demo")
    expect("4 files as stored" in checked, f"verify: {checked}")
    print(
        f"Python {sys.version.split()[0]}: {len(names)} distributions, {len(listed)} plugins, the demo and verify work"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
