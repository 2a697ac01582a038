"""A notebook executed by a real kernel: results show themselves, and a download draws into its cell."""

import nbformat
import pytest
from html_pages import Page
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from splashdown._demo.service import demo_service

CELLS = """
import asyncio, splashdown
asyncio.get_running_loop()  # a kernel has one, and nothing below may mind
results = splashdown.open(URL)
results
---
results.get_assets()[0]
---
paths = results.download_files("out", progress=True)
---
results.download_files("again", progress=True, include_stac_metadata=False);
print(results.load_json("timeseries.json").keys().__len__(), "dates")
---
results.select(types="image/tiff").plan("planned")
---
results.run("verify", target="out")
---
results.load("thumbnail.png")
---
results.download_files("third")
---
from pathlib import Path
Path("again/timeseries.json").write_text("mine")
try:
    splashdown.open("out/job-results.json").download_files("again", include_stac_metadata=False)
except splashdown.DownloadError as error:
    display(error.report)
"""


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """The executed cells."""
    with demo_service() as service:
        sources = [text.strip() for text in CELLS.replace("URL", repr(service.job_url)).split("---")]
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        folder = tmp_path_factory.mktemp("notebook")
        resources = {"metadata": {"path": str(folder)}}
        try:
            NotebookClient(notebook, timeout=60, kernel_name="python3", resources=resources).execute()
        except CellExecutionError as error:  # the text alone: pytest would show the whole notebook
            pytest.fail(str(error))
        yield notebook.cells


def html(cell):
    return [output.data["text/html"] for output in cell.outputs if "text/html" in output.get("data", {})]


def test_results_are_a_table(cells):
    (shown,) = html(cells[0])
    assert "4 assets, 80.7 KiB" in shown
    assert {"svg", "table"} <= {*Page(shown).tags}
    assert "<td>openEO_2023-06-01Z.tif</td>" in shown


def test_an_asset_tells_what_its_metadata_says_and_no_signature(cells):
    (shown,) = html(cells[1])
    assert "image/tiff" in shown
    assert "expires=" not in shown


@pytest.mark.parametrize("number", [2, 3])
def test_a_download_draws_into_the_cell_that_started_it_and_nowhere_else(cells, number):
    (shown,) = html(cells[number])
    assert "4 of 4 files" in shown
    assert 'value="82685" max="82685"' in shown
    assert " files/s, " in shown
    assert [output for output in cells[number].outputs if output.get("name") == "stderr"] == []


def test_assets_load_in_a_cell_too(cells):
    assert "6 dates" in "".join(output.text for output in cells[3].outputs if output.output_type == "stream")


def test_a_plan_and_reports_are_tables(cells):
    plan, verified, failed = (html(cells[n])[0] for n in (4, 5, 8))
    assert "plan for <b>planned</b>: 2 files, 73.5 KiB" in plan
    assert '<td>thumbnail.png</td><td class="long">dropped by the filter' in plan
    assert "4 of 4 files as stored" in verified
    assert "run to <b>again</b>: 3 of 4 files" in failed
    assert failed.index("<td>timeseries.json</td>") < failed.index("<td>thumbnail.png</td>")
    text = cells[4].outputs[0].data["text/plain"]
    assert text == "<Plan of 2 files for 'planned', 2 assets left out>"


def test_a_thumbnail_is_a_picture_and_a_download_shows_its_report(cells):
    assert cells[6].outputs[0].data["image/png"].startswith("iVBORw0KGgo")
    assert "run to <b>third</b>: 4 of 4 files" in html(cells[7])[0]


FAILING = """
import splashdown
from pathlib import Path
Path("item.json").write_text('{"type": "Feature", "stac_version": "1.0.0", "id": "i", "geometry": null,'
    ' "properties": {}, "links": [], "assets": {"a": {"href": "./gone.tif"}}}')
def mine(results):
    return results.download_files("out")
mine(splashdown.open("item.json"))
---
import os
os.environ["SPLASHDOWN_DEBUG"] = "1"
mine(splashdown.open("item.json"))
"""


@pytest.fixture(scope="module")
def tracebacks(tmp_path_factory):
    """What the cells that fail show."""
    sources = [text.strip() for text in FAILING.split("---")]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    resources = {"metadata": {"path": str(tmp_path_factory.mktemp("failing"))}}
    NotebookClient(notebook, timeout=60, kernel_name="python3", resources=resources, allow_errors=True).execute()
    return [cell.outputs[-1]["traceback"] for cell in notebook.cells]


def test_an_error_shows_the_lines_of_the_cell_and_its_message(tracebacks):
    shown = "\n".join(tracebacks[0]).splitlines()
    assert len(shown) < 12
    assert 'return results.download_files("out")' in "\n".join(shown)
    assert 'mine(splashdown.open("item.json"))' in "\n".join(shown)
    assert shown[-1].startswith("DownloadError: 1 of 1 asset failed")
    assert not [line for line in shown if "/splashdown/" in line]


def test_the_whole_traceback_is_shown_on_request(tracebacks):
    shown = "\n".join(tracebacks[1]).splitlines()
    assert len(shown) > 20
    assert [line for line in shown if "builtins/download.py" in line]
