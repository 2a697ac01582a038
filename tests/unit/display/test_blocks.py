"""The building blocks of HTML in notebooks: nothing that a document says has a meaning to a browser."""

from __future__ import annotations

from html_pages import HOSTILE, Page
from hypothesis import given
from hypothesis import strategies as st

from splashdown._display.html import Cell, Html, beside, facts, folded, frame, line, table

WORDS = st.one_of(st.sampled_from(HOSTILE), st.text())


@given(st.lists(st.tuples(WORDS, WORDS), max_size=20), WORDS, WORDS)
def test_every_string_is_shown_and_none_is_markup(rows, title, head):
    page = Page(
        frame(
            line(title),
            facts({head: title}),
            folded(title, line(title)),
            table((head, "b"), [(a, Cell(shown=b, sort=1)) for a, b in rows], count=len(rows)),
        )
    )
    assert page.strange == (set(), set(), [])
    if title.strip() and title.isprintable():
        assert title in "".join(page.words)


def test_columns_that_no_row_fills_are_left_out():
    assert Page(table(("a", "b"), [("1", ""), ("2", "")], count=2)).words == ["a", "1", "2"]


def test_a_long_table_is_folded_and_says_what_it_leaves_out():
    shown = table(("n",), [(str(n),) for n in range(30)], count=500)
    assert "<summary>18 more rows</summary>" in shown
    assert shown.endswith("<p>and 470 more</p>")
    assert "<summary>" not in table(("n",), [("1",)], count=1)


def test_numbers_are_sorted_by_their_value():
    assert '<td data-v="1024">1.0 KiB</td>' in table(("size",), [(Cell(shown="1.0 KiB", sort=1024),)], count=1)


def test_empty_blocks_leave_no_gap():
    assert beside(Html(""), line("a")) == '<div class="splashdown-beside"><div><p>a</p></div></div>'
    assert facts({"a": None, "b": ""}) == ""
