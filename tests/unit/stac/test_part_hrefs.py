"""Hrefs of parts of files, and those of the whole files that saved documents have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splashdown._naming.names import href_name
from splashdown._stac.hrefs import ZIP, clip_href, member_href, public_href


@pytest.mark.parametrize("href", ["https://h.example/a/B04.jp2", "s3://bucket/B%2004.jp2", "file:///data/a+b.tif"])
def test_a_part_leads_to_its_whole_file(href):
    clip, member = clip_href(href, "B04.tif", "12ab"), member_href(href, ZIP, "deep/x y#.tif", "")
    assert href_name(clip) == "B04.tif"
    assert href_name(member) == "x y#.tif"
    assert public_href(clip) == public_href(member) == href
    assert public_href(clip_href(member, "x.tif", "1")) == href


def test_a_signature_is_in_no_href_of_a_part():
    signed = "https://h.example/a.zip?signature=s3cret#x"
    assert "s3cret" not in clip_href(signed, "a.tif", "1") + member_href(signed, ZIP, "a", "1")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_any_name_stays_a_name(name):
    assert public_href(clip_href("https://h.example/a/b.tif", name, "1")) == "https://h.example/a/b.tif"
    assert public_href(member_href("https://h.example/a/b.zip", ZIP, name, "1")) == "https://h.example/a/b.zip"
