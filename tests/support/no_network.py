"""Keeps the tests of a process on this machine: other addresses are refused, and the test that wanted one fails.

Processes that tests start are not watched; servers that need packages install these.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

#: Names that never exist (RFC 2606, RFC 6761): a test may ask for them.
_NOWHERE = (".example", ".invalid", ".test", "example.com", "example.org", "example.net")
#: Addresses for documentation (RFC 5737, RFC 3849), where nothing is.
_NOBODY = [ipaddress.ip_network(one) for one in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]
_tried: list[str] = []
_connect, _connect_ex, _getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo


def pytest_configure() -> None:
    """Refuse connections of this process to other machines, and do not ask for their names."""
    socket.socket.connect = _guarded(_connect)  # type: ignore[method-assign]
    socket.socket.connect_ex = _guarded(_connect_ex)  # type: ignore[method-assign]
    socket.getaddrinfo = _own_names


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    """Fail a test that has tried to reach another machine, also where the code under test has hidden that."""
    _tried.clear()
    yield
    assert not _tried, f"this test tried to reach {', '.join(dict.fromkeys(_tried))}; tests reach this machine alone"


def tried() -> list[str]:
    """What was tried since the test began; the caller may clear it."""
    return _tried


def _guarded(connect: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_here(str(address[0])):
            _refuse(str(address[0]))
            raise OSError(errno.ENETUNREACH, "tests reach this machine alone")
        return connect(self, address)

    return guarded


def _own_names(host: Any, *arguments: Any, **options: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else host
    if name is None or _is_here(str(name)) or _as_address(str(name)) is not None:
        return _getaddrinfo(host, *arguments, **options)
    _refuse(str(name))
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def _refuse(host: str) -> None:
    address = _as_address(host)
    if address is None:
        expected = host.rstrip(".").lower().endswith(_NOWHERE)
    else:
        expected = any(address in one for one in _NOBODY if one.version == address.version)
    if not expected:
        _tried.append(host)


def _is_here(host: str) -> bool:
    address = _as_address(host)
    if address is None:
        return host.rstrip(".").lower() in {"", "localhost", socket.gethostname().lower()}
    return address.is_loopback or address.is_unspecified


def _as_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))  # 127.1, 2130706433
    except (OSError, ValueError):
        return None
