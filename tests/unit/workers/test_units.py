"""How a plan is cut: every file once, files of one URL together, and few batches of very many files."""

from __future__ import annotations

import pickle
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splashdown import Settings
from splashdown._workers.crossing import Outcomes, Slice
from splashdown._workers.leases import Leases
from splashdown._workers.units import FEWEST_FILES, MOST_BYTES, MOST_FILES, units_of
from splashdown.model import Asset, IfExists, Outcome, Status, Transfer

LARGE = 2**26
FILES = st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.integers(0, 2**31)), max_size=300)


@given(files=FILES, workers=st.integers(0, 9), data=st.data())
def test_every_file_is_in_one_unit_of_its_host(files, workers, data):
    numbered = [(n, host, size) for n, (host, size) in enumerate(files)]
    chosen = data.draw(st.lists(st.sampled_from(numbered), max_size=3)) if numbered else []
    pair = sorted({n for n, host, _ in chosen if host == chosen[0][1]})
    units = units_of(numbered, workers, LARGE, [pair] if len(pair) > 1 else [])
    assert sorted(n for unit in units for n in unit.numbers) == list(range(len(files)))
    for unit in units:
        assert {files[n][0] for n in unit.numbers} == {unit.host}
        assert len(unit.numbers) <= MOST_FILES + len(pair)
        small = [n for n in unit.numbers if (files[n][1] or 0) < LARGE]
        assert sum(files[n][1] or 0 for n in small) <= MOST_BYTES + len(pair) * LARGE
    if len(pair) > 1:
        assert len({id(unit) for unit in units for n in unit.numbers if n in pair}) == 1


def test_a_large_file_is_a_unit_alone():
    units = units_of([(0, "h", 10), (1, "h", LARGE), (2, "h", 10)], 1, LARGE)
    assert [unit.numbers for unit in units] == [[0, 2], [1]]


def test_very_many_large_files_share_batches_of_a_gibibyte():
    units = units_of(((n, "h", 10**8) for n in range(10**4)), 100, LARGE)
    assert {len(unit.numbers) for unit in units} == {MOST_BYTES // 10**8}


def test_large_files_are_alone_where_workers_would_have_nothing_to_do():
    assert len(units_of(((n, "h", 10**8) for n in range(16)), 4, LARGE)) == 16


def test_a_hundred_thousand_files_are_a_few_hundred_batches():
    assert len(units_of(((n, "h", 10**5) for n in range(10**5)), 4, LARGE)) == 10**5 / MOST_FILES


def test_few_files_keep_all_workers_busy():
    assert len(units_of(((n, "h", 1) for n in range(40)), 4, LARGE)) == 4
    assert len(units_of(((n, "h", 1) for n in range(400)), 4, LARGE)) == 400 / FEWEST_FILES


@given(most=st.integers(1, 64), workers=st.integers(1, 20), jobs=st.none() | st.integers(1, 64))
def test_leases_never_exceed_what_a_host_serves(most, workers, jobs):
    leases = Leases(Settings(jobs=jobs), lambda _: most)
    taken = []
    while share := leases.take("h", workers):
        taken.append(share)
    assert 0 < sum(taken) <= min(most, jobs or most)
    assert leases.take("other", workers) == 0 if jobs == sum(taken) else True
    for share in taken:
        leases.give_back("h", share)
    assert leases.take("h", workers) == taken[0]


def test_a_host_that_refuses_one_worker_is_asked_less_by_all():
    leases = Leases(Settings(), lambda _: 16)
    share = leases.take("h", 2)
    leases.refused("h", share // 2, share)
    assert leases.most("h") == 8


ASSETS = st.builds(
    Asset,
    key=st.text(max_size=5),
    href=st.text(max_size=9),
    item=st.none() | st.text(max_size=3),
    size=st.none() | st.integers(0, 2**40),
    checksum=st.none() | st.sampled_from(["1220aa", "1114bb"]),
    metadata=st.dictionaries(
        st.sampled_from(["alternate", "updated", "raster:bands", "auth:refs"]), st.text(max_size=3)
    ),
)
OUTCOMES = st.builds(
    Outcome,
    transfer=st.builds(
        Transfer, asset=ASSETS, name=st.text(min_size=1, max_size=5), if_exists=st.sampled_from(IfExists)
    ),
    status=st.sampled_from(Status),
    location=st.text(max_size=9),
    size=st.none() | st.integers(0, 9),
    checksum=st.none() | st.text(max_size=4),
    verified=st.sampled_from([(), ("size",)]),
    bytes_moved=st.integers(0, 2**40),
    error=st.text(max_size=4),
    ours=st.booleans(),
)


@given(outcomes=st.lists(OUTCOMES, min_size=1, max_size=6))
def test_outcomes_come_back_as_they_were(outcomes):
    sent = [one.transfer for one in outcomes]
    back = pickle.loads(pickle.dumps(Outcomes(outcomes, [one.name for one in sent]))).of(sent)
    assert list(back) == outcomes
    other = [replace(one, name=f"{one.name}-1") for one in sent]
    renamed = Outcomes([replace(o, transfer=t) for o, t in zip(outcomes, other, strict=True)], [t.name for t in sent])
    assert [one.transfer.name for one in pickle.loads(pickle.dumps(renamed)).of(sent)] == [t.name for t in other]


@pytest.mark.parametrize(
    "wrong",
    [{"size": "7"}, {"checksum": 7}, {"error": b"no"}, {"verified": "size"}, {"ours": "yes"}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_what_no_outcome_holds_is_refused_where_it_comes_in(wrong):
    transfer = Transfer(asset=Asset(key="a", href="https://h.example/a"), name="a")
    good = Outcome(transfer=transfer, status=Status.STORED, location="/x/a", size=7)
    names = [transfer.name] * 2

    def back(*outcomes):
        return pickle.loads(pickle.dumps(Outcomes(outcomes, names)))

    assert list(back(good, good).of([transfer] * 2)) == [good] * 2
    with pytest.raises(ValueError, match="came back"):
        back(good, good).of([transfer])  # another number than was sent
    with pytest.raises(ValueError, match="not what an outcome has"):
        back(good, replace(good, **wrong)).of([transfer] * 2)


@given(outcomes=st.lists(OUTCOMES, min_size=1, max_size=6))
def test_a_worker_gets_what_decides_how_a_file_is_read(outcomes):
    sent = [one.transfer for one in outcomes]
    for one, before in zip(pickle.loads(pickle.dumps(Slice(sent))).transfers, sent, strict=True):
        assert (one.name, one.if_exists) == (before.name, before.if_exists)
        for field in ("key", "href", "item", "media_type", "size", "checksum"):
            assert getattr(one.asset, field) == getattr(before.asset, field)
        wanted = {name: value for name, value in before.asset.metadata.items() if name != "raster:bands"}
        assert one.asset.metadata == wanted
    assert {field.name for field in fields(Transfer)} == {"asset", "name", "if_exists"}
