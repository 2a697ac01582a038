"""The tables of the page about scale are those that its script prints."""

from __future__ import annotations

import importlib.util
import sys

from doc_pages import ROOT

PAGE = ROOT / "docs/explanation/scale.md"


def test_the_page_about_scale_has_the_tables_of_its_script(monkeypatch):
    spec = importlib.util.spec_from_file_location("scale_model", ROOT / "tests/benchmarks/scale_model.py")
    model = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "scale_model", model)  # dataclasses look their module up
    spec.loader.exec_module(model)
    page = PAGE.read_text()
    missing = [table.partition("\n")[0] for table in model.tables() if table not in page]
    assert missing == []
