"""Write the code of each tutorial on a plugin into a module, for mypy; run by ``nox -s types``."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

PAGES = Path(__file__).parents[2] / "docs" / "tutorial"
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
#: Modules of their own, by the name that the page gives them.
_NAMED = re.compile(r"[Ss]ave this as\s`(\w+)\.py`")


def main(folder: Path) -> None:
    """One module for each page; a page that names its files has several."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for page in sorted(PAGES.glob("write-a*.md")):
        text = page.read_text(encoding="utf-8")
        blocks, names = _BLOCK.findall(text), _NAMED.findall(text)
        if names:
            for name, code in zip(names, blocks, strict=True):
                (folder / f"{name}.py").write_text(code, encoding="utf-8")
        else:
            (folder / f"{page.stem.replace('-', '_')}.py").write_text("\n\n".join(blocks), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
