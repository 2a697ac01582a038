"""What errors say."""

import pytest

from splashdown.errors import OptionError, did_you_mean, error_text, refuse_unknown


@pytest.mark.parametrize(
    ("known", "text"),
    [
        (["wait", "partial"], "the resolver 'shelf' has no option 'wayt'; did you mean 'wait'?"),
        (["partial", "alternate"], "the resolver 'shelf' has no option 'wayt'; it has: partial, alternate"),
        ([], "the resolver 'shelf' has no option 'wayt'; it has: none"),
    ],
)
def test_an_unknown_option_is_refused_with_the_nearest_one_or_all(known, text):
    with pytest.raises(OptionError) as refused:
        refuse_unknown("the resolver 'shelf'", {"wayt": 1}, known)
    assert str(refused.value) == text


def test_known_options_are_not_refused():
    refuse_unknown("the resolver 'shelf'", ["wait"], ["wait", "partial"])


def test_a_long_message_keeps_its_beginning_and_its_end():
    text = error_text(ValueError(f"cannot read {'x' * 50_000}: pass decode=False"))
    assert len(text) < 1600
    assert text.startswith("ValueError: cannot read x")
    assert text.endswith("x: pass decode=False")


def test_a_wrong_name_is_compared_with_a_part_of_very_many_at_most():
    names = iter([f"S2A_{number}_B04" for number in range(100_000)])
    assert did_you_mean("S2A_2024_B4", names).startswith("; did you mean 'S2A_")
    assert len(list(names)) > 95_000
