"""Every Python block of docs/ and of the READMEs runs, page by page, from top to bottom in one namespace."""

from __future__ import annotations

import ast
import sys
import types
import warnings
from pathlib import Path

import pytest
from doc_pages import ROOT, Page, more_pages, pages

#: Pages that a test of their own runs, on more than what is offered here.
RUN_ELSEWHERE = {
    "docs/how-to/openeo-client.md": "plugins/splashdown-openeo/tests/test_how_to.py",
    "docs/how-to/openeo.md": "tests/integration/test_openeo_docs.py",
}
WITH_CODE = [page for page in (*pages(), *more_pages()) if page.blocks and page.name not in RUN_ELSEWHERE]


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.name)
def test_the_examples_of_the_page_run_as_written(page: Page, surroundings: Path, monkeypatch: pytest.MonkeyPatch):
    # A module of its own: dataclasses, pickle and type hints look names up in sys.modules.
    module = types.ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # an example that warns misleads
        for block in page.blocks:
            if block.not_run is None:
                # The line numbers of a traceback are then those of the page.
                tree = ast.increment_lineno(ast.parse(block.code, page.name), block.line - 1)
                exec(compile(tree, str(page.path), "exec"), vars(module))


@pytest.mark.parametrize("page", [*pages(), *more_pages()], ids=lambda page: page.name)
def test_a_block_that_is_not_run_says_why(page: Page):
    assert all(block.not_run is None or len(block.not_run) > 10 for block in page.blocks)


@pytest.mark.parametrize(("page", "test"), RUN_ELSEWHERE.items())
def test_a_page_that_is_run_elsewhere_is(page: str, test: str):
    assert (ROOT / page).exists()
    assert Path(page).name in (ROOT / test).read_text()
