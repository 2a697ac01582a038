"""The checksums that S3 calls flexible: of parts, and of whole objects by combining those of their parts.

Whole-object checksums are CRCs (Amazon S3 User Guide, "Checking object integrity": full object type). zlib has CRC32;
CRC64NVME and CRC32C come from ``awscrt`` where it is installed, several times faster.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module

from splashdown.model import Buffer


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A CRC with reflected input and output, its register inverted before and after."""

    name: str  #: as S3 writes it: ``CRC32``
    width: int  #: bits
    polynomial: int  #: reflected
    compute: Callable[[Buffer], int]

    @property
    def header(self) -> str:
        """The header that carries it."""
        return f"x-amz-checksum-{self.name.lower()}"

    @property
    def field(self) -> str:
        """The argument of botocore's methods that carries it."""
        return f"Checksum{self.name}"

    def of(self, data: Buffer) -> str:
        """The checksum of bytes as S3 writes it."""
        return self.encode(self.compute(data))

    def encode(self, value: int) -> str:
        """Base64 of the big-endian number."""
        return base64.b64encode(value.to_bytes(self.width // 8, "big")).decode()

    def combine(self, parts: Iterable[tuple[str, int]]) -> str:
        """The checksum of a whole file from those of its parts and their sizes in bytes."""
        whole = 0
        for text, size in parts:
            value = int.from_bytes(base64.b64decode(text), "big")
            whole = _times(self.width, self.polynomial, _shift(self.width, self.polynomial, size), whole) ^ value
        return self.encode(whole)


def choose(name: str) -> Algorithm | None:
    """The algorithm of an option's value (``auto``, ``crc32``, ...); ``None`` for none."""
    if name == "none":
        return None
    found = _available()
    return found["crc64nvme" if "crc64nvme" in found else "crc32"] if name == "auto" else found.get(name)


def by_name(name: str) -> Algorithm | None:
    """The algorithm that S3 calls so, where this machine can compute it."""
    return _available().get(name.lower())


@lru_cache(maxsize=1)
def _available() -> dict[str, Algorithm]:
    found = {"crc32": Algorithm("CRC32", 32, 0xEDB88320, zlib.crc32)}
    try:
        checksums = import_module("awscrt.checksums")
    except ImportError:
        return found
    found["crc32c"] = Algorithm("CRC32C", 32, 0x82F63B78, checksums.crc32c)
    if hasattr(checksums, "crc64nvme"):
        found["crc64nvme"] = Algorithm("CRC64NVME", 64, 0x9A6C9329AC4BC9B5, checksums.crc64nvme)
    return found


def _times(width: int, polynomial: int, one: int, other: int) -> int:
    """Product of two polynomials over GF(2) modulo the CRC's own; bit ``width - 1`` is the coefficient of 1."""
    result, bit = 0, 1 << (width - 1)
    while bit:
        if one & bit:
            result ^= other
        other = (other >> 1) ^ polynomial if other & 1 else other >> 1
        bit >>= 1
    return result


@lru_cache(maxsize=64)
def _shift(width: int, polynomial: int, size: int) -> int:
    """``x ** (8 * size)``: what appending ``size`` bytes does to a CRC. Nearly all parts have one size."""
    result, square = 1 << (width - 1), 1 << (width - 2)  # 1, and x
    exponent = 8 * size
    while exponent:
        if exponent & 1:
            result = _times(width, polynomial, square, result)
        square = _times(width, polynomial, square, square)
        exponent >>= 1
    return result
