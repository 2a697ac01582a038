"""Each block of ``splashdown.toml`` on a page is a configuration that Splashdown reads, and its values take effect."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from doc_pages import more_pages, pages

from splashdown._cli.main import main

BLOCK = re.compile(r"^ *```toml\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
#: Pages whose blocks are a ``pyproject.toml``.
PACKAGES = {"docs/tutorial/write-a-sink.md", "docs/reference/hooks/index.md"}
CONFIGURATIONS = [
    pytest.param(text, id=page.name)
    for page in (*pages(), *more_pages())
    if page.name not in PACKAGES
    for text in BLOCK.findall(page.text)
]


def shown(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    """The values of the file that ``splashdown config show`` lists."""
    assert main(["config", "show", "--json"]) == 0, capsys.readouterr().err
    rows = json.loads(capsys.readouterr().out)
    return {row["key"]: row["value"] for row in rows if row["origin"].endswith("splashdown.toml")}


@pytest.mark.parametrize("text", CONFIGURATIONS)
def test_a_configuration_on_a_page_takes_effect(text, clean_folder, capsys, monkeypatch):
    Path("splashdown.toml").write_text(text)
    written = tomllib.loads(text)
    if {"auth", "hosts"} & written.keys():  # which belong into the user's own file, some of their keys at least
        monkeypatch.setenv("SPLASHDOWN_CONFIG", str(Path("splashdown.toml").absolute()))
    off = written.get("plugins", {}).get("disable", [])
    values = shown(capsys)
    for plugin, table in written.get("options", {}).items():
        for name, value in table.items():
            assert plugin in off or values[f"options.{plugin}.{name}"] == value
    for host, table in written.get("hosts", {}).items():
        for name, value in table.items():
            assert values[f'hosts."{host}".{name}'] == value
    for name, value in written.get("settings", {}).items():
        assert isinstance(value, dict) or values[f"settings.{name}"] == value


def test_pages_with_a_configuration_are_found():
    assert {case.id for case in CONFIGURATIONS} >= {"docs/how-to/s3.md", "docs/how-to/store-anywhere.md"}


def test_a_package_block_is_not_a_configuration():
    for page in (page for page in pages() if page.name in PACKAGES):
        assert all("project" in tomllib.loads(re.sub(r"(?m)^  ", "", text)) for text in BLOCK.findall(page.text))
