"""The compact set of strings."""

from hypothesis import given
from hypothesis import strategies as st

from splashdown._series.digests import Seen


@given(st.lists(st.text(max_size=3)))
def test_a_value_is_new_once(values):
    seen = Seen()
    assert [seen.add(value) for value in values] == [value not in values[:at] for at, value in enumerate(values)]


def test_a_value_stays_known_while_the_table_grows():
    seen = Seen()
    names = [f"item-{number}" for number in range(5_000)]
    assert {seen.add(name) for name in names} == {True}
    assert {seen.add(name) for name in names} == {False}
