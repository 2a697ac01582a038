"""Cutting files into parts, for any size and any sink."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splashdown._engine.parts import cut, cut_unknown_size
from splashdown._engine.settings import MIB
from splashdown.errors import StoreError
from splashdown.model import PartPolicy

aligns = st.sampled_from([1, 1, 16, 1024, 256 * 1024])


@st.composite
def policies(draw):
    align = draw(aligns)
    low = draw(st.integers(1, 8)) * align
    high = draw(st.none() | st.integers(1, 64).map(lambda n: low * n))
    return PartPolicy(
        min_size=low,
        max_size=high,
        max_parts=draw(st.none() | st.integers(1, 2000)),
        align=align,
        buffered=draw(st.booleans()),
    )


@given(st.integers(0, 10**9), policies(), st.integers(MIB, 64 * MIB), st.integers(1, 16))
def test_parts_cover_the_file_and_obey_the_sink(size, policy, wanted, connections):
    if policy.max_size is not None and size / policy.max_size > 5000:
        size = policy.max_size * 3 + 1
    try:
        parts = cut(size, policy, wanted, connections)
    except StoreError:
        assert policy.max_parts is not None
        assert policy.max_size is not None
        assert size > policy.max_parts * (policy.max_size - policy.align)
        return
    assert parts[0].start == 0
    assert parts[-1].stop == size
    assert [p.number for p in parts] == list(range(1, len(parts) + 1))
    assert all(a.stop == b.start for a, b in pairwise(parts))
    assert policy.max_parts is None or len(parts) <= policy.max_parts
    for part in parts[:-1]:
        assert policy.min_size <= part.size
        assert part.size % policy.align == 0
    for part in parts:
        assert policy.max_size is None or part.size <= policy.max_size


def test_an_empty_file_has_one_empty_part():
    assert [(p.start, p.stop) for p in cut(0, PartPolicy(), MIB)] == [(0, 0)]


def test_the_last_parts_are_smaller_where_several_connections_share_a_file():
    parts = cut(1024 * MIB, PartPolicy(), 32 * MIB, 8)
    assert parts[0].size == 32 * MIB
    assert parts[-2].size == 8 * MIB
    assert len(parts) < 80


def test_parts_that_a_sink_holds_in_memory_stay_small():
    assert cut(1024 * MIB, PartPolicy(min_size=5 * MIB, max_parts=10_000, buffered=True), 32 * MIB)[0].size == 8 * MIB


@given(policies())
def test_parts_of_a_stream_without_end_have_no_gaps(policy):
    seen = []
    try:
        for part in cut_unknown_size(policy, MIB):
            seen.append(part)
            if len(seen) == 3000:
                break
    except StoreError:
        assert len(seen) == policy.max_parts
    assert seen[0].start == 0
    assert all(a.stop == b.start and b.size >= a.size for a, b in pairwise(seen))
    assert all(p.size % policy.align == 0 and p.size >= policy.min_size for p in seen)


def test_a_stream_without_end_may_become_as_large_as_the_store_allows():
    policy = PartPolicy(min_size=5 * MIB, max_size=5 * 1024 * MIB, max_parts=10_000, buffered=True)
    total = 0
    for part in cut_unknown_size(policy, 32 * MIB):
        total = part.stop
        if part.number == 10_000:
            break
    assert total > 5 * 1024**4


def test_a_file_that_no_cut_makes_fit_is_refused():
    with pytest.raises(StoreError, match="too large"):
        cut(1000, PartPolicy(max_size=10, max_parts=10), 10)
