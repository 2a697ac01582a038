"""The page in a browser: searching, sorting, choosing, with the keyboard, on a phone, in the dark."""

from __future__ import annotations

import re

import pytest
from browser import Tab, chromium
from report_pages import many

pytestmark = pytest.mark.needs_browser


@pytest.fixture(scope="module")
def browser():
    with chromium() as program:
        yield program


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for count in (1, 50, 5000):
        (folder / f"{count}.html").write_text(many(count))
    return folder


@pytest.fixture
def tab(browser, files):
    tab = Tab(browser, files / "50.html")
    yield tab
    assert tab.complaints == []
    assert len(tab.asked) == 1
    tab.context.close()


def names(tab):
    return tab.page.locator("#rows td.name").all_inner_texts()


@pytest.mark.parametrize("count", [1, 50, 5000])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_the_page_fits_and_can_be_used_by_everyone(browser, files, count, width, scheme):
    tab = Tab(browser, files / f"{count}.html", width=width, scheme=scheme)
    tab.page.wait_for_selector("#rows tr")
    assert tab.violations() == []
    assert not tab.too_wide
    assert tab.complaints == []
    assert tab.asked == [(files / f"{count}.html").as_uri()]
    tab.context.close()


def test_a_search_shows_the_files_that_have_all_its_words(tab):
    tab.page.fill("#search", "changed s2a")
    assert tab.page.inner_text("#count").startswith("3 of 50 files")
    assert set(tab.page.locator("#rows span").all_inner_texts()) == {"changed"}
    tab.page.keyboard.press("Escape")
    assert len(names(tab)) == 50


def test_the_keyboard_reaches_the_search_and_sorts(tab):
    tab.page.keyboard.press("/")
    tab.page.keyboard.type("T00007")
    assert len(names(tab)) == 1
    tab.page.keyboard.press("Escape")
    button = tab.page.get_by_role("button", name="Size")
    button.focus()
    tab.page.keyboard.press("Enter")
    assert tab.page.locator("th[aria-sort=ascending]").inner_text().startswith("Size")
    rising = names(tab)
    tab.page.keyboard.press("Enter")
    assert names(tab) == rising[::-1] != sorted(rising)


def test_a_state_a_month_and_a_place_choose_files(tab):
    tab.page.get_by_role("button", name="missing").click()
    chosen = len(names(tab))
    assert 0 < chosen < 50
    tab.page.get_by_role("button", name="Show all").click()
    month = tab.page.locator("#times button").first
    said = month.get_attribute("aria-label")
    month.click()
    assert tab.page.inner_text("#count").startswith(f"{said.partition(': ')[2].split()[0]} of 50 files")
    tab.page.get_by_role("button", name="Show all").click()
    outline = re.findall(r"[\d.]+", tab.page.locator(".map .shapes").get_attribute("d").partition("Z")[0])
    x, y = (sum(map(float, outline[n::2])) / 4 for n in (0, 1))
    tab.page.locator(".map svg").click(position={"x": x, "y": y})
    assert 0 < len(names(tab)) < 50
    assert tab.page.locator(".map .picked").get_attribute("d")


def test_a_long_table_grows_on_request(browser, files):
    tab = Tab(browser, files / "5000.html")
    assert len(names(tab)) == 100
    tab.page.get_by_role("button", name="Show 100 more of 4,900").click()
    assert len(names(tab)) == 200
    tab.context.close()
