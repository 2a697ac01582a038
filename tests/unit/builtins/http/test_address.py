"""Which hrefs need no closer look."""

from __future__ import annotations

import pytest

from splashdown.builtins.http.address import USUAL, Address, parse
from splashdown.errors import TransferError


@pytest.mark.parametrize("port", [1, 79, 81, 8080, 59999, 60000, 64999, 65499, 65529, 65530, 65535])
def test_an_href_with_any_port_is_a_usual_one(port):
    found = USUAL.fullmatch(f"http://e.example:{port}/a?b")
    assert found is not None
    assert found.groups() == (f"http://e.example:{port}", "/a?b")


@pytest.mark.parametrize("port", [80, 443])
def test_the_port_of_a_scheme_is_looked_at_more_closely(port):
    assert USUAL.fullmatch(f"http://e.example:{port}/a") is None
    assert parse("http://e.example:80/a") == Address("http://e.example", "/a")


@pytest.mark.parametrize("port", [0, 65536, 65540, 66000, 70000, 99999])
def test_a_number_that_is_no_port_is_refused(port):
    assert USUAL.fullmatch(f"http://e.example:{port}/a") is None
    with pytest.raises(TransferError):
        parse(f"http://e.example:{port}/a")
