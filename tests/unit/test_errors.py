"""What errors say."""

import pytest

from splashdown.errors import OptionError, unknown_option


@pytest.mark.parametrize(
    ("known", "text"),
    [
        (["wait", "partial"], "the resolver 'shelf' has no option 'wayt'; did you mean 'wait'?"),
        (["partial", "alternate"], "the resolver 'shelf' has no option 'wayt'; it takes partial, alternate"),
        ([], "the resolver 'shelf' has no option 'wayt'; it takes none"),
    ],
)
def test_an_unknown_option_is_told_with_the_nearest_one_or_all(known, text):
    error = unknown_option("the resolver 'shelf'", "wayt", known)
    assert isinstance(error, OptionError)
    assert str(error) == text
