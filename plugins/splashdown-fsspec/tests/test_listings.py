"""Listings of folders whose files change meanwhile, as some servers answer them."""

import pytest
from splashdown_fsspec import _files as files


class Changing:
    """A filesystem whose server names a file that is gone when it is looked at."""

    def __init__(self, failures, there=True):
        self.failures, self.there = failures, there

    def find(self, folder, detail):
        if self.failures:
            self.failures -= 1
            raise FileNotFoundError("x.part1")
        return {f"{folder}/a.bin": {"size": 1}}

    def isdir(self, folder):
        return self.there


def test_a_file_that_goes_while_a_folder_is_listed_hides_no_other():
    assert list(files.walk(Changing(3), "/data")) == [("a.bin", {"size": 1})]


def test_a_folder_that_never_stays_as_it_is_fails_instead_of_being_empty():
    with pytest.raises(FileNotFoundError):
        list(files.walk(Changing(1_000), "/data"))


def test_a_folder_that_is_not_there_is_empty():
    assert list(files.walk(Changing(1, there=False), "/data")) == []
