"""What errors say."""

import pytest

from splashdown.errors import OptionError, refuse_unknown


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
