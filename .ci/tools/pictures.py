"""Draw the output of real commands as SVG pictures of a terminal; run by ``nox -s pictures``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

WIDTH = 92
#: The pictures: name, title, and the commands that are typed in one folder, in this order.
PICTURES = {
    "demo": ("splashdown demo", ["splashdown demo"]),
    "verify": (
        "list, choose, verify",
        [
            "splashdown ls splashdown-demo/job-results.json --type image/tiff",
            "splashdown download splashdown-demo/job-results.json copy --include '*.json' --dry-run",
            "splashdown verify splashdown-demo",
        ],
    ),
}
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def output(command: str, folder: Path) -> str:
    """Run a command, on a terminal as wide as the picture."""
    home = {"HOME": str(folder), "COLUMNS": str(WIDTH), "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPLASHDOWN_", "XDG_"))}
    done = subprocess.run(
        ["bash", "-c", f"{command} 2>&1"], cwd=folder, env=kept | home | {"PATH": path}, capture_output=True, check=True
    )
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8080", done.stdout.decode())  # the port is another one each time


def draw(title: str, commands: list[str], folder: Path) -> str:
    """The picture. It names no font of the web: a page that shows it fetches nothing else."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True, color_system="truecolor")
        for command in commands:
            console.print(Text(f"$ {command}", style="bold green"), soft_wrap=True)
            lines = [line.rstrip() for line in output(command, folder).splitlines()]
            console.print(Text.from_ansi("\n".join(line for line in lines if line)), end="\n\n")
        svg = console.export_svg(title=title, theme=DIMMED_MONOKAI, unique_id=title.split(maxsplit=1)[0].strip(","))
    svg = _FONTS.sub("", svg).replace("Fira Code, monospace", "monospace")
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def main(out: Path) -> None:
    """Write all pictures."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        for name, (title, commands) in PICTURES.items():
            (out / f"{name}.svg").write_text(draw(title, commands, Path(made)), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
