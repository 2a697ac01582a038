"""Run the code of the pages for users of other programs, with those programs; run by ``nox -s peers``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import splashdown
from splashdown._demo import demo_service

PAGES = Path(__file__).parents[2] / "docs" / "coming-from"
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def main() -> None:
    """Each page whose code is not part of the tests, from top to bottom, on the job of the demo."""
    for page in sorted(PAGES.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        if "nox -s peers" not in text:
            continue
        os.chdir(tempfile.mkdtemp())
        with demo_service() as demo:
            root = splashdown.open(demo.job_url).download_collection(".")
        Path(root).rename("collection.json")
        subprocess.run([sys.executable, "-c", "\n".join(_BLOCK.findall(text))], check=True)
        print(f"{page.name}: its code runs")


if __name__ == "__main__":
    main()
