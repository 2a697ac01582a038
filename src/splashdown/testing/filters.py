"""The contract of filters. Subclass :class:`FilterContract` with the fixture ``chosen``."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import pytest

from splashdown.model import Asset
from splashdown.protocols import Filter, SupportsWhy
from splashdown.testing.fakes import make_asset


class FilterContract:
    """The behaviour of every filter.

    A subclass has the fixture ``chosen``, the filter. It may override ``assets``, with at least one that the filter
    keeps and one that it drops.
    """

    @pytest.fixture
    def assets(self) -> Sequence[Asset]:
        """Assets of several items, types and sizes."""
        return [
            make_asset("a.tif", item="one", media_type="image/tiff", roles=("data",), size=10),
            make_asset("b.json", item="one", media_type="application/json", roles=("metadata",)),
            make_asset("a.tif", item="two", media_type="image/tiff; application=geotiff", roles=("data",), size=10_000),
            make_asset("thumb.png", item="two", media_type="image/png", roles=("thumbnail",), size=5),
            make_asset("bare"),
        ]

    def test_it_is_a_filter(self, chosen: Filter) -> None:
        assert isinstance(chosen, Filter)

    def test_it_keeps_some_in_their_order(self, chosen: Filter, assets: Sequence[Asset]) -> None:
        kept = list(chosen(assets))
        assert kept
        assert len(kept) < len(assets)
        places = [next(n for n, a in enumerate(assets) if a is one) for one in kept]
        assert places == sorted(set(places))

    def test_it_changes_nothing_and_says_the_same_again(self, chosen: Filter, assets: Sequence[Asset]) -> None:
        before = copy.deepcopy(list(assets))
        assert list(chosen(assets)) == list(chosen(tuple(assets)))
        assert list(assets) == before

    def test_of_nothing_it_keeps_nothing(self, chosen: Filter) -> None:
        assert list(chosen([])) == []

    def test_it_says_why_in_a_few_words(self, chosen: Filter, assets: Sequence[Asset]) -> None:
        if not isinstance(chosen, SupportsWhy):
            pytest.skip("this filter has no why()")
        kept = list(chosen(assets))
        for dropped in (asset for asset in assets if asset not in kept):
            why = chosen.why(dropped)
            assert why
            assert "\n" not in why
