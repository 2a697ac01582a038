"""JupyterLab itself: results, a download, an error and the tooltips of Shift-Tab, as a person sees them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from browser import chromium

from splashdown._demo.service import demo_service

pytestmark = [pytest.mark.needs_browser, pytest.mark.timeout(300)]

CELLS = (
    "import splashdown\nresults = splashdown.open({url!r})\nresults",
    "results.download_files('out', progress=True)",
    "results.load('thumbnail.png')",
    "splashdown.open('nowhere.json')",
    "splashdown.open(",
    "results.select(",
    "results.download_files(",
    "results.load(",
)
EXECUTED = 4
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


def settings_of(folder: Path, theme: str) -> Path:
    """User settings of JupyterLab: the theme, and no look for news, which the tests could not fetch."""
    own = folder / "settings/@jupyterlab/apputils-extension"
    own.mkdir(parents=True)
    (own / "themes.jupyterlab-settings").write_text(json.dumps({"theme": THEMES[theme]}))
    (own / "notification.jupyterlab-settings").write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
    return folder / "settings"


@pytest.fixture(scope="module")
def job_url():
    with demo_service() as service:
        yield service.job_url


@pytest.fixture(scope="module")
def browser():
    with chromium() as program:
        yield program


@pytest.fixture(scope="module", params=sorted(THEMES))
def notebook(request, browser, job_url, tmp_path_factory):
    """The page of a notebook whose first cells have been run."""
    folder = tmp_path_factory.mktemp("lab")
    cells = [nbformat.v4.new_code_cell(source.format(url=job_url)) for source in CELLS]
    kernel = {"name": "python3", "display_name": "Python 3"}
    (folder / "work").mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), folder / "work/n.ipynb")
    names = {"JUPYTERLAB_WORKSPACES_DIR": "workspaces", "JUPYTER_CONFIG_DIR": "config", "IPYTHONDIR": "ipython"}
    own = {name: str(folder / place) for name, place in names.items()}
    own |= {"JUPYTERLAB_SETTINGS_DIR": str(settings_of(folder, request.param))}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", "--port=0", "--allow-root"]
    command += ["--IdentityProvider.token=", f"--ServerApp.root_dir={folder / 'work'}"]
    with (
        (folder / "log").open("w+") as log,
        subprocess.Popen(command, env=os.environ | own, stdout=log, stderr=log) as lab,
    ):
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 2000})
            page.goto(f"{address(folder / 'log')}/lab/tree/n.ipynb?reset")
            run(page)
            yield page
        finally:
            lab.kill()  # the kernel sees that its parent is gone, and ends too


def address(log: Path) -> str:
    """Where the server listens, once it says so."""
    for _ in range(600):
        if found := re.search(r"http://127\.0\.0\.1:\d+(?=/lab)", log.read_text()):
            return found[0]
        time.sleep(0.1)
    pytest.fail(log.read_text())


def run(page) -> None:
    """Run the first cells, one by one; a kernel that is still being connected takes no notice, so ask again."""
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    for number in range(EXECUTED):
        cell = cells.nth(number)
        for _ in range(20):
            cell.locator(".cm-content").click()
            page.keyboard.press("Control+Enter")
            try:
                cell.locator(".jp-InputPrompt", has_text=re.compile(r"\[\d+\]")).wait_for(timeout=5_000)
            except Exception:
                continue
            break
        else:
            pytest.fail(f"cell {number} was not run")


def cell(page, number):
    return page.locator(".jp-Notebook .jp-CodeCell").nth(number)


def test_the_table_of_results_breaks_no_date_and_no_size(notebook):
    table = cell(notebook, 0).locator(".splashdown-table table")
    assert table.locator("tbody tr").count() == 4
    heights = table.evaluate("each => [...each.tBodies[0].rows].map(row => row.offsetHeight)")
    assert max(heights) < 1.5 * min(heights)
    assert table.evaluate("each => getComputedStyle(each.tBodies[0].rows[0].cells[0]).textAlign") == "left"


def test_the_table_is_legible_in_the_theme_of_the_page(notebook):
    light = "each => getComputedStyle(each).color.match(/[0-9]+/g).slice(0, 3).reduce((a, b) => a + +b, 0) > 384"
    dark_page = notebook.evaluate("document.body.dataset.jpThemeLight") == "false"
    assert cell(notebook, 0).locator(".splashdown-table td").first.evaluate(light) == dark_page


def test_a_download_shows_its_progress_and_its_report(notebook):
    shown = cell(notebook, 1).locator(".jp-OutputArea").inner_text()
    assert "4 of 4 files" in shown
    assert "run to out: 4 of 4 files" in shown
    assert cell(notebook, 2).locator("img").bounding_box()["width"] > 50


def test_an_error_is_a_few_lines_and_names_the_next_step(notebook):
    shown = cell(notebook, 3).locator(".jp-OutputArea").inner_text().strip().splitlines()
    assert len(shown) < 8
    assert "nowhere.json does not exist; check the path" in shown[-1]


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (4, ["source:", "bbox:", "URL of an openEO job"]),
        (5, ["keys=", "cql2=", "media types"]),
        (6, ["if_exists:", "progress:", "Save all assets"]),
        (7, ["loader:", "max_bytes=", "encoding="]),
    ],
)
def test_shift_tab_shows_real_options_and_what_they_mean(notebook, number, said):
    cell(notebook, number).locator(".cm-content").click()
    notebook.keyboard.press("End")
    notebook.keyboard.press("Shift+Tab")
    tip = notebook.locator(".jp-Tooltip")
    tip.wait_for(timeout=20_000)
    shown = tip.inner_text()
    notebook.keyboard.press("Escape")
    tip.wait_for(state="detached", timeout=20_000)
    assert [words for words in said if words not in shown] == []
