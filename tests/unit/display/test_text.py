"""Names, sizes and what a list of names shares."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splashdown._display.text import bytes_in, shared_start, shortened

SCENES = [f"S2A_MSIL2A_2023060{day}T105031_N0509_R051_T31UFS/B0{band}.tif" for day in (1, 6) for band in (4, 8)]


@pytest.mark.parametrize(
    ("text", "size"), [("10", 10), ("10MB", 10**7), ("1.5 MiB", 1572864), ("500k", 500_000), ("2gib", 2 * 2**30)]
)
def test_a_size_may_have_a_unit(text, size):
    assert bytes_in(text) == size


@pytest.mark.parametrize("text", ["", "fast", "-1", "1e3", "1 XB", "MB"])
def test_other_strings_are_not_sizes(text):
    assert bytes_in(text) is None


def test_names_lose_what_they_share_before_what_tells_them_apart():
    common = shared_start(SCENES)
    assert SCENES[0][:common] == "S2A_MSIL2A_2023060"
    cut = [shortened(name, 40, common) for name in SCENES]
    assert len(set(cut)) == len(SCENES)
    assert cut[0] == "S2A_M…1T105031_N0509_R051_T31UFS/B04.tif"
    assert shortened(SCENES[0], 21) == "S2A_MSIL2A…FS/B04.tif"


@given(st.lists(st.text(max_size=30), min_size=1, max_size=6), st.integers(3, 40))
def test_a_shortened_name_fits_and_a_short_one_stays(names, width):
    common = shared_start(names)
    assert all(name[:common] == names[0][:common] for name in names)
    for name in names:
        cut = shortened(name, width, common)
        assert len(cut) <= width
        assert cut == name or len(name) > width
