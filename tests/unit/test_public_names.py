"""The names of the package itself."""

import importlib.util

import pytest

import splashdown


@pytest.mark.parametrize("name", splashdown.__all__)
def test_a_public_name_is_what_it_is_whatever_was_imported_before(name):
    assert getattr(splashdown, name) is not None
    # Importing a module of the same name would put the module in the place of the function.
    assert importlib.util.find_spec(f"splashdown.{name}") is None
