"""The configuration that the page shows is understood, and what it sets arrives."""

import re

from fresh import ROOT

import splashdown

PAGE = (ROOT / "docs/how-to/store-anywhere.md").read_text(encoding="utf-8")


def test_the_configuration_of_the_page_is_understood(tmp_path, monkeypatch):
    [text] = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    (tmp_path / "splashdown.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    with splashdown.Session() as session:
        session.sink("fsspec://memory/x").close()
        session.transport("az://container/x")
        assert session.config.options("obstore")["buffer_size"] == 33554432
