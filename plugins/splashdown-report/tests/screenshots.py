"""Screenshots of the page, to be looked at: ``python plugins/splashdown-report/tests/screenshots.py FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tests" / "support"))

from browser import Tab, chromium
from report_pages import many

SIZES = {"desk": (1280, 900), "phone": (390, 844)}


def main(folder: Path) -> None:
    """A page of 1, 50 and 5,000 files, on a desk and on a phone, light and dark."""
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for count in (1, 50, 5000):
            page = folder / f"{count}.html"
            page.write_text(many(count), encoding="utf-8")
            for place, (width, height) in SIZES.items():
                for scheme in ("light", "dark"):
                    tab = Tab(browser, page, width=width, height=height, scheme=scheme)
                    tab.page.wait_for_selector("#rows tr")
                    tab.page.screenshot(path=folder / f"{count}-{place}-{scheme}.png")
                    tab.context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
