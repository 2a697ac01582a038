"""The assets of a source in the order of its items: the same as by an index of all of them, in less memory."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from splashdown._naming.names import assign_names
from splashdown._receipts.entries import Places, fields_of, grouped
from splashdown._receipts.in_order import in_order
from splashdown._series.assets import pack
from splashdown.columns import take
from splashdown.model import Asset, Outcome, Status, Transfer

items = st.none() | st.sampled_from(["a", "b", "c", "d"])
features = st.lists(
    st.fixed_dictionaries({"id": st.sampled_from(["a", "b", "c", "d", 7])}) | st.just("odd"), max_size=6
)


def assets_of(names):
    return [Asset(item=item, key=str(number), href=f"https://h.example/{number}") for number, item in enumerate(names)]


def by_an_index(listed, assets):
    ids = [one["id"] if isinstance(one, dict) else None for one in listed]
    last = {name: at for at, name in enumerate(ids)}
    groups = [
        [n for n, asset in enumerate(assets) if asset.item == name and asset.item is not None and last[name] == at]
        for at, name in enumerate(ids)
    ]
    grouped_already = {n for group in groups for n in group}
    return groups, [n for n in range(len(assets)) if n not in grouped_already]


@given(features, st.lists(items, max_size=8))
def test_assets_belong_to_the_features_of_their_items_in_any_order(listed, names):
    assets = assets_of(names)
    groups, others = grouped(listed, assets)
    expected = by_an_index(listed, assets) if listed else ([], [*range(len(assets))])
    assert ([list(group) for group in groups], list(others)) == expected


@given(st.lists(st.sampled_from("abcd"), unique=True), st.data())
def test_a_source_that_was_read_is_in_order(ids, data):
    names = [name for name in ids for _ in range(data.draw(st.integers(0, 3)))]
    assert in_order([{"id": name} for name in ids], assets_of(names)) is not None


@given(st.lists(st.booleans(), max_size=8), st.booleans())
def test_a_place_by_position_is_the_place_by_identity(landed, mixed):
    assets = assets_of(["a"] * len(landed))
    outcomes = [
        Outcome(transfer=Transfer(asset=asset, name=asset.key), status=Status.STORED, size=at)
        for at, (asset, there) in enumerate(zip(assets, landed, strict=True))
        if there
    ]
    places = Places(outcomes[::-1] if mixed else outcomes, {})
    place_of = places.each(assets)
    by_identity = [places.get(asset.identity) for asset in assets]
    wanted = [place and (place[0], *fields_of(place[1])) for place in by_identity]
    assert [place_of(at) for at in range(len(assets))] == wanted


#: Bytes for one more asset while names are assigned: its name in a block, twice where it clashes, and three hashes.
MOST_BYTES = 90


def test_names_of_very_many_assets_take_little_memory_though_they_clash():
    def peak(count):
        assets = pack(
            Asset(item=f"item-{number:06}", key="data", href=f"https://h.example/{number:06}/B04.tif")
            for number in range(count)
        )
        tracemalloc.start()
        try:
            names = assign_names(assets)
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert len(set(names)) == count
        return most

    peak(1_000)
    assert (peak(12_000) - peak(4_000)) / 8_000 < MOST_BYTES


def test_some_of_very_many_outcomes_are_found_without_an_index():
    assets = pack(assets_of([f"item-{number}" for number in range(2_000)]))
    some = take(assets, range(0, 2_000, 3))
    outcomes = [Outcome(transfer=Transfer(asset=one, name=one.key), status=Status.STORED) for one in some]
    places = Places(outcomes, {})
    place_of = places.each(assets)
    found = [place_of(at) for at in range(len(assets))]
    assert [at for at, place in enumerate(found) if place] == [*range(0, 2_000, 3)]
    assert "_found" not in vars(places)
