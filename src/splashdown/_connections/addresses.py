"""Keeps documents of the public web from leading to addresses that only this machine or its network can reach.

A :class:`Gate` stands before every connection. It resolves the host, looks at each address, and the connection is made
to exactly the address that it let through: a name that resolves to another address a moment later changes nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence

__all__ = ["AddressError", "Gate", "address_class", "literal_address"]

_NETWORKS: Sequence[tuple[str, str]] = (
    ("loopback", "127.0.0.0/8"),
    ("loopback", "::1/128"),
    ("link-local", "169.254.0.0/16"),
    ("link-local", "fe80::/10"),
    ("private", "10.0.0.0/8"),
    ("private", "172.16.0.0/12"),
    ("private", "192.168.0.0/16"),
    ("unique local", "fc00::/7"),
    ("shared (carrier-grade NAT)", "100.64.0.0/10"),
    ("unspecified", "0.0.0.0/8"),
    ("unspecified", "::/128"),
)
_CLASSES = [(name, ipaddress.ip_network(network)) for name, network in _NETWORKS]
#: Prefixes of IPv6 that hold an address of IPv4 in their last 32 bits (RFC 6052, RFC 8215; RFC 4291, section 2.5.5).
_LAST_BITS = [ipaddress.ip_network(one) for one in ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0/96", "::/96")]

Resolve = Callable[[str, int], Sequence[str]]
Classify = Callable[[str], str]


class AddressError(Exception):
    """An address that the document may not lead to; the text is one line without secrets."""


def address_class(address: str) -> str:
    """``loopback``, ``private``, ...; empty for an address of the public internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    for name, network in _CLASSES:
        if ip.version == network.version and ip in network:
            return name
    if isinstance(ip, ipaddress.IPv6Address) and (inner := _inside(ip)) is not None:
        return address_class(str(inner))
    return "" if ip.is_global and not ip.is_multicast else "reserved"


def _inside(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The address of IPv4 that one of IPv6 stands for."""
    if any(ip in network for network in _LAST_BITS):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.sixtofour or (ip.teredo[1] if ip.teredo else None)


def literal_address(host: str) -> str | None:
    """The address that a host is, in any form of the system (``127.1``, ``0x7f000001``); ``None`` for a name."""
    bare = host.strip("[]").partition("%")[0]
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(bare))
    except (OSError, ValueError):
        return None


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as the system finds them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


class Gate:
    """Decides for the connections of one source, or of the assets of such sources.

    ``public`` is whether the source is of the public web; ``None`` until the first connection, which is the user's own
    choice, shows it.
    """

    def __init__(
        self,
        *,
        public: bool | None = None,
        allow_private: bool = False,
        resolve: Resolve = resolve,
        classify: Classify | None = None,
    ) -> None:
        self.public = public
        self._allow, self._resolve, self._classify = allow_private, resolve, classify or address_class

    @property
    def open(self) -> bool:
        """Whether every address is fine."""
        return self._allow or self.public is False

    def addresses(self, host: str, port: int) -> Sequence[str]:
        """The addresses to connect to. Raises :class:`AddressError`, and ``gaierror`` as the system does."""
        found = self._resolve(host, port)
        for address in found:
            self._check(host, address)
        return found

    def check_literal(self, host: str) -> None:
        """For a proxy, which resolves names itself: raise :class:`AddressError` where the host is such an address."""
        address = "127.0.0.1" if host.rstrip(".").lower() == "localhost" else literal_address(host)
        if address is not None:
            self._check(host, address)

    def connected(self, address: str) -> None:
        """A connection to the address was made: the first one shows where the source is."""
        if self.public is None:
            self.public = not self._classify(address)

    def _check(self, host: str, address: str) -> None:
        if self.open or not self.public:
            return
        if kind := self._classify(address):
            named = host if host == address else f"{host} ({address})"
            article = "an" if kind.startswith(("u", "a")) else "a"
            raise AddressError(
                f"{named} is {article} {kind} address, to which a document of the public web may not lead; "
                "if that is meant, pass --allow-private (the option allow_private of http)"
            )
