"""How receipts are written: readable, and in one form whatever their length."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from receipts import encoded

from splashdown import redact
from splashdown._documents import places
from splashdown._documents.document import Document
from splashdown._receipts import document as receipt
from splashdown.builtins.openeo import assets

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("\ud800") | st.just("a\nb"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
HREFS = st.from_regex(
    r"[hH]ttps?://[A-Za-z0-9.@:]{1,6}(:[0-9]{1,3})?(/[!-~]{0,4}){0,3}([?][!-~]{0,4})?", fullmatch=True
)


@given(st.dictionaries(st.text(max_size=4), VALUES, max_size=4))
def test_a_short_document_is_indented_json(document):
    assert encoded(document) == json.dumps(document, indent=2, ensure_ascii=False).encode(errors="backslashreplace")


@given(st.dictionaries(st.text(max_size=4), VALUES, max_size=4))
def test_a_long_document_says_the_same_an_entry_a_line(document):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(receipt, "_MANY", 2)
        written = encoded(document)
    assert json.loads(written) == document
    longest = [value for value in document.values() if isinstance(value, dict | list) and len(value) >= 2]
    assert written.count(b"\n") >= sum(map(len, longest))


@given(HREFS)
def test_an_href_is_redacted_the_same_with_or_without_a_closer_look(href):
    quick = redact.redact(href)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redact, "_USUAL", re.compile("(?!)"))
        assert quick == redact.redact(href)


@given(HREFS)
def test_an_absolute_href_is_the_same_with_or_without_joining(href):
    document = Document(place="https://h/results", body={})
    quick = assets._absolute(document, href)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assets, "_COMPLETE", re.compile("(?!)"))
        assert quick == assets._absolute(document, href)


@given(HREFS, st.sampled_from(["", "https://h/catalog.json", "file:///data/item.json"]))
def test_a_document_links_the_same_href_with_or_without_a_closer_look(href, base):
    quick = places.resolve_href(base, href)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "_USUAL", re.compile("(?!)"))
        assert quick == places.resolve_href(base, href)
