"""Columns: single fields of values, the same whether the values are there or made when they are looked at."""

from __future__ import annotations

from operator import attrgetter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splashdown._series.assets import PackedAssets, transfers_of
from splashdown._series.outcomes import FIELDS, Rows, slots_for
from splashdown.columns import ByName, Columnar, cells, columns, take
from splashdown.model import Asset, IfExists, Outcome, Plan, RunReport, Status, Transfer

ASSET_NAMES = st.sampled_from(["key", "href", "item", "size", "roles", "metadata", "properties"])
TRANSFER_NAMES = ASSET_NAMES.map("asset.{}".format) | st.sampled_from(["name", "if_exists"])
OUTCOME_NAMES = (
    TRANSFER_NAMES.map("transfer.{}".format)
    | ASSET_NAMES.map("asset.{}".format)
    | st.sampled_from(["status", "size", "location", "error", "checksum", "bytes_moved"])
)


def assets(number):
    return tuple(
        Asset(key=f"k{n}", href=f"https://h.example/{n}", item=f"i{n}" if n % 2 else None, size=n, metadata={"n": n})
        for n in range(number)
    )


def packed(values):
    result = PackedAssets()
    for value in values:
        result.append(value)
    return result


def transfers(values):
    return transfers_of(values, [f"{n}.bin" for n in range(len(values))], IfExists.SKIP)


def outcomes(moved, every=3):
    slots = slots_for(moved, lambda n: Outcome(transfer=moved[n], status=Status.FAILED, error="not tried"))
    for n in range(0, len(moved), every):
        status = Status.SKIPPED if n % 2 else Status.STORED
        renamed = Transfer(asset=moved[n].asset, name=f"other{n}", if_exists=IfExists.SKIP) if n % 4 else moved[n]
        slots[n] = Outcome(transfer=renamed, status=status, size=n, location=f"/x/{n}", bytes_moved=n)
    return slots.outcomes()


def put_at_once(moved, every):
    """The same outcomes, put together as those of a batch are."""
    slots = slots_for(moved, lambda n: Outcome(transfer=moved[n], status=Status.FAILED, error="not tried"))
    numbers, one_by_one, values = range(0, len(moved), every), outcomes(moved, every), attrgetter(*FIELDS)
    own = [one_by_one[n].transfer.name if n % 4 else "" for n in numbers]
    rows = [
        (name, one.status.value, *values(one)) for name, one in zip(own, (one_by_one[n] for n in numbers), strict=True)
    ]
    slots.put(numbers, Rows([moved[n] for n in numbers], rows))
    return slots.outcomes()


def in_both_forms(number):
    plain, compact = assets(number), packed(assets(number))
    yield plain, compact, ASSET_NAMES
    yield transfers(plain), transfers(compact), TRANSFER_NAMES
    for every in (1, 3):
        wanted = outcomes(transfers(plain), every)
        yield wanted, outcomes(transfers(compact), every), OUTCOME_NAMES
        yield wanted, put_at_once(transfers(compact), every), OUTCOME_NAMES
        assert put_at_once(transfers(plain), every) == wanted


@given(st.integers(0, 150), st.data())
@settings(max_examples=40)
def test_fields_are_the_same_whether_values_are_made_or_there(number, data):
    for plain, compact, kinds in in_both_forms(number):
        assert isinstance(compact, Columnar)
        assert not isinstance(plain, Columnar)
        names = data.draw(st.lists(kinds, min_size=1, max_size=4))
        positions = data.draw(st.lists(st.integers(0, number - 1), unique=True).map(sorted)) if number else []
        wanted = list(columns(plain, *names))
        assert list(columns(compact, *names)) == wanted
        assert [cells(compact, *names)(n) for n in range(number)] == wanted
        some = take(compact, positions)
        assert tuple(some) == tuple(take(plain, positions))
        assert list(columns(some, *names)) == [wanted[n] for n in positions]
        assert [cells(some, *names)(at) for at in range(len(positions))] == [wanted[n] for n in positions]


@pytest.mark.parametrize("make", [assets, lambda number: packed(assets(number))])
def test_a_report_knows_what_landed_and_what_failed(make):
    moved = transfers(make(100))
    report = RunReport(plan=Plan(target=".", transfers=moved), outcomes=outcomes(moved))
    assert [o.asset.key for o in report.landed] == [f"k{n}" for n in range(0, 100, 3)]
    assert [o.asset.key for o in report.failed] == [f"k{n}" for n in range(100) if n % 3]


def test_elements_are_found_by_their_names():
    every = assets(5)
    by_identity = ByName(columns(every, "item", "key"), every)
    assert by_identity["i3", "k3"] is every[3]
    assert ("i2", "k2") not in by_identity
