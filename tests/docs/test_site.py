"""The pages keep their links when they are laid out as a site, and a new page needs no entry anywhere."""

from __future__ import annotations

import pytest
import stage
from doc_pages import ROOT, Page, pages

KNOWN = {"README.md": "about/README.md", "docs/how-to/s3.md": "how-to/s3.md", "docs/index.md": "index.md"}


@pytest.mark.parametrize(
    ("page", "text", "expected"),
    [
        ("README.md", "[S3](docs/how-to/s3.md#sign)", "[S3](../how-to/s3.md#sign)"),
        ("docs/how-to/s3.md", "see [all](../../README.md)", "see [all](../about/README.md)"),
        ("docs/how-to/s3.md", "[pages](..), [tests](../../tests/a.py)", "[pages](../index.md), tests"),
        (
            "docs/how-to/s3.md",
            "[web](https://host.example/a.md) [here](#up)",
            "[web](https://host.example/a.md) [here](#up)",
        ),
        ("docs/how-to/s3.md", "```md\n[a](../../README.md)\n```", "```md\n[a](../../README.md)\n```"),
    ],
)
def test_links_lead_to_the_places_of_the_site(page, text, expected):
    assert stage.relink(text, page, KNOWN) == expected


def test_every_page_has_a_place_in_a_part_of_the_site():
    places = stage.places()
    assert {page.name for page in pages()} <= set(places)
    parts = {place.partition("/")[0] for place in places.values() if place != "index.md"}
    assert parts - {"pictures"} <= set(stage.PARTS)


def test_each_public_module_gets_a_page():
    assert {"results", "session", "protocols", "testing"} <= set(stage.modules())
    assert not {name for name in stage.modules() if name.startswith("_") or name == "builtins"}


def test_the_index_leads_to_s3_in_one_click():
    assert "how-to/s3.md" in Page(path=ROOT / "docs/index.md").links
