"""The guard that keeps tests on this machine."""

import socket

import no_network
import pytest

from splashdown import Session
from splashdown.errors import ResolveError


@pytest.fixture
def tried():
    """What the guard noted; the test's own attempts do not fail it."""
    yield no_network.tried()
    no_network.tried().clear()


@pytest.mark.parametrize("host", ["93.184.216.34", "10.1.2.3", "2606:2800:220:1::1", "python.org"])
def test_a_connection_to_another_machine_is_refused_and_noted(host, tried):
    with pytest.raises(OSError, match=r"this machine alone|Name or service not known"):
        socket.create_connection((host, 80), timeout=0.1)
    assert tried == [host]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_connections_to_this_machine_are_made(host, tried):
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection((host, server.getsockname()[1])).close()
    assert tried == []


def test_a_name_that_cannot_exist_is_refused_and_not_noted(tried):
    with pytest.raises(socket.gaierror):
        socket.create_connection(("host.example", 80))
    assert tried == []


def test_what_the_library_hides_is_noted(tried):
    with Session(discover=False, config=False) as session, pytest.raises(ResolveError):
        session.open("https://93.184.216.34/item.json")
    assert set(tried) == {"93.184.216.34"}


def test_a_test_that_has_tried_fails(pytester):
    pytester.makepyfile(
        """
        import socket
        from contextlib import suppress

        def test_that_tries():
            with suppress(OSError):
                socket.create_connection(("93.184.216.34", 80))
        """
    )
    pytester.makeconftest("from no_network import no_network\n")
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines("*tried to reach 93.184.216.34*")
    no_network.tried().clear()
