"""Links between pages lead to files and headings that exist."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from doc_pages import Page, more_pages, pages


@pytest.mark.parametrize("page", [*pages(), *more_pages()], ids=lambda page: page.name)
def test_relative_links_lead_somewhere(page: Page):
    broken = {link: problem for link in page.links if (problem := _problem(page, link))}
    assert broken == {}


def _problem(page: Page, link: str) -> str:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return ""
    path = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
    if not path.exists():
        return "no such file"
    if parts.fragment and parts.fragment not in Page(path=path).anchors:
        return "no such heading"
    return ""


def test_absolute_links_are_https():
    plain = [link for page in [*pages(), *more_pages()] for link in page.links if link.startswith("http://")]
    assert plain == []
