"""Build the documentation site into a folder; warnings are errors. Run by ``nox -s site``."""

from __future__ import annotations

import sys
from pathlib import Path

from sphinx.cmd.build import main as sphinx
from stage import ROOT, stage


def main(out: Path) -> int:
    """Stage the pages, and make HTML of them."""
    pages = ROOT / ".cache" / "site"
    stage(pages)
    here = str(Path(__file__).parent)
    strict = ("-q", "-W", "--keep-going", "-E", "-j", "auto")
    return sphinx([*strict, "-b", "html", "-c", here, "-d", f"{pages}-doctrees", str(pages), str(out)])


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
