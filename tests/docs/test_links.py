"""Links between pages lead to files and headings that exist."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from doc_pages import ROOT, Page, more_pages, pages

#: Pages that are linked to and still have to be written.
AWAITED = {
    "docs/how-to/store-anywhere.md",
    "docs/how-to/stac.md",
    "docs/how-to/s3.md",
    "docs/how-to/choose-assets.md",
    "docs/explanation/engine.md",
    "docs/explanation/performance.md",
}


@pytest.mark.parametrize("page", [*pages(), *more_pages()], ids=lambda page: page.name)
def test_relative_links_lead_somewhere(page: Page):
    broken = {link: problem for link in page.links if (problem := _problem(page, link))}
    assert broken == {}


def _problem(page: Page, link: str) -> str:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return ""
    path = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
    name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else ""
    if name in AWAITED and not path.exists():
        return ""
    if not path.exists():
        return "no such file"
    if parts.fragment and parts.fragment not in Page(path=path).anchors:
        return "no such heading"
    return ""


def test_absolute_links_are_https():
    plain = [link for page in [*pages(), *more_pages()] for link in page.links if link.startswith("http://")]
    assert plain == []
