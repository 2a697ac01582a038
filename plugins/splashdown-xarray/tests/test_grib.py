"""GRIB by cfgrib, in a process of its own. The messages are written by ecCodes, which is kept out of this process."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import splashdown_xarray
from grib_files import grib
from splashdown_xarray import load_grib

from splashdown.errors import LoadError
from splashdown.testing import LoaderContract, MemoryHandle, make_asset

ABOVE_GROUND = [(("typeOfFirstFixedSurface", 103), ("level", level)) for level in (2, 10)]


def handle(content):
    return MemoryHandle(content, make_asset("data.grib2"))


@pytest.mark.slow
class TestGrib(LoaderContract):
    @pytest.fixture
    def spec(self):
        return next(spec for spec in splashdown_xarray.splashdown_loaders() if spec.name == "grib")

    @pytest.fixture
    def good(self):
        return grib()

    def check(self, loaded):
        np.testing.assert_array_equal(loaded["t"].values.ravel(), np.arange(loaded["t"].size))
        assert str(loaded["time"].values) == "2023-06-01T00:00:00.000000000"
        assert loaded.sizes == {"latitude": 31, "longitude": 16}


@pytest.mark.slow
def test_several_steps_are_a_dimension():
    loaded = load_grib(handle(grib((("step", 0),), (("step", 6),))))
    assert list(loaded["step"].values / np.timedelta64(1, "h")) == [0, 6]


@pytest.mark.slow
def test_messages_of_several_cubes_are_picked_by_their_keys():
    content = grib((), *ABOVE_GROUND)
    with pytest.raises(LoadError, match=r"do not fit one cube: choose with select=.*'typeOfLevel': 'surface'"):
        load_grib(handle(content))
    assert "surface" in load_grib(handle(content), select={"typeOfLevel": "surface"}).coords
    with pytest.raises(LoadError, match=r"has no messages with \{'typeOfLevel': 'x'\}"):
        load_grib(handle(content), select={"typeOfLevel": "x"})


@pytest.mark.slow
def test_what_unpacks_to_more_than_the_cap_is_refused():
    content = grib()
    with pytest.raises(LoadError, match=r"unpacks to .* bytes, more than max_bytes"):
        load_grib(handle(content), max_bytes=len(content) + 1)


@pytest.mark.slow
def test_eccodes_stays_out_of_this_process():
    load_grib(handle(grib()))
    assert "eccodes" not in sys.modules


def test_a_file_that_ends_the_process_of_eccodes_is_a_load_error(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(LoadError, match=r"data\.grib2 ends the process of ecCodes: damaged"):
        load_grib(handle(b"GRIB" + bytes(12)))


def test_what_is_not_grib_starts_no_process(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/not/there")
    with pytest.raises(LoadError, match="is not a GRIB file: it begins with 49 49 2a 00"):
        load_grib(handle(b"II*\0" + bytes(12)))
