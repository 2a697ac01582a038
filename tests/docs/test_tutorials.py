"""The plugins of the tutorials keep the contracts that the tutorials show. ``nox -s types`` checks their types."""

from __future__ import annotations

import sys
import types

from doc_pages import Page, pages

KINDS = {"TestSumsResolver", "TestRowTransport", "TestMaxClouds", "TestWorld"}
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
