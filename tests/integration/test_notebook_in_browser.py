"""The tables of a notebook in a browser: they sort, fold and fit a dark page, and ask no server for anything."""

from __future__ import annotations

import json

import pytest
from browser import Tab, chromium

import splashdown

pytestmark = pytest.mark.needs_browser

#: As notebooks style what is below them; the results have to look the same in spite of it.
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Notebook</title><style>
body {{ background: {back}; color: {ink}; font: 14px sans-serif }}
.out table {{ margin: auto }} .out td, .out th {{ text-align: right; white-space: nowrap }}
</style><main><h1>Notebook</h1><div class="out">{shown}</div></main></html>"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    assets = {
        f"B{number:02}": {"href": f"./{number}.tif", "type": "image/tiff", "file:size": (number * 7 % 40 + 1) * 1000}
        for number in range(40)
    }
    item = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": "i",
        "bbox": [3, 50, 4, 51],
        "geometry": None,
        "properties": {"datetime": "2023-06-01T00:00:00Z"},
        "links": [],
        "assets": assets,
    }
    (folder / "item.json").write_text(json.dumps(item))
    return splashdown.open(str(folder / "item.json"))._repr_html_()


@pytest.fixture(scope="module")
def browser():
    with chromium() as program:
        yield program


@pytest.fixture(params=[("#fff", "#222"), ("#111", "#ddd")], ids=["light", "dark"])
def tab(browser, shown, tmp_path, request):
    back, ink = request.param
    (tmp_path / "page.html").write_text(PAGE.format(back=back, ink=ink, shown=shown))
    tab = Tab(browser, tmp_path / "page.html")
    yield tab
    assert tab.complaints == []
    assert len(tab.asked) == 1
    tab.context.close()


def seen(tab, column):
    cells = tab.page.locator(f".splashdown-table tbody tr td:nth-child({column})").all()
    return [cell.inner_text() for cell in cells if cell.is_visible()]


def test_a_table_unfolds_and_sorts_by_number(tab):
    assert seen(tab, 2) == [f"B{number:02}" for number in range(12)]
    tab.page.get_by_role("button", name="size").click()
    assert seen(tab, 5)[:3] == ["1000 B", "2.0 KiB", "2.9 KiB"]
    tab.page.get_by_role("button", name="size").click()
    assert seen(tab, 5)[0] == "39.1 KiB"
    tab.page.get_by_text("28 more rows").click()
    assert len(seen(tab, 2)) == 40


def test_it_reads_from_left_to_right_and_for_everyone(tab):
    cell = tab.page.locator(".splashdown-table td").first
    assert cell.evaluate("each => getComputedStyle(each).textAlign") == "left"
    assert tab.page.locator(".splashdown-table table").bounding_box()["x"] < 20
    assert tab.violations() == []
