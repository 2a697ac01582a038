"""Build an sdist and a wheel of the core and of each plugin into a folder, and check them; run by ``nox -s wheels``.

The wheel is made from the sdist, so an sdist that lacks a file is found. Needs build, hatchling, twine and
check-wheel-contents in the environment that runs it.
"""

from __future__ import annotations

import email
import hashlib
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from projects import COMPANIONS, CORE, PLUGINS, Project

#: Fields that a reader of an index needs.
FIELDS = ("Summary", "Author", "License-Expression", "License-File", "Requires-Python", "Description-Content-Type")


def build(project: Project, folder: Path) -> None:
    """Make the sdist, and the wheel from it. The build backend is the installed one."""
    _python("build", "--no-isolation", "--outdir", str(folder), str(project.path))


def problems(project: Project, folder: Path) -> list[str]:
    """What a wheel lacks of types, licence, metadata and entry points, one line each."""
    wheel = next(folder.glob(f"{project.package}-*.whl"))
    found = []
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        home = next(name for name in names if name.endswith(".dist-info/METADATA")).rpartition("/")[0]
        metadata = email.message_from_bytes(archive.read(f"{home}/METADATA"))
        found += [f"no {field} in its metadata" for field in FIELDS if not metadata.get(field)]
        if f"{project.package}/py.typed" not in names:
            found.append("no py.typed, so its types are not used")
        licences = [archive.read(name) for name in names if name.startswith(f"{home}/licenses/")]
        if licences != [(CORE.path / "LICENSE").read_bytes()]:
            found.append("without the text of the licence")
        if f"{home}/entry_points.txt" not in names and project not in COMPANIONS:  # those are found by their names
            found.append("without entry points, so nothing of it is found")
        found += [f"{name} is not of the package" for name in names if name.startswith(("tests/", "docs/"))]
    return [f"{wheel.name}: {line}" for line in found]


def main(folder: Path) -> None:
    """Build and check everything; end with exit code 1 when something is wrong."""
    shutil.rmtree(folder, ignore_errors=True)
    projects = [CORE, *PLUGINS, *COMPANIONS]
    for project in projects:
        build(project, folder)
    files = sorted(path for path in folder.iterdir() if path.suffix in {".whl", ".gz"})
    _python("twine", "check", "--strict", *map(str, files))
    subprocess.run(["check-wheel-contents", *[str(path) for path in files if path.suffix == ".whl"]], check=True)
    wrong = [line for project in projects for line in problems(project, folder)]
    if len(files) != 2 * len(projects):
        wrong.append(f"{len(files)} files for {len(projects)} distributions")
    if wrong:
        sys.exit("\n".join(wrong))
    sums = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)
    (folder / "SHA256SUMS").write_text(sums, encoding="utf-8")
    print(f"{len(files)} files in {folder}")


def _python(module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", module, *arguments], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
