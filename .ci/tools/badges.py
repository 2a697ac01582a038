"""Draw the badges of the README from pyproject.toml, without a service; run by ``nox -s badges``. Needs anybadge."""

from __future__ import annotations

import sys
from pathlib import Path

from anybadge import Badge
from projects import CORE, PLUGINS

BLUE, GREEN = "#1f6feb", "#2da44e"


def badges() -> dict[str, Badge]:
    """The badges by the name of their file. Each states what a file of the checkout says."""
    pythons = [line.rpartition(" ")[2] for line in CORE.metadata["classifiers"] if "Python :: 3." in line]
    return {
        "python": Badge("python", f"{pythons[0]} - {pythons[-1]}", default_color=BLUE),
        "licence": Badge("licence", CORE.metadata["license"], default_color=BLUE),
        "types": Badge("types", "mypy --strict", default_color=GREEN),
        "plugins": Badge("plugins", str(len(PLUGINS)), default_color=GREEN),
    }


def main(folder: Path) -> None:
    """Write an SVG for each."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, badge in badges().items():
        svg = "\n".join(line.rstrip() for line in badge.badge_svg_text.splitlines()) + "\n"
        (folder / f"{name}.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
