"""Which keywords a function takes."""

from __future__ import annotations

from functools import partial
from typing import Any, TypedDict, Unpack

import pytest

from splashdown._plugins.keywords import keywords_of


class Part(TypedDict, total=False):
    bands: list[str]
    window: NotImported  # noqa: F821 - what a member is annotated with is not looked at


class Whole(Part, total=False):
    scaled: bool


def named(asset, *, one=1, two=2) -> NotImported:  # noqa: F821
    pass


def unpacked(asset, *, one=1, **options: Unpack[Whole]) -> NotImported:  # noqa: F821
    pass


def anything(asset, *, one=1, **options: Any):
    pass


class Callable:
    def __call__(self, asset, *, one=1):
        pass


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (named, ["one", "two"]),
        (unpacked, ["one", "bands", "window", "scaled"]),
        (partial(unpacked, one=3), ["one", "bands", "window", "scaled"]),
        (anything, None),
        (Callable(), ["one"]),
    ],
)
def test_keywords_are_those_of_the_parameters_and_of_the_typed_dict(function, names):
    assert keywords_of(function) == names
