"""The plugins of the tutorials keep the contracts that the tutorials show. ``nox -s types`` checks their types."""

from __future__ import annotations

import subprocess
import sys
import types
from pathlib import Path

from doc_pages import ROOT, Page, pages

KINDS = {
    "TestSumsResolver",
    "TestRowTransport",
    "TestMaxClouds",
    "TestWorld",
    "TestArchiveSigner",
    "TestGentleWorkers",
    "TestRunBook",
}
PAGES = [page for page in pages() if page.name.startswith("docs/tutorial/write-a") and page.blocks]


def contracts(page: Page) -> dict[str, type]:
    """The classes of tests in the blocks of the page above its "Use it"."""
    module = types.ModuleType(page.path.stem)
    sys.modules[module.__name__] = module
    before = page.text.partition("## Use it")[0].count("\n")
    for block in page.blocks:
        if block.not_run is None and block.line <= before:
            exec(compile(block.code, str(page.path), "exec"), vars(module))
    return {name: value for name, value in vars(module).items() if name in KINDS}


for one in PAGES:
    globals().update(contracts(one))


def test_the_tutorials_are_found():
    assert set(globals()) >= KINDS


def test_the_page_of_plugins_links_each_tutorial():
    linked = (ROOT / "docs/reference/plugins.md").read_text(encoding="utf-8")
    assert [page.path.name for page in PAGES if f"tutorial/{page.path.name}" not in linked] == []


def test_the_executor_moves_files_when_its_page_is_a_script(clean_folder: Path, collection_on_disk: None):
    page = Page(path=ROOT / "docs/tutorial/write-an-executor.md")
    Path("gentle.py").write_text("\n\n".join(block.code for block in page.blocks), encoding="utf-8")
    subprocess.run([sys.executable, "gentle.py"], check=True, timeout=120)
    assert {path.name for path in Path("out").iterdir()} >= {path.name for path in Path("assets").iterdir()}
