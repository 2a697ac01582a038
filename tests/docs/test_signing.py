"""The recipes that sign SHA256SUMS run as the page gives them, with the tools themselves."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from doc_pages import ROOT

import splashdown

RECIPES = dict(
    re.findall(r"<!-- run: (.*?) -->\n```sh\n(.*?)```", (ROOT / "docs/how-to/integrity.md").read_text(), re.DOTALL)
)


def shell(code: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HOME": str(home), "GNUPGHOME": str(home / ".gnupg")}
    return subprocess.run(
        ["bash", "-e", "-c", code], cwd=home, env=environment, capture_output=True, text=True, check=False
    )


MAKES_KEY = {
    "gpg": "mkdir -m 700 .gnupg; gpg --batch --passphrase '' --quick-gen-key you@example.org ed25519 sign never",
    "ssh-keygen": (
        "mkdir -m 700 .ssh; ssh-keygen -q -t ed25519 -N '' -f .ssh/id_ed25519;"
        ' echo "you@example.org $(cut -d" " -f1,2 .ssh/id_ed25519.pub)" > .ssh/allowed_signers'
    ),
}


@pytest.mark.parametrize("tool", RECIPES)
def test_a_signature_shows_whether_somebody_changed_the_target(tool: str, clean_folder: Path, collection_on_disk: None):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    results = splashdown.open("collection.json")
    results.download_files("data/")
    assert results.run("verify", target="data/", write_sums=True).sums
    assert shell(MAKES_KEY[tool], clean_folder).returncode == 0
    signed = shell(RECIPES[tool], clean_folder)
    assert signed.returncode == 0, signed.stderr
    assert "collection.json: OK" in signed.stdout
    checks = "cd data\n" + RECIPES[tool].rstrip().splitlines()[-1]
    # Who can write the files can write their checksums, but not the signature.
    sums = clean_folder / "data" / "SHA256SUMS"
    first = next((clean_folder / "data").rglob("*.tif"))
    first.write_bytes(b"forged")
    assert shell(checks, clean_folder).returncode != 0
    forged = shell("cd data; sha256sum $(find . -name '*.tif') > SHA256SUMS; sha256sum -c SHA256SUMS", clean_folder)
    assert forged.returncode == 0
    assert sums.exists()
    assert shell(checks, clean_folder).returncode != 0
    shell("gpgconf --kill all", clean_folder)


def test_both_recipes_are_on_the_page():
    assert set(RECIPES) == set(MAKES_KEY)
